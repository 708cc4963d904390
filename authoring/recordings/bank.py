"""A bank of sources made of recordings: players of recorded notes, phrases, everyday sounds; all of it for training.

Like the banks of `rendering.sources`: clips at 32 kHz, and `sources.csv`, with a column more: `recorded`.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from multiprocessing import get_context
from pathlib import Path, PurePath

import librosa
import numpy as np
from scipy.signal import butter, resample_poly, sosfilt
from tqdm.auto import tqdm

from authoring.recordings.pack import read_pack, read_sound
from authoring.recordings.player import Player, Recording
from authoring.rendering.acoustics import record
from authoring.rendering.composition import compose
from authoring.rendering.performance import add_chords, fit_to_range
from authoring.rendering.sources import SourceClip, normalised, plan_sources, write_bank
from lass_lab.datasets.instruments import EVERYDAY, INSTRUMENTS, SINGER, Instrument
from lass_lab.signal.audio import SAMPLE_RATE, amplitude, audio_info, write_audio

ARTICULATIONS = ("non-vibrato", "molto-vibrato", "pizz-normal")  # in the file's name; a player keeps to one
FEWEST = 6  # notes that make a player
BACKGROUND, PERCUSSION = "everyday", "percussion"  # sounds without a name that is asked for
SOUND_S = 12.0  # of a clip of everyday sounds
ELECTRIC = "electric guitar"


@dataclass(frozen=True)
class SoundClip:
    """A clip that is no music: which class of sounds, the number among its clips, and the files it is made of."""

    name: str
    number: int
    files: tuple[str, ...]

    @property
    def path(self) -> str:
        return f"train/{self.name.replace(' ', '_')}/sound-{self.number:04d}.wav"


def make_bank(pack: Path, out: Path, *, clips: int = 32, seconds: float = 30.0, workers: int = 2) -> Path:
    """Make the bank of recorded sources in `out`, of the pack's files below `pack`; returns out/sources.csv.

    Each instrument that somebody recorded plays `clips` clips of seeded music; every recorded phrase is a clip of its
    own; each class of everyday sounds has as many clips of 12 s. Clips that are there stay: a killed run goes on.

    Raises:
        InputError: a file of the pack is missing.
    """
    names = [name for name in (*INSTRUMENTS, SINGER.name) if players_of(name)]
    music = plan_sources({"train": clips}, ["players"], names)
    phrases = [SoundClip(row.instrument, row.Index, (row.path,)) for row in read_pack("phrase").itertuples()]
    sounds = [SoundClip(name, number, files) for name, files in sound_files().items() for number in range(clips)]
    by_player = sorted(music, key=lambda clip: (clip.instrument, clip.score))
    rows: list[tuple] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for kind, make, planned in (
            ("playing", partial(_play, pack, out, seconds), by_player),
            ("phrases", partial(_phrase, pack, out), phrases),
            ("sounds", partial(_sound, pack, out), sounds),
        ):
            done = pool.map(make, planned, chunksize=4)
            rows += tqdm(done, total=len(planned), unit="clip", desc=kind)
    return write_bank(out, rows, recorded=True)


@cache
def players_of(name: str) -> dict[str, tuple[tuple[str, float], ...]]:
    """Who recorded notes of an instrument: player -> (path, pitch) of each note."""
    table = read_pack("note", "voice")
    mine = table[table["instrument"] == name].dropna(subset=["midi"] if name != SINGER.name else [])
    players: dict[str, list[tuple[str, float]]] = {}
    for row in mine.itertuples():
        path = PurePath(row.path)
        articulation = next((each for each in ARTICULATIONS if each in path.stem), "")
        voice = path.stem.split("_")[0] if name == SINGER.name else ""  # femalevoice, malevoice
        named = path.stem.split("_")[-1]  # such as `Db4` or `C#4`
        pitch = row.midi if row.midi == row.midi else float(librosa.note_to_midi(named))
        players.setdefault(f"{path.parent}{articulation}{voice}", []).append((row.path, pitch))
    return {player: tuple(notes) for player, notes in players.items() if len(notes) >= FEWEST}


def sound_files() -> dict[str, tuple[str, ...]]:
    """The files of each class of everyday sounds, of the background and of percussion."""
    table = read_pack("everyday", "percussion")
    named = table.assign(name=table["instrument"].where(table["kind"] == "everyday", PERCUSSION))
    groups = named.groupby("name")["path"]
    return {name: tuple(paths) for name, paths in groups if name in (*EVERYDAY, BACKGROUND, PERCUSSION)}


@lru_cache(maxsize=4)  # clips come by instrument, and none was recorded by more players
def load_player(pack: Path, name: str, player: str, instrument: Instrument) -> Player:
    """A player and all of its notes, decoded."""
    notes = [Recording(_trimmed(read_sound(pack, path)), pitch) for path, pitch in players_of(name)[player]]
    return Player(instrument, tuple(notes))


def _trimmed(waveform: np.ndarray) -> np.ndarray:
    """Without what lies under -60 dB of the peak at both ends."""
    loud = np.flatnonzero(np.abs(waveform) > np.abs(waveform).max() * amplitude(-60))
    return waveform[loud[0] : loud[-1] + 1]


def _play(pack: Path, out: Path, seconds: float, clip: SourceClip) -> tuple:
    score = f"{clip.split}-{clip.score:05d}"
    row = (clip.path, clip.instrument, "players", score, clip.voice, clip.split, seconds)
    if (out / clip.path).exists():
        return row
    rng = np.random.default_rng((7, *clip.seed(1)))
    instrument = SINGER if clip.instrument == SINGER.name else INSTRUMENTS[clip.instrument]
    known = players_of(clip.instrument)
    sizes = np.sqrt([len(notes) for notes in known.values()])
    player = load_player(pack, clip.instrument, str(rng.choice(list(known), p=sizes / sizes.sum())), instrument)
    low, high = player.range
    written = compose(clip.seed(0), seconds, voices=clip.voices)
    playable = replace(instrument, low=low, high=max(high, low + 12))
    notes = fit_to_range(written.voices[clip.voice], playable, rng)
    stops = 0.2 if instrument.family == "bowed strings" else 0.5 if instrument.chords else 0.0
    if rng.random() < stops:
        notes = add_chords(notes, written.key, playable, rng)
    sound = player.play(notes, seconds, rng)
    if clip.instrument == ELECTRIC and rng.random() < 0.5:
        sound = distorted(sound, rng)
    write_audio(out / clip.path, normalised(record(sound, rng)))
    return row


def distorted(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An electric guitar through an overdriven amplifier: `(samples,)` -> `(samples,)`.

    A soft limiter, four times oversampled so that its overtones do not fold back, and a loudspeaker's treble.
    """
    drive = amplitude(rng.uniform(10, 40)) / np.sqrt(np.mean(np.square(sound)) + 1e-12)
    wide = resample_poly(sound, 4, 1)
    limited = resample_poly(np.tanh(drive * wide + rng.uniform(0, 0.3)), 1, 4)[: len(sound)]
    speaker = butter(2, [70, rng.uniform(3500, 6500)], "bandpass", fs=SAMPLE_RATE, output="sos")
    return sosfilt(speaker, limited).astype(np.float32)


