"""SoundFonts of FreePats, an older sampler's sounds (Gravis Ultrasound patches)."""

import math
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from authoring.rendering.soundfonts import PACKAGES, Region, fetch, make_soundfonts

_URL = "https://registry.npmjs.org/freepats/-/freepats-1.0.3.tgz"
_SHA1 = "40ee23003a6265b41d15305f5c797b6647c3601e"
# Lengths in bytes of a patch file's headers, the offset of the number of samples, and a sample's fields.
_HEADERS, _COUNT_AT, _SAMPLE_HEADER = 129 + 63 + 47, 129 + 63 + 6, 96
_FIELDS = struct.Struct("<8xIIIH4xII")
_MODES_AT, _WIDE, _UNSIGNED, _LOOPED = 55, 1, 2, 4


@dataclass(frozen=True)
class PatchSample:
    """One recording of a patch: `waveform` (samples,) float32 at `rate` Hz; frequencies in Hz; loop in samples."""

    waveform: np.ndarray
    rate: int
    highest: float
    root: float
    loop: tuple[int, int] | None


def make_freepats(out: Path) -> Path:
    """Fetch FreePats and write the SoundFonts, as `make_soundfonts` does.

    Raises:
        InputError: the package cannot be fetched, or is not what was published.
    """
    with tempfile.TemporaryDirectory() as fetched:
        patches = PACKAGES["freepats"].items()
        return make_soundfonts(out, {name: partial(_fetch, patch, Path(fetched)) for name, patch in patches})


def _fetch(patch: str, fetched: Path, folder: Path) -> list[Region]:
    path = next(path for path in fetch(_URL, _SHA1, fetched) if path.name == f"{patch}.pat")
    return _keyboard(path.read_bytes(), folder)


def read_patch(data: bytes) -> Iterator[PatchSample]:
    """The recordings of a Gravis Ultrasound patch file (format "GF1PATCH110")."""
    at = _HEADERS
    for _ in range(data[_COUNT_AT]):
        size, start, end, rate, *hertz = _FIELDS.unpack_from(data, at)
        modes = data[at + _MODES_AT]
        at += _SAMPLE_HEADER
        width = 2 if modes & _WIDE else 1
        full = 2 ** (8 * width - 1)
        waveform = np.frombuffer(data, f"<i{width}", size // width, at).astype(np.float32)
        if modes & _UNSIGNED:
            waveform = np.where(waveform < 0, waveform + full, waveform - full)
        at += size
        loop = (start // width, min(end, size) // width - 1) if modes & _LOOPED else None
        yield PatchSample(waveform / full, rate, *(milli / 1000 for milli in hertz), loop)


def _keyboard(patch: bytes, folder: Path) -> list[Region]:
    """Write the patch's recordings as WAV into `folder`; each plays the keys up to the top of its own range."""
    samples = sorted(read_patch(patch), key=lambda sample: sample.highest)
    regions, low = [], 0
    for index, sample in enumerate(samples):
        high = 127 if sample is samples[-1] else min(127, math.floor(_key(sample.highest)))
        if high < low:
            continue  # another recording plays its keys
        center = round(_key(sample.root))
        soundfile.write(folder / f"{index}.wav", sample.waveform, sample.rate, "PCM_16")
        cents = round(100 * (_key(sample.root) - center))
        regions.append(Region(f"{index}.wav", low, high, center, cents, sample.loop))
        low = high + 1
    return regions


def _key(hertz: float) -> float:
    """The MIDI note, with fractions, of a frequency."""
    return 69 + 12 * math.log2(hertz / 440)
