"""The pretraining sources: every instrument but the trumpet playing seeded music, rendered to files and one table.

Clips of one `score` are its voices: aligned in time and key, so that two of them mix as players of one piece
would. Splits are made by score, never by clip. Of what is rendered, a small bank is cut that ships.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from tqdm.auto import tqdm

from authoring.rendering.acoustics import add_room, record
from authoring.rendering.composition import compose
from authoring.rendering.fluidsynth import Clip, find_fluidsynth, find_soundfont, render_clips
from authoring.rendering.performance import add_chords, fit_to_range
from lass_lab.datasets.instruments import INSTRUMENTS, RENDERED, TAUGHT
from lass_lab.datasets.manifest import write_table
from lass_lab.signal.audio import SAMPLE_RATE, read_audio, write_audio
from lass_lab.signal.files import InputError, atomic_path

SPLITS = ("train", "validation", "test")
COLUMNS = ("path", "instrument", "soundfont", "score", "voice", "split", "seconds")
SEED = 0  # of the music and of how it is played
LEVEL_DB, PEAK = -20.0, 0.9
_BATCH = 8
EXCERPTS = {"train": 2, "test": 1}  # clips an instrument and SoundFont in the bank that ships
COMPRESSION = 0.8  # of OGG Vorbis; 0 is the largest file


@dataclass(frozen=True)
class SourceClip:
    """One clip to render: who plays which voice of which score, with what."""

    split: str
    score: int
    voice: int
    voices: int
    instrument: str
    soundfont: str

    @property
    def path(self) -> str:
        """Where the clip lies, relative to the bank's folder."""
        return f"{self.split}/{self.instrument.replace(' ', '_')}/{self.score:05d}-{self.voice}.wav"

    def seed(self, purpose: int) -> tuple[int, ...]:
        """A seed of its own for each clip and purpose; purpose 0 is the score, shared by its voices."""
        head = (SEED, SPLITS.index(self.split), self.score, purpose)
        return head if purpose == 0 else (*head, self.voice)


def plan_sources(
    clips: Mapping[str, int], soundfonts: Sequence[str], players: Sequence[str] = RENDERED
) -> list[SourceClip]:
    """Which clips make a bank with `clips[split]` clips per instrument and SoundFont.

    A larger bank begins with the smaller one: asking for more clips only adds to what is there.
    """
    planned = []
    for split, rounds in clips.items():
        score = 0
        for turn in range(rounds):
            rng = np.random.default_rng((SEED, SPLITS.index(split), turn, 99))
            shifts = rng.integers(len(soundfonts), size=len(players))
            for lap in range(len(soundfonts)):
                for group in _groups(rng.permutation(len(players)), rng):
                    for voice, player in enumerate(group):
                        bank = soundfonts[(shifts[player] + lap) % len(soundfonts)]
                        planned.append(SourceClip(split, score, voice, len(group), players[player], bank))
                    score += 1
    return planned