def _phrase(pack: Path, out: Path, clip: SoundClip) -> tuple:
    return _kept(out, clip, lambda: read_sound(pack, clip.files[0]))


def _sound(pack: Path, out: Path, clip: SoundClip) -> tuple:
    rng = np.random.default_rng((11, clip.number, *clip.name.encode()))
    return _kept(out, clip, lambda: record(scene(pack, clip, rng), rng))


def scene(pack: Path, clip: SoundClip, rng: np.random.Generator) -> np.ndarray:
    """12 s of a class's sounds: one recording after the other, each at its own speed and place, some at once."""
    sound = np.zeros(round(SOUND_S * SAMPLE_RATE), np.float32)
    dense = clip.name == PERCUSSION
    start = 0
    beat = round(rng.uniform(0.2, 0.6) * SAMPLE_RATE)
    kit = rng.choice(clip.files, 4)
    while start < len(sound):
        waveform = read_sound(pack, str(rng.choice(kit if dense else clip.files)))
        speed = int(np.clip(rng.normal(100, 8), 80, 125))
        waveform = resample_poly(waveform, 100, speed) if speed != 100 else waveform
        waveform = waveform * amplitude(rng.uniform(-6, 0)) / max(np.abs(waveform).max(), 1e-4)
        part = waveform[: len(sound) - start]
        sound[start : start + len(part)] += part
        if dense:
            start += beat * int(rng.choice((1, 1, 2, 4))) // 2
        else:
            start += round(len(waveform) * rng.uniform(0.5, 1.0))
    return sound


def _kept(out: Path, clip: SoundClip, make: Callable[[], np.ndarray]) -> tuple:
    path = out / clip.path
    if not path.exists():
        write_audio(path, normalised(make()))
    seconds = audio_info(path).frames / SAMPLE_RATE
    return (clip.path, clip.name, "recordings", f"train-{clip.name}-{clip.number}", 0, "train", seconds)
