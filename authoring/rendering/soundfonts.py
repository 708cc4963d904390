"""A SoundFont for each instrument, which FluidSynth plays like any other: of recorded single notes, or of old patches.

The samples are fetched from the npm registry (`soundfonts.toml` lists them) and put together by Polyphone.
"""

import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pooch
import soundfile
from tqdm.auto import tqdm

from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.signal.files import InputError, atomic_path

PACKAGES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_REGISTRY = "https://registry.npmjs.org/{name}/-/{name}-{version}.tgz"
_NOTE = re.compile(r"([A-G]s?)(\d)")
_TONES = ("C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B")
_SFZ, _RELEASE_S = "notes.sfz", 0.25  # recordings end where the player stopped: notes released earlier must fade


@dataclass(frozen=True)
class Region:
    """Keys that one recording plays.

    sample: its WAV file. low, high: the MIDI notes, both included. center, cents: the note that it is of, and how far
    above it. loop: the first and the last sample of what is repeated while the key is held; None plays it once.
    """

    sample: str
    low: int
    high: int
    center: int
    cents: int = 0
    loop: tuple[int, int] | None = None

    def __str__(self) -> str:
        opcodes = f"sample={self.sample} lokey={self.low} hikey={self.high} pitch_keycenter={self.center}"
        opcodes += f" tune={-self.cents} ampeg_release={_RELEASE_S:g}"
        if self.loop:
            opcodes += f" loop_mode=loop_continuous loop_start={self.loop[0]} loop_end={self.loop[1]}"
        return f"<region> {opcodes}"


def fetch(url: str, sha1: str, folder: Path) -> list[Path]:
    """Download the archive at `url` into `folder` and unpack it there, once; returns its files.

    Raises InputError when it cannot be downloaded, or does not have the published hash.
    """
    try:
        return [Path(path) for path in pooch.retrieve(url, f"sha1:{sha1}", "notes.tgz", folder, pooch.Untar())]
    except (OSError, ValueError) as error:
        raise InputError(f"{url}: cannot be fetched ({error})") from error


def make_soundfonts(out: Path, unpack: Mapping[str, Callable[[Path], Sequence[Region]]]) -> Path:
    """Write `out/<instrument>.sf2`, for `render_sources` to play; existing files stay, and nothing is half-written.

    Args:
        unpack: for each instrument, a function that writes its samples into the given folder and returns their keys.

    Raises:
        InputError: Polyphone is missing or fails.
    """
    if shutil.which("polyphone") is None:
        raise InputError("polyphone: command not found; 'apt install polyphone', or see https://www.polyphone.io")
    for instrument, regions in tqdm(unpack.items(), unit="instrument"):
        path = out / f"{INSTRUMENTS[instrument].folder}.sf2"
        if not path.exists():
            with tempfile.TemporaryDirectory() as folder, atomic_path(path) as temporary:
                shutil.move(_put_together(Path(folder), regions(Path(folder))), temporary)
    return out


def _put_together(folder: Path, regions: Sequence[Region]) -> Path:
    """The SoundFont of the regions, whose samples lie in `folder`."""
    (folder / _SFZ).write_text("".join(f"{region}\n" for region in regions))
    run = subprocess.run(
        ["polyphone", "-1", "-i", _SFZ, "-d", ".", "-o", "notes"],
        cwd=folder,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
    )
    made = folder / "notes.sf2"
    if run.returncode or not made.is_file():
        fault = (run.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(f"{folder}: polyphone made no SoundFont ({fault})")
    return made


def make_recorded_notes(out: Path) -> Path:
    """Fetch the notes and write the SoundFonts, as `make_soundfonts` does.

    Raises:
        InputError: a package cannot be fetched, or is not what was published.
    """
    packages = PACKAGES["recorded-notes"].items()
    return make_soundfonts(out, {name: partial(_fetch_notes, package) for name, package in packages})


def _fetch_notes(package: Mapping[str, str], folder: Path) -> list[Region]:
    url = _REGISTRY.format(name=f"tonejs-instrument-{package['package']}-mp3", version=package["version"])
    return _keyboard(fetch(url, package["sha1"], folder), folder)


def _keyboard(files: Iterable[Path], folder: Path) -> list[Region]:
    """Write the notes among the files (`Fs4.mp3`) as WAV into `folder`; each key is played by the nearest note."""
    keys = {}
    for path in files:
        if (named := _NOTE.fullmatch(path.stem)) and path.suffix == ".mp3":
            waveform, rate = soundfile.read(path, always_2d=True)
            keys[_TONES.index(named[1]) + 12 * (int(named[2]) + 1)] = f"{path.stem}.wav"
            soundfile.write(folder / f"{path.stem}.wav", waveform.mean(axis=1), rate, "PCM_16")
    found = sorted(keys)
    between = [(low + high) // 2 for low, high in zip(found, found[1:], strict=False)]
    ranges = zip(found, [0, *(key + 1 for key in between)], [*between, 127], strict=True)
    return [Region(keys[key], low, high, key) for key, low, high in ranges]
