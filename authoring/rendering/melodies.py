"""Melodies in the public domain, as note lists, for the duets.

A tune is written bar by bar: `F#4` is one unit long, `E4*2` two, `r` is a rest, `|` ends a bar. The first bar
may be a pick-up; every other bar but the last must be full, which reading it checks.
"""

from __future__ import annotations

from dataclasses import dataclass

from authoring.rendering.composition import ladder
from authoring.rendering.performance import Event

_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class Tune:
    """A melody and where it is from.

    tonic: pitch class of the key (0 is C); mode: a key of `composition.MODES`. A bar has `beats` beats that
    split in `split`; `unit` is the length in beats of a note written without a length.
    """

    title: str
    origin: str
    tonic: int
    mode: str
    beats: int
    split: int
    unit: float
    text: str

    def line(self) -> list[Event]:
        """The melody, with its pick-up at the end of a bar that begins at beat 0."""
        bars = [bar.split() for bar in self.text.split("|")]
        total = [sum(_length(token) for token in bar) * self.unit for bar in bars]
        for number, beats in enumerate(total[1:-1], 1):
            if abs(beats - self.beats) > 1e-6:
                raise ValueError(f"{self.title}: bar {number} holds {beats:g} beats, not {self.beats}")
        beat = self.beats - total[0] if total[0] < self.beats - 1e-6 else 0.0
        events = []
        for token in (token for bar in bars for token in bar):
            length = _length(token) * self.unit
            if not token.startswith("r"):
                events.append(Event(beat, length, _pitch(token.split("*")[0])))
            beat += length
        return events

    def steps(self) -> list[int]:
        """Every MIDI pitch of the tune's key, lowest first."""
        return ladder(self.tonic, self.mode)


def _length(token: str) -> float:
    return float(token.split("*")[1]) if "*" in token else 1.0


def _pitch(name: str) -> int:
    sharps = name.count("#") - name.count("b")
    return _CLASSES[name[0]] + sharps + 12 * (int(name[-1]) + 1)


_ODE_A = "F#4 F#4 G4 A4 | A4 G4 F#4 E4 | D4 D4 E4 F#4 |"
_GREEN_A = "C5*2 D5 E5*1.5 F#5*.5 E5 | D5*2 B4 G4*1.5 A4*.5 B4 |"
_GREEN_B = "C5*1.5 B4*.5 A4 G#4*1.5 F#4*.5 G#4 |"
_AULD_END = "C5*1.5 A4*.5 A4 F4 | G4*1.5 F4*.5 G4 A4 | F4*1.5 D4*.5 D4 C4 |"
_MINUET_A = "D5*2 G4 A4 B4 C5 | D5*2 G4*2 G4*2 | E5*2 C5 D5 E5 F#5 | G5*2 G4*2 G4*2 | C5*2 D5 C5 B4 A4 |"
_MINUET_A += "B4*2 C5 B4 A4 G4 |"
_GRACE = "G4*2 B4*.5 G4*.5 | B4*2 A4 |"
_TEMPUS = "G4 G4 G4 A4 | G4 G4 D4*2 | E4 D4 E4 F#4 | G4*2 G4*2 |"

