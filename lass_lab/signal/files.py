"""What all floors say of files: the errors and warnings that users meet, where files lie, and how they are written."""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

LOUDEST = 1e10  # of a sample; full scale is 1, and from some 1e15 on float32 cannot hold a spectrum's energy
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # of a disk, a quota, a limit on files


class InputError(ValueError):
    """Something given from outside (a file, a folder, an array, an option) is wrong.

    The message is one clear line that names the thing and what is wrong with it.
    """


class AudioError(InputError):
    """A recording cannot be read, or a waveform cannot be written; the message names the file and why."""


class AudioWarning(UserWarning):
    """A waveform is not quite what it was asked to be; the message says how."""


class DamageWarning(AudioWarning):
    """A recording is shorter than its header says, or has holes; the message says where."""


class AudioInfo(NamedTuple):
    """What a file says of itself: rate in Hz, channels, frames (samples per channel; of some compressed files an
    estimate, 0 where they say nothing), and how a sample is coded, in libsndfile's words ("PCM_16", "FLOAT", ...)."""

    sample_rate: int
    channels: int
    frames: int
    subtype: str = "PCM_16"


class RunStopped(RuntimeError):
    """A run that was asked to stop and can be resumed; the message says where it stands."""


@contextmanager
def atomic_path(path: str | os.PathLike[str], force: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write to; it takes the place of `path` once the block ends well.

    The temporary file lies in the same folder and has the same suffix, so that writers which choose a
    format by suffix choose the right one and the move is a single rename. A kill at any moment leaves the
    old file or the new one, never half of one. When the block raises, the temporary file is deleted and
    `path` is untouched. Missing parent folders are created, and go again when the block raises.

    Raises:
        InputError: `path` exists and `force` is False, is a folder, has an impossible name, its folder
            cannot be written to, the block wrote nothing, or the disk is full.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder, not a file")
        refuse_existing([path], force)
    except OSError as error:  # a name that is too long, or a folder on the way to it that is locked
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: its folder cannot be made ({error.strerror})") from error
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path}: its folder cannot be written to")
    # A name and not a file: tempfile.mkstemp would leave the result readable by its owner alone.
    temporary = path.parent / f".partial-{secrets.token_hex(8)}{path.suffix}"
    try:
        yield temporary
        if not temporary.exists():
            raise InputError(f"{path}: nothing was written")
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # or a power cut could leave the new name with none of its bytes
        refuse_existing([path], force)
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        with suppress(OSError):  # somebody else's file may lie in them by now
            for folder in missing:
                folder.rmdir()
        if isinstance(error, OSError) and error.errno in FULL:
            raise InputError(f"{path}: cannot be written ({error.strerror})") from error
        raise


def data_dir() -> Path:
    """The folder of the shipped data: $LASS_LAB_DATA, or data/ beside the package. Raises InputError without one."""
    if "LASS_LAB_DATA" in os.environ:
        folder, hint = Path(os.environ["LASS_LAB_DATA"]), "LASS_LAB_DATA names it"
    else:
        folder = Path(__file__).resolve().parents[2] / "data"
        hint = "set LASS_LAB_DATA to the repository's data folder"
    if not folder.is_dir():
        raise InputError(f"{folder}: no such data folder; {hint}")
    return folder


def cache_dir() -> Path:
    """The folder for weights made ready for use: $LASS_LAB_CACHE, or `lass-lab` beside the hub's own cache."""
    from huggingface_hub import constants

    return Path(os.environ.get("LASS_LAB_CACHE") or Path(constants.HF_HUB_CACHE).parent / "lass-lab").expanduser()


def refuse_existing(paths: Iterable[Path], force: bool = False) -> None:
    """Raises InputError for the first path that exists, unless `force` is set."""
    for path in paths:
        if not force and (path.exists() or path.is_symlink()):
            raise InputError(f"{path}: exists already; pass --force to overwrite")