def _groups(players: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Cut a permutation of the players into ensembles of two to four."""
    sizes = []
    while sum(sizes) < len(players):
        left = len(players) - sum(sizes)
        size = int(rng.integers(2, 5))
        sizes.append(left if left <= 3 else min(size, left - 2))
    return np.split(players, np.cumsum(sizes)[:-1])


def render_sources(
    out: Path, *, clips: Mapping[str, int], soundfonts: Sequence[str], seconds: float = 30.0, workers: int = 2
) -> Path:
    """Render `clips[split]` clips per instrument and SoundFont into `out`; returns their table, out/sources.csv.

    Files are 32 kHz mono PCM_16 WAV, out/<split>/<instrument>/<score>-<voice>.wav, at about -20 dBFS RMS
    where they sound. Those to train with are heard through rooms and microphones of all kinds (see `record`), so that
    no sampler is learnt by heart; of the others half through a little room. Clips that are there already stay: a run
    that was killed goes on where it stopped, and a run that asks for more adds the rest.

    Raises InputError when `out` holds a bank of other settings, or fluidsynth or a SoundFont is missing.
    """
    find_fluidsynth()
    for name in soundfonts:
        find_soundfont(name)
    planned = plan_sources(clips, soundfonts)
    settings = json.dumps({"seconds": float(seconds), "soundfonts": list(soundfonts), "seed": SEED}) + "\n"
    if not (path := out / "settings.json").exists():
        with atomic_path(path) as temporary:
            temporary.write_text(settings)
    elif path.read_text(errors="replace") != settings:
        raise InputError(f"{path}: the folder holds sources of other settings; choose another folder")
    batches = [batch for batch in _batches(planned) if not all((out / clip.path).exists() for clip in batch)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        done = pool.map(partial(_render_batch, out, seconds=seconds), batches)
        list(tqdm(done, total=len(batches), unit="batch", desc="rendering"))
    rows = []
    for clip in planned:
        score, soundfont = f"{clip.split}-{clip.score:05d}", Path(clip.soundfont).stem
        rows.append((clip.path, clip.instrument, soundfont, score, clip.voice, clip.split, seconds))
    return write_bank(out, rows)


def write_bank(out: Path, rows: Sequence[tuple], *, recorded: bool = False) -> Path:
    """Write a bank's table, a row a clip as in `COLUMNS`, recordings with a column that says so; its path."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.assign(recorded=True) if recorded else table
    return write_table(out / "sources.csv", table.columns, table, force=True)


def _batches(planned: list[SourceClip]) -> list[list[SourceClip]]:
    """Clips to render together, whatever exists already, so that a resumed run gives the same samples."""
    banks: dict[tuple[str, str], list[SourceClip]] = {}
    for clip in planned:
        banks.setdefault((clip.split, clip.soundfont), []).append(clip)
    return [bank[start : start + _BATCH] for bank in banks.values() for start in range(0, len(bank), _BATCH)]


def _render_batch(out: Path, batch: list[SourceClip], seconds: float) -> None:
    clips = [_clip(source, seconds) for source in batch]
    sounds = render_clips(clips, batch[0].soundfont, seconds=seconds)
    for source, sound in zip(batch, sounds, strict=True):
        if (out / source.path).exists():
            continue
        rng = np.random.default_rng(source.seed(3))
        if source.split == SPLITS[0]:
            sound = record(sound, rng)
        elif rng.random() < 0.5:
            sound = add_room(sound, rng, rt60=rng.uniform(0.15, 0.6), wet_db=rng.uniform(-20, -8))
        write_audio(out / source.path, normalised(sound))


def _clip(source: SourceClip, seconds: float) -> Clip:
    score = compose(source.seed(0), seconds, voices=source.voices)
    player = INSTRUMENTS[source.instrument]
    rng = np.random.default_rng(source.seed(1))
    notes = fit_to_range(score.voices[source.voice], player, rng)
    if player.chords and rng.random() < 0.5:
        notes = add_chords(notes, score.key, player, rng)
    return Clip(notes, player, source.seed(2))


def active_rms_db(waveform: np.ndarray) -> float:
    """RMS in dBFS over the 50 ms frames within 40 dB of the loudest: (samples,) -> dB; -inf for silence."""
    size = SAMPLE_RATE // 20
    usable = waveform[: len(waveform) // size * size].astype(np.float64)
    power = np.mean(usable.reshape(-1, size) ** 2, axis=1)
    sounding = power[power > power.max() * 1e-4]
    return float(10 * np.log10(sounding.mean())) if len(sounding) else -np.inf


def normalised(waveform: np.ndarray) -> np.ndarray:
    """Scaled to -20 dBFS RMS where it sounds, or as near to it as a peak of 0.9 allows: (samples,) -> (samples,)."""
    gain = 10 ** ((LEVEL_DB - active_rms_db(waveform)) / 20)
    return (waveform * min(gain, PEAK / np.abs(waveform).max())).astype(np.float32)


def excerpt_sources(
    bank: Path, out: Path, *, clips: Mapping[str, int] = EXCERPTS, seconds: float = 12.0, force: bool = False
) -> Path:
    """Write a small bank to `out`, for fine-tuning to rehearse with and for measuring what it forgets.

    Of each taught instrument, SoundFont and split the first `clips[split]` clips, each cut to where it is loudest; in
    OGG Vorbis, about 45 kbit/s, which is 25 dB from the original. The same layout: out/sources.csv and its clips.

    Raises InputError: no bank, or (without `force`) files that are there already.
    """
    from lass_lab.datasets.mixing import SourceBank  # and with it torch, which those who render need not wait for

    parts = []
    for split, count in clips.items():
        parts.append(SourceBank(bank, split, TAUGHT).clips.groupby(["instrument", "soundfont"], sort=True).head(count))
    table = pd.concat(parts, ignore_index=True).drop(columns="folder")
    for row, path in enumerate(table["path"]):
        whole = read_audio(bank / path)
        start = loudest_start(whole, seconds)
        waveform = whole[start : start + round(seconds * SAMPLE_RATE)]
        table.loc[row, ["path", "seconds"]] = str(Path(path).with_suffix(".ogg")), len(waveform) / SAMPLE_RATE
        with atomic_path(out / table.at[row, "path"], force) as temporary:
            soundfile.write(temporary, waveform, SAMPLE_RATE, "VORBIS", format="OGG", compression_level=COMPRESSION)
    return write_table(out / "sources.csv", table.columns, table, force)


def loudest_start(waveform: np.ndarray, seconds: float) -> int:
    """The sample from which so many `seconds` have the most energy, among those on a whole second."""
    size = round(seconds * SAMPLE_RATE)
    starts = range(0, max(len(waveform) - size, 0) + 1, SAMPLE_RATE)
    return max(starts, key=lambda begin: float(np.sum(np.square(waveform[begin : begin + size]))))


def write_notes(bank: Path, excerpts: Path, *, force: bool = False) -> Path:
    """Write the notes that the clips of a bank of excerpts play, from which notebook 10 draws its films.

    Args:
        bank: the rendered sources that the excerpts were cut from.
        excerpts: the bank of excerpts, or `bank` itself; gets a notes.csv: path, onset and end in seconds of the clip,
            MIDI pitch.
        force: write over one that is there.

    Raises InputError: no bank, a clip is missing in it, or (without `force`) a file that is there already.
    """
    if not (bank / "settings.json").is_file():
        raise InputError(f"{bank}: holds no rendered sources; make them with: python -m authoring render sources")
    table = pd.read_csv(excerpts / "sources.csv")
    settings = json.loads((bank / "settings.json").read_text())
    sizes = pd.read_csv(bank / "sources.csv").groupby(["split", "instrument", "soundfont"]).size()
    planned = {clip.path: clip for clip in plan_sources(sizes.groupby("split").max(), settings["soundfonts"])}
    rows = []
    for path, seconds in zip(table["path"], table["seconds"], strict=True):
        source = planned[str(Path(path).with_suffix(".wav"))]
        start = loudest_start(read_audio(bank / source.path), seconds) / SAMPLE_RATE
        for note in _clip(source, settings["seconds"]).notes:
            onset, end = note.start_s - start, note.start_s + note.duration_s - start
            if end > 0 and onset < seconds:
                rows.append((path, round(onset, 3), round(end, 3), note.pitch))
    return write_table(excerpts / "notes.csv", ("path", "onset", "end", "pitch"), rows, force)
