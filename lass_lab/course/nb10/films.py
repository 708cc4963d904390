"""Silent films drawn from scores: who plays which note when, on a stage of four by four cells, among idle things.

They are drawings of what a camera might see, made on the fly and seeded. A picture is `(32, 32)`, from 0 (dark) to 1.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

GRID, CELL = 4, 8  # cells a side of the stage, and pixels a side of a cell
REGIONS, SIZE = GRID**2, GRID * CELL
RATE = 8  # frames a second
IDLE, PLAYING, FLASH, FLASH_S = 0.35, 0.6, 0.4, 0.15  # brightness; and how long the flash at a note's onset lasts
NOISE = 0.04
THINGS = 3  # idle ones on a stage


def _shapes(kind: str) -> dict[str, np.ndarray]:
    text = (resources.files(__package__) / "looks.toml").read_text(encoding="utf-8")
    drawn = tomllib.loads(text)[kind]
    return {name: np.array([[sign == "#" for sign in row] for row in rows.split()]) for name, rows in drawn.items()}


LOOKS, IDLE_THINGS = _shapes("players"), _shapes("things")  # name -> `(6, 7)` bool


@dataclass(frozen=True)
class Player:
    """Somebody on the stage.

    Attributes:
        look: the instrument's name, one of `LOOKS`.
        cell: from 0, top left, to 15; rows first.
        notes: `(notes, 3)`: onset and end in seconds, and MIDI pitch.
        mirrored: faces the other way.
    """

    look: str
    cell: int
    notes: np.ndarray
    mirrored: bool = False

    def glow(self, times: np.ndarray) -> np.ndarray:
        """How bright the player is at `times` `(n,)`: a flash at each onset, and a glow while a note lasts."""
        since = times[:, None] - self.notes[:, 0]
        sounds = (since >= 0) & (times[:, None] < self.notes[:, 1])
        flash = np.where(since >= 0, np.exp(-np.maximum(since, 0) / FLASH_S), 0).max(1, initial=0)
        return np.where(sounds.any(1), PLAYING, IDLE) + FLASH * flash

    def height(self, times: np.ndarray) -> np.ndarray:
        """Pixels that the player is raised by at `times`: 0 to 2, with the pitch of the note begun last."""
        if not len(self.notes):
            return np.zeros(len(times), int)
        pitch = self.notes[:, 2]
        last = np.clip(np.searchsorted(self.notes[:, 0], times, side="right") - 1, 0, None)
        return np.round(2 * (pitch[last] - pitch.min()) / max(np.ptp(pitch), 1)).astype(int)


@dataclass(frozen=True)
class Scene:
    """Players, idle things as (name, cell), and a seed for the pictures' noise."""

    players: tuple[Player, ...]
    things: tuple[tuple[str, int], ...]
    seed: int

    def draw(self, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """The pictures at `times`, in seconds: `(n, 32, 32)` float32."""
        times = np.asarray(times, float)
        pictures = np.random.default_rng(self.seed).normal(0, NOISE, (len(times), SIZE, SIZE))
        for name, cell in self.things:
            _put(pictures, IDLE_THINGS[name], cell, np.full(len(times), IDLE), np.zeros(len(times), int))
        for player in self.players:
            shape = LOOKS[player.look][:, ::-1] if player.mirrored else LOOKS[player.look]
            _put(pictures, shape, player.cell, player.glow(times), player.height(times))
        return np.clip(pictures, 0, 1).astype(np.float32)

    def film(self, seconds: float, shift: float = 0.0) -> np.ndarray:
        """The film, eight pictures a second; `shift` seconds late."""
        return self.draw(np.arange(round(seconds * RATE)) / RATE - shift)


def _put(pictures: np.ndarray, shape: np.ndarray, cell: int, glow: np.ndarray, height: np.ndarray) -> None:
    top, left = CELL * (cell // GRID), CELL * (cell % GRID)
    for picture, bright, raised in zip(pictures, glow, height, strict=True):
        rows = slice(top + 2 - raised, top + 2 - raised + shape.shape[0])
        picture[rows, left : left + shape.shape[1]] += bright * shape


def stage(rng: np.random.Generator, looks: Sequence[str], notes: Sequence[np.ndarray], things: int = THINGS) -> Scene:
    """A scene of players with these looks and notes, they and some idle things each in a random cell of its own."""
    cells = rng.permutation(REGIONS)
    players = [
        Player(look, int(cell), each, bool(rng.random() < 0.5))
        for look, cell, each in zip(looks, cells[things:], notes, strict=False)
    ]
    names = rng.choice(list(IDLE_THINGS), things)
    return Scene(
        tuple(players), tuple(zip(map(str, names), map(int, cells[:things]), strict=True)), int(rng.integers(2**32))
    )
