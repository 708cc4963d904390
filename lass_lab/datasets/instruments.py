"""The General MIDI instruments the sources are rendered with: `instruments.csv`.

Program numbers count from 0, as in the MIDI message. Ranges are the sounding (concert) ranges of the real
instruments, as MIDI note numbers (60 is middle C), both ends included; where a SoundFont falls silent below a
real instrument's top (double bass over 57, recorder over 97 in FluidR3_GM), the range ends there.
"""

from dataclasses import dataclass
from importlib.resources import files

import pandas as pd


@dataclass(frozen=True)
class Instrument:
    """One instrument.

    name: the canonical query, such as "french horn". program: General MIDI program, 0-127.
    low, high: sounding range in MIDI notes. family: a word shared by relatives. sustained: the player feeds
    the tone while it sounds (bowed, blown), so it can swell. chords: it can play several notes at once.
    vibrato: typical depth in cents, 0 where players use none. taught: the tiny model learns it.
    """

    name: str
    program: int
    low: int
    high: int
    family: str
    sustained: bool
    chords: bool
    vibrato: float
    taught: bool


with (files(__package__) / "instruments.csv").open(encoding="utf-8") as _file:
    _rows = pd.read_csv(_file, dtype={"vibrato": float}).to_dict("records")
INSTRUMENTS: dict[str, Instrument] = {row["name"]: Instrument(**row) for row in _rows}
# What a bank of sources holds; the trumpet never, so that nobody trains on it by mistake.
RENDERED: tuple[str, ...] = tuple(name for name in INSTRUMENTS if name != "trumpet")
# The instruments that the tiny model that ships was taught, beside VOICES and EVERYDAY. Not all: the others are its
# distractors, and a viola is too near a violin.
TAUGHT: tuple[str, ...] = tuple(name for name, instrument in INSTRUMENTS.items() if instrument.taught)

# What else sources may hold: voices, and everyday sounds (the classes of ESC-10).
VOICES: tuple[str, ...] = ("speech", "singing voice")
EVERYDAY: tuple[str, ...] = (
    "baby cry", "chainsaw", "clock tick", "dog bark", "fire crackling", "helicopter", "rain", "rooster", "sea waves",
    "sneeze",
)  # fmt: skip
SINGER = Instrument("singing voice", 53, 43, 81, "voices", True, False, 25.0, True)  # for the renderer
# Of these no two are ever mixed, and none is asked for in the place of another: a word for one also fits the others.
SAXOPHONES: frozenset[str] = frozenset(name for name in INSTRUMENTS if name.endswith("saxophone"))
ALIKE: tuple[frozenset[str], ...] = (
    frozenset({"violin", "viola"}),
    SAXOPHONES,
    frozenset({*VOICES, "baby cry"}),
    frozenset({"rain", "sea waves", "fire crackling"}),
)
