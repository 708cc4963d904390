"""The shipped duets: tunes arranged for violin and trumpet, rendered to stems whose sum is the mixture.

Players take turns with the tune; whoever does not have it plays counterpoint to it. Both play in one small
room. Samples are integers throughout, so that the mixture is the sum of the stems to the last bit. The tunes are
written in `melodies.toml`, the arrangements in `duets.toml`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import librosa
import numpy as np

from authoring.rendering.acoustics import add_room
from authoring.rendering.composition import counterpoint, ladder, vary
from authoring.rendering.fluidsynth import Clip, render_clips
from authoring.rendering.performance import Event, Note, perform
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.datasets.manifest import COLUMNS, MANIFEST, write_piece, write_table
from lass_lab.signal.files import InputError, refuse_existing

PLAYERS = ("violin", "trumpet")
TRUMPET_DB = -3.0  # against the violin, RMS over the piece, as in the paper
VIOLIN_RMS_DB = -24.0
STEP = 16  # stems hold multiples of 16 (12 bits): FLAC drops the four empty bits, and data/ stays small
_PAUSE_S = 0.7
_TAIL_S = 1.2


@dataclass(frozen=True)
class Tune:
    """A melody and where it is from, as `melodies.toml` describes it."""

    title: str
    origin: str
    tonic: int
    mode: str
    beats: int
    split: int
    units: int
    text: str

    def line(self) -> list[Event]:
        """The melody, with its pick-up at the end of a bar that begins at beat 0; ValueError for a bar not full."""
        unit = 1 / self.units
        bars = [[self._note(token) for token in bar.split()] for bar in self.text.split("|")]
        total = [sum(length for _, length in bar) * unit for bar in bars]
        for number, beats in enumerate(total[1:-1], 1):
            if abs(beats - self.beats) > 1e-6:
                raise ValueError(f"{self.title}: bar {number} holds {beats:g} beats, not {self.beats}")
        beat = self.beats - total[0] if total[0] < self.beats - 1e-6 else 0.0
        events = []
        for pitch, length in (note for bar in bars for note in bar):
            if pitch is not None:
                events.append(Event(beat, length * unit, pitch))
            beat += length * unit
        return events

    def steps(self) -> list[int]:
        """Every MIDI pitch of the tune's key, lowest first."""
        return ladder(self.tonic, self.mode)

    @staticmethod
    def _note(token: str) -> tuple[int | None, float]:
        """The MIDI pitch (None for a rest) and the length in units of a note such as `F#4*2`."""
        name, _, length = token.partition("*")
        return None if name == "r" else int(librosa.note_to_midi(name)), float(length or 1)


_HERE = Path(__file__).parent
TUNES = {name: Tune(**tune) for name, tune in tomllib.loads((_HERE / "melodies.toml").read_text("utf-8")).items()}
PIECES = tomllib.loads((_HERE / "duets.toml").read_text("utf-8"))["piece"]


def arrange(piece: Mapping[str, Any]) -> tuple[dict[str, list[Note]], float]:
    """The notes of both players of one of `PIECES`, the same each time, and the length in seconds."""
    rng = np.random.default_rng((0, *piece["name"].encode()))
    notes: dict[str, list[Note]] = {player: [] for player in PLAYERS}
    now = 0.3
    for section in piece["sections"]:
        tune, leader, shift = TUNES[section["tune"]], section["leader"], section["shift"]
        steps = sorted(pitch + shift for pitch in tune.steps())
        lead = [replace(event, pitch=event.pitch + shift) for event in tune.line()]
        lead = vary(lead, steps, rng, section.get("variation", 0.0))
        follower = PLAYERS[leader == PLAYERS[0]]
        middle = int(np.median([event.pitch for event in lead])) - section["below"]
        centre = int(np.clip(middle, INSTRUMENTS[follower].low + 9, INSTRUMENTS[follower].high - 9))
        follow = counterpoint([lead], steps, rng, beats=tune.beats, split=tune.split, centre=centre)
        for player, line in ((leader, lead), (follower, follow)):
            played = perform(line, section["tempo"], steps, rng, phrase_beats=4 * tune.beats, ornaments=0.08)
            notes[player] += [replace(note, start_s=note.start_s + now) for note in played]
        now += max(event.end for event in lead) * 60 / section["tempo"] + _PAUSE_S
    return notes, now - _PAUSE_S + _TAIL_S


def render_stems(piece: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Both stems of one of `PIECES` and their sum, int16 (samples,): {"violin", "trumpet", "mixture"}.

    Raises InputError when fluidsynth or a SoundFont is missing.
    """
    notes, seconds = arrange(piece)
    rng = np.random.default_rng((0, 1, *piece["name"].encode()))
    stems = {}
    for player in PLAYERS:
        hand = (0, 2, *piece["name"].encode(), *player.encode())
        clip = Clip(notes[player], INSTRUMENTS[player], hand)
        dry = render_clips([clip], piece[player], seconds=seconds)[0]
        wet = add_room(dry, rng, rt60=piece["rt60"], wet_db=-13).astype(np.float64)
        level = VIOLIN_RMS_DB + (TRUMPET_DB if player == "trumpet" else 0)
        wet *= 10 ** (level / 20) / np.sqrt(np.mean(wet**2))
        stems[player] = (np.rint(wet * 32768 / STEP) * STEP).astype(np.int32)
    stems["mixture"] = stems["violin"] + stems["trumpet"]
    peak = max(int(np.abs(stem).max()) for stem in stems.values())
    if peak > 32767:
        raise InputError(f"{piece['name']}: the mixture would clip (peak {peak / 32768:.2f})")
    return {name: stem.astype(np.int16) for name, stem in stems.items()}


def make_duets(out: Path, force: bool = False) -> Path:
    """Render every duet into out/duets/<piece>/ and write out/manifest.csv, whose path is returned.

    Raises InputError when a file is there already and `force` is False, or fluidsynth or a SoundFont is missing.
    """
    rows = []
    refuse_existing([out / MANIFEST], force)
    for piece in PIECES:
        rows += write_piece(out, piece["name"], piece["title"], piece["split"], render_stems(piece), force)
    return write_table(out / MANIFEST, COLUMNS, rows, force)