TUNES = {
    "ode_to_joy": Tune(
        "Ode to Joy",
        "Ludwig van Beethoven, Symphony No. 9, 1824",
        2, "major", 4, 2, 1.0,
        f"{_ODE_A} F#4*1.5 E4*.5 E4*2 | {_ODE_A} E4*1.5 D4*.5 D4*2 |"
        "E4 E4 F#4 D4 | E4 F#4*.5 G4*.5 F#4 D4 | E4 F#4*.5 G4*.5 F#4 E4 | D4 E4 A3*2 |"
        f"{_ODE_A} E4*1.5 D4*.5 D4*2",
    ),
    "minuet_in_g": Tune(
        "Minuet in G",
        "Christian Petzold, before 1725 (Notebook for Anna Magdalena Bach, BWV Anh. 114)",
        7, "major", 3, 2, 0.5,
        f"{_MINUET_A} F#4*2 G4 A4 B4 G4 | A4*6 | {_MINUET_A} A4*2 B4 A4 G4 F#4 | G4*6 |"
        "B5*2 G5 A5 B5 G5 | A5*2 D5 E5 F#5 D5 | G5*2 E5 F#5 G5 D5 | C#5*2 B4 C#5 A4*2 |"
        "A4 B4 C#5 D5 E5 F#5 | G5*2 F#5*2 E5*2 | F#5*2 A4*2 C#5*2 | D5*6 |"
        "D5*2 G4 F#4 G4*2 | E5*2 G4 F#4 G4*2 | D5*2 C5*2 B4*2 | A4 G4 F#4 G4 A4*2 |"
        "D4 E4 F#4 G4 A4 B4 | C5*2 B4*2 A4*2 | B4 D5 G4*2 F#4*2 | G4*6",
    ),
    "greensleeves": Tune(
        "Greensleeves",
        "traditional, England, 16th century",
        9, "minor", 2, 3, 1 / 3,
        f"A4 | {_GREEN_A} C5*2 A4 A4*1.5 G#4*.5 A4 | B4*2 G#4 E4*2 A4 | {_GREEN_A} {_GREEN_B} A4*3 A4*3 |"
        f"G5*3 G5*1.5 F#5*.5 E5 | D5*2 B4 G4*1.5 A4*.5 B4 | C5*2 A4 A4*1.5 G#4*.5 A4 | B4*2 G#4 E4*3 |"
        f"G5*3 G5*1.5 F#5*.5 E5 | D5*2 B4 G4*1.5 A4*.5 B4 | {_GREEN_B} A4*6",
    ),
    "amazing_grace": Tune(
        "Amazing Grace (New Britain)",
        "traditional, United States; in print 1829, with these words 1835",
        7, "major", 3, 2, 1.0,
        f"D4 | {_GRACE} G4*2 E4 | D4*2 D4 | {_GRACE} D5*3 | D5*2 B4 | D5*2 B4*.5 G4*.5 | B4*2 A4 |"
        f"G4*2 E4 | D4*2 D4 | {_GRACE} G4*3 | G4*3",
    ),
    "auld_lang_syne": Tune(
        "Auld Lang Syne",
        "traditional, Scotland; in print with this tune 1799",
        5, "major", 4, 2, 1.0,
        "C4 | F4*1.5 F4*.5 F4 A4 | G4*1.5 F4*.5 G4 A4 | F4*1.5 F4*.5 A4 C5 | D5*3 D5 |"
        f"{_AULD_END} F4*3 D5 | C5*1.5 A4*.5 A4 F4 | G4*1.5 F4*.5 G4 D5 | C5*1.5 A4*.5 A4 C5 | D5*3 D5 |"
        f"{_AULD_END} F4*4",
    ),
    "silent_night": Tune(
        "Silent Night",
        "Franz Xaver Gruber, 1818",
        0, "major", 2, 3, 1 / 3,
        "G4*1.5 A4*.5 G4 E4*3 | G4*1.5 A4*.5 G4 E4*3 | D5*2 D5 B4*3 | C5*2 C5 G4*3 |"
        "A4*2 A4 C5*1.5 B4*.5 A4 | G4*1.5 A4*.5 G4 E4*3 | A4*2 A4 C5*1.5 B4*.5 A4 | G4*1.5 A4*.5 G4 E4*3 |"
        "D5*2 D5 F5*1.5 D5*.5 B4 | C5*3 E5*3 | C5*1.5 G4*.5 E4 G4*1.5 F4*.5 D4 | C4*6",
    ),
    "tempus_adest_floridum": Tune(
        "Tempus adest floridum",
        "Piae Cantiones, 1582 (the tune of Good King Wenceslas)",
        7, "major", 4, 2, 1.0,
        f"{_TEMPUS} {_TEMPUS} D5 C5 B4 A4 | B4 A4 G4*2 | E4 D4 E4 F#4 | G4*2 G4*2 |"
        "D4 D4 E4 F#4 | G4 G4 A4*2 | D5 C5 B4 A4 | G4*2 C5*2 | G4*4",
    ),
}  # fmt: skip
