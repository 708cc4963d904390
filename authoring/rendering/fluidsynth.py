"""Notes to sound: a MIDI file written by mido, played by the `fluidsynth` command with a SoundFont.

Beyond the notes, a player's hand: vibrato that sets in after the attack, swells, intonation a few cents off.
Clips are laid end to end in one MIDI file, because loading a SoundFont costs more than playing it.
"""

import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from mido import Message, MidiFile

from authoring.rendering.performance import Note
from lass_lab.datasets.instruments import Instrument
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError

_FOLDERS = ("/usr/share/sounds/sf2", "/usr/share/sounds/sf3", "/usr/share/soundfonts")
_DEBIAN = "fluidsynth fluid-soundfont-gm musescore-general-soundfont timgm6mb-soundfont"
_INSTALL = f"install it with 'apt install {_DEBIAN}' or 'brew install fluid-synth'"
_BLOCK = 64 / SAMPLE_RATE  # seconds: fluidsynth acts on events once a block
_TICKS_PER_SECOND = 2_000
_GAP_S = 1.0
_BEND_RANGE = 200.0  # cents either way: the General MIDI default


@dataclass(frozen=True)
class Clip:
    """What one player plays: the notes, the instrument, and a seed for everything the notes leave open."""

    notes: Sequence[Note]
    instrument: Instrument
    seed: int | Sequence[int]


def find_soundfont(name: str) -> Path:
    """The file of a SoundFont such as "FluidR3_GM" (or a path to one).

    Looks in $LASS_LAB_SOUNDFONTS first, then where systems keep them. Raises InputError when it is nowhere.
    """
    folders = (os.environ.get("LASS_LAB_SOUNDFONTS", _FOLDERS[0]), *_FOLDERS)
    paths = [Path(folder, f"{name}{suffix}").expanduser() for folder in folders for suffix in (".sf2", ".sf3")]
    for path in (Path(name), *paths):
        if path.is_file():
            return path
    raise InputError(f"{name}: no such SoundFont here; {_INSTALL}, or name its folder in LASS_LAB_SOUNDFONTS")


def find_fluidsynth() -> str:
    """The fluidsynth command. Raises InputError, saying what to install, when it is missing."""
    command = shutil.which("fluidsynth")
    if command is None:
        raise InputError(f"fluidsynth: command not found; {_INSTALL}")
    return command


def render_clips(clips: Sequence[Clip], soundfont: str, *, seconds: float) -> list[np.ndarray]:
    """Clips of equal length by one run of fluidsynth, dry; each float32 (round(seconds * 32000),).

    The same clips in the same order give the same samples. In another order the first 2 ms of a note may
    differ: fluidsynth's voices remember the last level they had.

    Raises InputError when fluidsynth or the SoundFont is missing, when it fails, or when a clip is silent.
    """
    command, bank = find_fluidsynth(), find_soundfont(soundfont)
    stride = math.ceil((seconds + _GAP_S) / _BLOCK) * _BLOCK
    messages = []
    for index, clip in enumerate(clips):
        messages += _messages(clip, index * stride, seconds)
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder) / "score.mid", Path(folder) / "sound.wav"
        _midi_file(messages).save(score)
        options = ["audio.file.type=wav", "audio.file.format=float", "synth.dynamic-sample-loading=1"]
        options += [f"synth.sample-rate={SAMPLE_RATE}", "synth.gain=0.5", "synth.reverb.active=0"]
        # Without the last one, a SoundFont that cannot be read is silently replaced by the system's default.
        options += ["synth.chorus.active=0", "synth.default-soundfont="]
        flags = [part for option in options for part in ("-o", option)]
        run = subprocess.run(
            [command, "-n", "-i", "-q", *flags, "-F", str(sound), str(bank), str(score)],
            capture_output=True,
            text=True,
        )
        if run.returncode or not sound.is_file() or "not a SoundFont" in run.stderr or "error:" in run.stderr:
            fault = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise InputError(f"{bank}: fluidsynth could not play it ({fault})")
        stereo, _ = soundfile.read(sound, dtype="float32", always_2d=True)
    mono = stereo.mean(axis=1)
    length = round(seconds * SAMPLE_RATE)
    sounds = []
    for index, clip in enumerate(clips):
        start = round(index * stride * SAMPLE_RATE)
        played = mono[start : start + length]
        sounds.append(np.pad(played, (0, length - len(played))))
        if clip.notes and np.abs(played).max(initial=0) < 1e-4:
            raise InputError(f"{bank}: its {clip.instrument.name} is silent on the notes asked for")
    return sounds


