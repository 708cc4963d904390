"""The shipped duets: tunes arranged for violin and trumpet, rendered to stems whose sum is the mixture.

Players take turns with the tune; whoever does not have it plays counterpoint to it. Both play in one small
room. Samples are integers throughout, so that the mixture is the sum of the stems to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from authoring.rendering.composition import counterpoint, vary
from authoring.rendering.fluidsynth import Clip, add_room, find_soundfont, render_clips
from authoring.rendering.melodies import TUNES
from authoring.rendering.performance import Event, Note, perform
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.datasets.manifest import COLUMNS, MANIFEST, stem_path, write_piece, write_table
from lass_lab.signal.files import InputError, refuse_existing

PLAYERS = ("violin", "trumpet")
TRUMPET_DB = -3.0  # against the violin, RMS over the piece, as in the paper
VIOLIN_RMS_DB = -24.0
STEP = 16  # stems hold multiples of 16 (12 bits): FLAC drops the four empty bits, and data/ stays small
_PAUSE_S = 0.7
_TAIL_S = 1.2


@dataclass(frozen=True)
class Section:
    """One time through a tune: who leads, in which key, how fast, how freely.

    shift: semitones from the written key. tempo: beats a minute. variation: chance that a longer note is
    broken up. below: semitones from the leader's middle down to the follower's (negative: above).
    """

    tune: str
    leader: str
    shift: int
    tempo: float
    variation: float = 0.0
    below: int = 8


@dataclass(frozen=True)
class Arrangement:
    """A piece: its name, title, split, sections, and the SoundFont of each player."""

    name: str
    title: str
    split: str
    sections: tuple[Section, ...]
    violin: str
    trumpet: str
    rt60: float


_FLUID, _MUSE, _TIM = "FluidR3_GM", "MuseScore_General", "TimGM6mb"
ARRANGEMENTS = (
    Arrangement(
        "joy",
        "Ode to Joy and Minuet",
        "train",
        (
            Section("ode_to_joy", "violin", 12, 123, below=9),
            Section("ode_to_joy", "trumpet", 5, 127, 0.2, below=-7),
            Section("minuet_in_g", "violin", 0, 153, below=7),
            Section("minuet_in_g", "trumpet", -5, 146, 0.25, below=-8),
            Section("ode_to_joy", "violin", 3, 134, 0.35, below=-4),
        ),
        _FLUID,
        _FLUID,
        0.35,
    ),
    Arrangement(
        "greensleeves",
        "Greensleeves and Amazing Grace",
        "train",
        (
            Section("greensleeves", "trumpet", -2, 59, below=-7),
            Section("greensleeves", "violin", 5, 57, 0.3, below=9),
            Section("amazing_grace", "violin", 5, 93, below=7),
            Section("amazing_grace", "trumpet", 0, 98, 0.3, below=-5),
            Section("greensleeves", "violin", -5, 61, 0.3, below=-3),
        ),
        _MUSE,
        _MUSE,
        0.45,
    ),
    Arrangement(
        "auld-lang-syne",
        "Auld Lang Syne and Silent Night",
        "test",
        (
            Section("auld_lang_syne", "violin", 7, 106, below=8),
            Section("auld_lang_syne", "trumpet", 2, 110, 0.2, below=-7),
            Section("silent_night", "trumpet", 0, 53, below=-6),
            Section("silent_night", "violin", 10, 51, 0.3, below=9),
            Section("auld_lang_syne", "violin", 0, 108, 0.3, below=-4),
        ),
        _FLUID,
        _MUSE,
        0.3,
    ),
    Arrangement(
        "tempus",
        "Tempus adest floridum",
        "out-of-domain",
        (
            Section("tempus_adest_floridum", "violin", 5, 132, below=8),
            Section("tempus_adest_floridum", "trumpet", 0, 138, 0.3, below=-7),
        ),
        _TIM,
        _TIM,
        0.4,
    ),
)


def arrange(arrangement: Arrangement, seed: int = 0) -> tuple[dict[str, list[Note]], float]:
    """The notes of both players, and the length in seconds. The same seed gives the same notes."""
    rng = np.random.default_rng((seed, *arrangement.name.encode()))
    notes: dict[str, list[Note]] = {player: [] for player in PLAYERS}
    now = 0.3
    for section in arrangement.sections:
        tune = TUNES[section.tune]
        steps = sorted(pitch + section.shift for pitch in tune.steps())
        lead = [replace(event, pitch=event.pitch + section.shift) for event in tune.line()]
        lead = vary(lead, steps, rng, section.variation)
        follower = PLAYERS[section.leader == PLAYERS[0]]
        follow = counterpoint(
            [lead],
            steps,
            rng,
            beats=tune.beats,
            split=tune.split,
            centre=_centre(lead, section.below, follower),
        )
        for player, line in ((section.leader, lead), (follower, follow)):
            played = perform(line, section.tempo, steps, rng, phrase_beats=4 * tune.beats, ornaments=0.08)
            notes[player] += [replace(note, start_s=note.start_s + now) for note in played]
        now += max(event.end for event in lead) * 60 / section.tempo + _PAUSE_S
    return notes, now - _PAUSE_S + _TAIL_S


def _centre(lead: list[Event], below: int, follower: str) -> int:
    player = INSTRUMENTS[follower]
    middle = int(np.median([event.pitch for event in lead])) - below
    return int(np.clip(middle, player.low + 9, player.high - 9))


def render_stems(arrangement: Arrangement, seed: int = 0) -> dict[str, np.ndarray]:
    """Both stems and their sum, int16 (samples,): {"violin", "trumpet", "mixture"}.

    Raises RenderError when fluidsynth or a SoundFont is missing.
    """
    notes, seconds = arrange(arrangement, seed)
    rng = np.random.default_rng((seed, 1, *arrangement.name.encode()))
    stems = {}
    for player in PLAYERS:
        hand = (seed, 2, *arrangement.name.encode(), *player.encode())
        clip = Clip(notes[player], INSTRUMENTS[player], hand)
        dry = render_clips([clip], getattr(arrangement, player), seconds=seconds)[0]
        wet = add_room(dry, rng, rt60=arrangement.rt60, wet_db=-13).astype(np.float64)
        level = VIOLIN_RMS_DB + (TRUMPET_DB if player == "trumpet" else 0)
        wet *= 10 ** (level / 20) / np.sqrt(np.mean(wet**2))
        stems[player] = (np.rint(wet * 32768 / STEP) * STEP).astype(np.int32)
    stems["mixture"] = stems["violin"] + stems["trumpet"]
    peak = max(int(np.abs(stem).max()) for stem in stems.values())
    if peak > 32767:
        raise InputError(f"{arrangement.name}: the mixture would clip (peak {peak / 32768:.2f})")
    return {name: stem.astype(np.int16) for name, stem in stems.items()}


def make_duets(out: str | Path, force: bool = False, seed: int = 0) -> Path:
    """Render every duet into out/duets/<piece>/ and write out/manifest.csv, whose path is returned.

    Raises InputError when a file is there already and `force` is False, RenderError when fluidsynth or a
    SoundFont is missing.
    """
    out = Path(out)
    for arrangement in ARRANGEMENTS:
        for player in PLAYERS:
            find_soundfont(getattr(arrangement, player))
        stems = (stem_path(out, arrangement.name, name) for name in (*PLAYERS, "mixture"))
        refuse_existing((out / MANIFEST, *stems), force)
    rows = []
    for arrangement in ARRANGEMENTS:
        stems = render_stems(arrangement, seed)
        rows += write_piece(out, arrangement.name, arrangement.title, arrangement.split, stems, force)
    return write_table(out / MANIFEST, COLUMNS, rows, force)
