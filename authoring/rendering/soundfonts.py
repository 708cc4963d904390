"""From single notes to a SoundFont: fetched from the npm registry, laid on a keyboard, put together by Polyphone."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from authoring.rendering.fluidsynth import RenderError
from lass_lab.signal.files import InputError, atomic_path

_INSTALL = "install it with 'apt install polyphone', or from https://www.polyphone.io"
_SFZ = "notes.sfz"


@dataclass(frozen=True)
class Region:
    """Keys that one recording plays.

    sample: its WAV file. low, high: the MIDI notes, both included. center, cents: the note that it is of, and how far
    above it. release_s: how long it takes to die away when let go. loop: the first and the last sample of what is
    repeated while the key is held; None plays it once.
    """

    sample: str
    low: int
    high: int
    center: int
    release_s: float
    cents: int = 0
    loop: tuple[int, int] | None = None

    def __str__(self) -> str:
        opcodes = f"sample={self.sample} lokey={self.low} hikey={self.high} pitch_keycenter={self.center}"
        opcodes += f" tune={-self.cents} ampeg_release={self.release_s:g}"
        if self.loop:
            opcodes += f" loop_mode=loop_continuous loop_start={self.loop[0]} loop_end={self.loop[1]}"
        return f"<region> {opcodes}"


def need_polyphone() -> None:
    """Raises RenderError, saying what to install, where Polyphone is missing."""
    if shutil.which("polyphone") is None:
        raise RenderError(f"polyphone: command not found; {_INSTALL}")


def fetch(url: str, sha1: str, folder: Path) -> Path:
    """The archive at `url`, in `folder`. Raises InputError where it cannot be fetched, or is another than published."""
    import pooch

    try:
        return Path(pooch.retrieve(url, f"sha1:{sha1}", "notes.tgz", folder))
    except (OSError, ValueError) as error:
        raise InputError(f"{url}: cannot be fetched ({error})") from error


def write_soundfont(path: Path, unpack: Callable[[Path], Sequence[Region]]) -> None:
    """Write a SoundFont, unless it is there: `unpack` puts its samples into the folder given, and says their keys.

    Raises RenderError where Polyphone fails; nothing is left half-written.
    """
    if path.exists():
        return
    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as temporary:
        shutil.move(_to_soundfont(Path(folder), unpack(Path(folder))), temporary)


def _to_soundfont(folder: Path, regions: Sequence[Region]) -> Path:
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
        raise RenderError(f"{folder}: polyphone made no SoundFont ({fault})")
    return made