def _messages(clip: Clip, offset: float, seconds: float) -> list[tuple[float, int, Message]]:
    """(time in seconds, order among the simultaneous, message) for one clip that begins at `offset`."""
    rng = np.random.default_rng(clip.seed)
    out = [
        (offset, 0, Message("control_change", control=121, value=0)),
        (offset, 1, Message("program_change", program=clip.instrument.program)),
        (offset, 2, Message("control_change", control=7, value=110)),
        # Nothing may ring into the next clip.
        (offset + seconds, 9, Message("control_change", control=120, value=0)),
    ]
    for note in clip.notes:
        if note.start_s >= seconds:
            continue  # it would begin after all sound is off, and never end
        start, end = offset + note.start_s, offset + min(note.start_s + note.duration_s, seconds)
        out.append((start, 5, Message("note_on", note=note.pitch, velocity=note.velocity)))
        # Ends sort before beginnings: a repeated pitch is struck anew, not cut off.
        out.append((end, 4, Message("note_off", note=note.pitch)))
    for time, cents in _pitch_curve(clip, seconds, rng):
        bend = int(np.clip(round(cents / _BEND_RANGE * 8192), -8192, 8191))
        out.append((offset + time, 3, Message("pitchwheel", pitch=bend)))
    for time, value in _swell_curve(clip, seconds, rng):
        out.append((offset + time, 3, Message("control_change", control=11, value=value)))
    return out


def _pitch_curve(clip: Clip, seconds: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """(seconds, cents): one detuning per clip; with vibrato, also an intonation per note."""
    detune = rng.normal(0, 5)
    if not clip.instrument.vibrato:
        return [(0.0, detune)]
    depth, rate = clip.instrument.vibrato * rng.uniform(0.2, 1.5), rng.uniform(4.3, 6.8)
    step = 0.01
    curve = np.full(math.ceil(seconds / step), detune)
    for note in clip.notes:
        first = int(note.start_s / step)
        time = np.arange(len(curve[first : first + int(note.duration_s / step)])) * step
        if not len(time):
            continue
        onset = np.clip((time - rng.uniform(0.1, 0.3)) / 0.3, 0, 1)
        wave = np.sin(2 * np.pi * rate * rng.uniform(0.93, 1.07) * time + rng.uniform(0, 2 * np.pi))
        curve[first : first + len(time)] = detune + rng.normal(0, 4) + depth * onset * wave
    return _changes(curve, step, 0.4)


def _swell_curve(clip: Clip, seconds: float, rng: np.random.Generator) -> list[tuple[float, int]]:
    """(seconds, expression 0-127): flat for struck and plucked tones, else slow waves and hairpins."""
    if not clip.instrument.sustained:
        return [(0.0, 112)]
    step = 0.04
    time = np.arange(math.ceil(seconds / step)) * step
    size = rng.uniform(2, 14)
    curve = 100 + size * np.sin(2 * np.pi * rng.uniform(0.07, 0.3) * time + rng.uniform(0, 2 * np.pi))
    for note in clip.notes:
        if note.duration_s < 0.7:
            continue
        first = int(note.start_s / step)
        span = len(curve[first : first + int(note.duration_s / step)])
        shape = np.sin(np.pi * np.linspace(0, 1, span) ** rng.uniform(0.6, 1.6))
        curve[first : first + span] += (shape - 0.6) * rng.uniform(-8, 24)
    return [(when, int(value)) for when, value in _changes(np.clip(np.round(curve), 30, 127), step, 1.0)]


def _changes(curve: np.ndarray, step: float, least: float) -> list[tuple[float, float]]:
    """The curve as (seconds, value), without points less than `least` away from the last one kept."""
    kept = [(0.0, float(curve[0]))]
    for index, value in enumerate(curve):
        if abs(value - kept[-1][1]) >= least:
            kept.append((index * step, float(value)))
    return kept


def _midi_file(timed: list[tuple[float, int, Message]]) -> MidiFile:
    midi = MidiFile(type=0, ticks_per_beat=_TICKS_PER_SECOND // 2)
    track, now = midi.add_track(), 0
    # In the middle of a block no rounding moves an event to another one: clips keep their time wherever they lie.
    blocks = ((math.floor(time / _BLOCK + 1e-6), order, message) for time, order, message in timed)
    for block, _, message in sorted(blocks, key=lambda entry: entry[:2]):
        tick = round((block + 0.5) * _BLOCK * _TICKS_PER_SECOND)
        track.append(message.copy(time=tick - now))
        now = tick
    return midi
