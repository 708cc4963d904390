"""Words and sounds on one map: what the query network takes for near, to be seen and, by a click, to be heard."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

from lass_lab.course.figures import put_into_words
from lass_lab.course.players.hands import sounding_map
from lass_lab.course.plots import COLOURS
from lass_lab.models.querynet import QueryNet
from lass_lab.signal import SAMPLE_RATE

HEARD_S = 1.5  # of each sound: there are many


def map_words_and_sounds(network: QueryNet, clips: Mapping[str, np.ndarray]) -> HTML:
    """A map on which each word is joined to its own sound; a click plays the nearest sound.

    The 512 numbers are laid flat along the two directions in which the sounds differ most (principal components). Words
    and sounds are each centred first, since they lie in two clouds apart from each other: near and far hold within a
    cloud, and between the clouds up to that shift.

    Args:
        network: makes vectors of words, and of sounds.
        clips: word to a sound that it names, `(samples,)`, 32 kHz, all of one length.
    """
    names = list(clips)
    words, sounds = (network(each).detach().double().cpu().numpy() for each in (names, list(clips.values())))
    own = int(((words @ sounds.T).argmax(axis=1) == np.arange(len(names))).sum())
    words, sounds = words - words.mean(axis=0), sounds - sounds.mean(axis=0)
    _, strengths, directions = np.linalg.svd(sounds, full_matrices=False)
    share = (strengths[:2] ** 2).sum() / (strengths**2).sum()
    at_words, at_sounds = words @ directions[:2].T, sounds @ directions[:2].T

    ax = plt.subplots(figsize=(9, 6), layout="constrained")[1]
    for name, word, sound in zip(names, at_words, at_sounds, strict=True):
        ax.plot(*np.transpose([word, sound]), color="0.8", linewidth=0.8, zorder=0)
        ax.annotate(name, word, color=COLOURS[0], fontsize=8, ha="center", va="bottom")
    ax.plot(*at_words.T, "+", color=COLOURS[0], label="word")
    ax.plot(*at_sounds.T, "o", color=COLOURS[5], markersize=6, label="its sound")
    ax.set(xlabel="first principal component of the sounds", ylabel="second")
    ax.legend(loc="best")
    (left, low), (right, high) = ([names[end] for end in ends(at_sounds, axis=0)] for ends in (np.argmin, np.argmax))
    where = f"of the sounds, {left} lies furthest left, {right} right, {low} below and {high} above"
    put_into_words(ax, f"Map of {len(names)} words and their sounds, each word joined to its sound; {where}")
    caption = (
        f"Words (crosses) and sounds (dots): click to hear the nearest sound. The two directions hold {share:.0%} of "
        f"how the sounds differ; in all 512, {own} of {len(names)} words lie nearest to their own sound."
    )
    heard = {name: clip[: round(HEARD_S * SAMPLE_RATE)] for name, clip in clips.items()}
    return sounding_map(ax, caption, heard, at_sounds)
