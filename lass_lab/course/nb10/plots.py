"""Films on the page, and over them where a caption and a sound point."""

import base64
import html
import io
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.figure import Figure
from PIL import Image
from scipy.signal import resample_poly

from lass_lab.course.figures import put_into_words
from lass_lab.course.nb10.films import CELL, GRID, RATE, SIZE, Scene
from lass_lab.course.players import players
from lass_lab.course.plots import COLOURS

SCALE = 8  # pixels of the page for one of the film


def show_film(film: np.ndarray, scene: Scene) -> HTML:
    """A film `(frames, 32, 32)` as an animation that runs on and on, with alt text that says who stands where."""
    levels = (17 * np.round(15 * film)).astype(np.uint8)  # sixteen, so that the file stays small
    pictures = [Image.fromarray(each).resize((SIZE * SCALE,) * 2, Image.NEAREST) for each in levels]
    file = io.BytesIO()
    hundredths = np.diff(np.arange(len(pictures) + 1) * 100 // RATE)  # in which GIF counts the time of a picture
    durations = (10 * hundredths).tolist()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)
    data = base64.b64encode(file.getvalue()).decode()
    standing = [(player.look, player.cell) for player in scene.players] + list(scene.things)
    where = "; ".join(f"{name} in row {cell // GRID + 1}, column {cell % GRID + 1}" for name, cell in standing)
    alt = f"A drawn, silent film of {len(film) / RATE:.1f} s. {where}"
    return HTML(f'<img alt="{html.escape(alt)}" src="data:image/gif;base64,{data}">')


def listen(sounds: Mapping[str, np.ndarray]) -> HTML:
    """Players for sounds at 8 kHz: label -> `(samples,)`."""
    return players({label: resample_poly(samples, 4, 1).astype(np.float32) for label, samples in sounds.items()})


def show_pointing(film: np.ndarray, shares: Mapping[str, np.ndarray]) -> Figure:
    """The film's brightest moments, and over them, a panel each, how much of its attention something gives each region.

    Args:
        film: `(frames, 32, 32)`.
        shares: title -> `(16,)`, which sum to one.
    """
    figure, axes = plt.subplots(1, 1 + len(shares), figsize=(2.6 * (1 + len(shares)), 2.9), layout="constrained")
    picture = film.max(0)
    for ax, (title, share) in zip(axes, {"the film": None, **shares}.items(), strict=True):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[], title=title)
        if share is None:
            put_into_words(ax, "The film's brightest moments")
            continue
        most = int(np.argmax(share))
        cover = np.kron(share.reshape(GRID, GRID), np.ones((CELL, CELL)))
        ax.imshow(np.ones_like(cover), cmap="autumn", vmin=0, vmax=2, alpha=0.6 * cover)
        corner = CELL * np.array([most % GRID, most // GRID]) - 0.5
        ax.add_patch(plt.Rectangle(corner, CELL, CELL, fill=False, edgecolor=COLOURS[4], linewidth=2.5))
        where = f"row {most // GRID + 1}, column {most % GRID + 1}"
        ax.set_xlabel(f"{share[most]:.0%} on {where}", fontsize=9)
        put_into_words(ax, f"{title} points to {where}, with {share[most]:.0%} of its attention")
    return figure
