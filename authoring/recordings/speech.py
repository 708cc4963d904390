"""A bank of speech: public-domain sentences (`speech.txt`), read by the free voices of Debian's packages.

`apt install flite festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts espeak-ng`.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from authoring.rendering.acoustics import record
from authoring.rendering.sources import normalised, write_bank
from lass_lab.signal.audio import SAMPLE_RATE, read_audio, write_audio
from lass_lab.signal.files import InputError

SENTENCES = [
    line for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"
]
CLIP_S = 15.0
FLITE = ("kal16", "awb", "rms", "slt")
FESTIVAL = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
ESPEAK = tuple(
    f"{accent}+{voice}"
    for accent in ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp")
    for voice in ("m1", "m3", "m4", "m7", "f1", "f2", "f4", "klatt2")
)


def make_speech(out: Path, *, clips: int = 160, workers: int = 2) -> Path:
    """Read `clips` clips of 15 s into the bank `out`, by a voice each; returns out/sources.csv. A killed run goes on.

    Raises InputError where a program is missing or fails.
    """
    for program in ("flite", "text2wave", "espeak-ng"):
        if shutil.which(program) is None:
            raise InputError(f"{program}: command not found; apt install flite festival espeak-ng")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        rows = list(tqdm(pool.map(partial(_read_clip, out), range(clips)), total=clips, unit="clip", desc="reading"))
    return write_bank(out, rows, recorded=True)


def _read_clip(out: Path, number: int) -> tuple:
    rng = np.random.default_rng((13, number))
    program = (_flite, _festival, _espeak)[rng.choice(3, p=(0.4, 0.2, 0.4))]
    speaks = program(rng)
    path = f"train/speech/{number:05d}.wav"
    if not (out / path).exists():
        parts: list[np.ndarray] = []
        while sum(map(len, parts)) < CLIP_S * SAMPLE_RATE:
            parts.append(_spoken(speaks, str(rng.choice(SENTENCES))))
            parts.append(np.zeros(round(rng.uniform(0.1, 0.6) * SAMPLE_RATE), np.float32))
        sound = np.concatenate(parts)[: round(CLIP_S * SAMPLE_RATE)]
        write_audio(out / path, normalised(record(sound, rng)))
    return (path, "speech", program.__name__[1:], f"train-speech-{number}", 0, "train", CLIP_S)


def _spoken(speaks: Callable[[Path, Path], list[str]], sentence: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        text, sound = Path(folder, "text"), Path(folder, "sound.wav")
        text.write_text(sentence)
        command = speaks(text, sound)
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode or not sound.is_file():
            raise InputError(f"{command[0]}: could not read a sentence ({run.stderr.strip()[-200:] or 'no message'})")
        return read_audio(sound)


def _flite(rng: np.random.Generator) -> Callable[[Path, Path], list[str]]:
    voice, stretch = str(rng.choice(FLITE)), rng.uniform(0.85, 1.25)
    higher = {"slt": 180, "kal16": 105, "awb": 130, "rms": 100}[voice] * rng.uniform(0.85, 1.25)
    settings = ["--setf", f"duration_stretch={stretch:.2f}", "--setf", f"int_f0_target_mean={higher:.0f}"]
    return lambda text, sound: ["flite", "-voice", voice, *settings, "-f", str(text), "-o", str(sound)]


def _festival(rng: np.random.Generator) -> Callable[[Path, Path], list[str]]:
    voice, stretch = str(rng.choice(FESTIVAL)), rng.uniform(0.85, 1.25)
    settings = f"(begin (voice_{voice}) (Parameter.set 'Duration_Stretch {stretch:.2f}))"
    return lambda text, sound: ["text2wave", "-eval", settings, "-o", str(sound), str(text)]


def _espeak(rng: np.random.Generator) -> Callable[[Path, Path], list[str]]:
    settings = ["-v", str(rng.choice(ESPEAK)), "-p", str(rng.integers(25, 76)), "-s", str(rng.integers(130, 200))]
    return lambda text, sound: ["espeak-ng", *settings, "-f", str(text), "-w", str(sound)]
