"""The General MIDI instruments the sources are rendered with.

Program numbers count from 0, as in the MIDI message. Ranges are the sounding (concert) ranges of the real
instruments, as MIDI note numbers (60 is middle C), both ends included; where a SoundFont falls silent below a
real instrument's top (double bass over 57, recorder over 97 in FluidR3_GM), the range ends there.
"""

from __future__ import annotations

from dataclasses import dataclass

from lass_lab.signal.files import InputError


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
    sustained: bool = False
    chords: bool = False
    vibrato: float = 0.0
    taught: bool = True

    @property
    def folder(self) -> str:
        """The name as a folder name."""
        return self.name.replace(" ", "_")


def _bowed(name, program, low, high, taught=True):
    return Instrument(name, program, low, high, "bowed strings", sustained=True, vibrato=22.0, taught=taught)


def _blown(name, program, low, high, family, vibrato, taught=True):
    return Instrument(name, program, low, high, family, sustained=True, vibrato=vibrato, taught=taught)


def _struck(name, program, low, high, family, chords=True, taught=True):
    return Instrument(name, program, low, high, family, chords=chords, taught=taught)


_TABLE = (
    _bowed("violin", 40, 55, 100),
    _bowed("viola", 41, 48, 91, taught=False),
    _bowed("cello", 42, 36, 81),
    _bowed("double bass", 43, 28, 57),
    _struck("harp", 46, 24, 103, "plucked strings"),
    _struck("acoustic guitar", 24, 40, 83, "plucked strings"),
    _struck("electric guitar", 27, 40, 86, "plucked strings"),
    _struck("electric bass", 33, 28, 67, "plucked strings", chords=False),
    _struck("banjo", 105, 48, 86, "plucked strings"),
    _struck("piano", 0, 21, 108, "keyboards"),
    _struck("electric piano", 4, 28, 100, "keyboards"),
    _struck("harpsichord", 6, 29, 89, "keyboards"),
    Instrument("church organ", 19, 36, 96, "organs", sustained=True, chords=True),
    Instrument("electric organ", 16, 36, 96, "organs", sustained=True, chords=True, taught=False),
    Instrument("accordion", 21, 53, 93, "free reeds", sustained=True, chords=True),
    _blown("harmonica", 22, 60, 96, "free reeds", 12.0, taught=False),
    _struck("celesta", 8, 60, 108, "bars", taught=False),
    _struck("glockenspiel", 9, 79, 108, "bars", chords=False),
    _struck("vibraphone", 11, 53, 89, "bars"),
    _struck("marimba", 12, 36, 96, "bars"),
    _struck("xylophone", 13, 65, 108, "bars", chords=False, taught=False),
    _blown("flute", 73, 59, 96, "flutes", 16.0),
    _blown("piccolo", 72, 74, 108, "flutes", 14.0, taught=False),
    _blown("recorder", 74, 65, 97, "flutes", 10.0, taught=False),
    _blown("pan flute", 75, 60, 91, "flutes", 16.0),
    _blown("oboe", 68, 58, 91, "reeds", 14.0),
    _blown("english horn", 69, 52, 81, "reeds", 14.0, taught=False),
    _blown("clarinet", 71, 50, 94, "reeds", 6.0),
    _blown("bassoon", 70, 34, 75, "reeds", 10.0),
    _blown("soprano saxophone", 64, 56, 88, "saxophones", 16.0, taught=False),
    _blown("alto saxophone", 65, 49, 81, "saxophones", 16.0),
    _blown("tenor saxophone", 66, 44, 76, "saxophones", 16.0, taught=False),
    _blown("baritone saxophone", 67, 36, 69, "saxophones", 12.0, taught=False),
    _blown("french horn", 60, 34, 77, "brass", 8.0),
    _blown("trombone", 57, 40, 77, "brass", 12.0),
    _blown("tuba", 58, 26, 65, "brass", 8.0),
    _blown("trumpet", 56, 54, 86, "brass", 12.0, taught=False),
)

INSTRUMENTS: dict[str, Instrument] = {instrument.name: instrument for instrument in _TABLE}
# What a bank of sources holds; the trumpet never, so that nobody trains on it by mistake.
RENDERED: tuple[str, ...] = tuple(name for name in INSTRUMENTS if name != "trumpet")
# What the tiny model learns: of near relatives one, so that a word means one sound (a viola's is too near a violin's).
TAUGHT: tuple[str, ...] = tuple(instrument.name for instrument in _TABLE if instrument.taught)


def instrument(name: str) -> Instrument:
    """The instrument of that canonical name. Raises InputError when there is none."""
    if name not in INSTRUMENTS:
        raise InputError(f"{name}: no such instrument; one of {', '.join(INSTRUMENTS)}")
    return INSTRUMENTS[name]
