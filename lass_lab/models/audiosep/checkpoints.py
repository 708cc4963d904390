"""Checkpoints that PyTorch pickled, read without running what is in them; and how tensors are written."""

import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from lass_lab.signal.files import InputError, atomic_path

# CLAP's names for the parts of a ClapQueryNet, and ours. Its other parts are for its training alone.
CLAP_PARTS = {
    "text_branch.": "encoder.roberta.",
    "text_projection.": "projection.",
    "audio_branch.": "audio_tower.htsat.",
    "audio_projection.": "audio_tower.projection.",
}
WORDS = "text_branch.embeddings.word_embeddings.weight"  # whatever stands before it is the prefix of all
COUNT = "text_branch.embeddings.position_ids"  # 0, 1, 2, ...: some versions of transformers keep it, others do not


def read_state(path: Path, *, trust: bool = False) -> dict[str, Tensor]:
    """The tensors of a checkpoint's `state_dict`, or of a checkpoint that is one; memory-mapped where possible.

    A pickle can run any code. Unless it is trusted, nothing is opened but tensors, plain containers and plain NumPy
    numbers (PyTorch's weights_only, with the numbers added).

    Args:
        path: a file that `torch.save` or Lightning wrote.
        trust: open it whatever it asks for.

    Raises:
        InputError: missing, damaged, without a state dictionary, or asking for code to be run.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")
    if not path.stat().st_size:
        raise InputError(f"{path}: is empty (0 bytes)")
    with torch.serialization.safe_globals(_numbers()):
        try:
            archive = zipfile.is_zipfile(path)
            loaded = torch.load(path, map_location="cpu", weights_only=not trust, mmap=archive)
        except Exception as error:  # a damaged pickle can raise almost anything
            if asked := re.search(r"GLOBAL ([\w.]+)", str(error)):
                raise InputError(
                    f"{path}: asks for code to be run ({asked[1]}), so it was not opened; "
                    "pass --trust if you know who made it"
                ) from error
            raise InputError(f"{path}: not a whole PyTorch checkpoint; fetch it again") from error
    if isinstance(loaded, Mapping) and "state_dict" in loaded:
        loaded = loaded["state_dict"]
    state = {key: value for key, value in loaded.items() if isinstance(value, Tensor)} if _is_state(loaded) else {}
    if not state:
        raise InputError(f"{path}: holds no state dictionary")
    return state


def check_archive(path: Path) -> None:
    """Compare every record of a checkpoint with the checksum beside it, which PyTorch itself does not do.

    Raises:
        InputError: one is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise InputError(f"{path}: not a whole PyTorch checkpoint; fetch it again") from error
    if damaged:
        raise InputError(f"{path}: damaged (the checksum of {damaged} is wrong); fetch it again")


def clap_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """CLAP's tensors by the keys of a `ClapQueryNet`, float32; empty where a checkpoint holds no CLAP.

    They may stand bare, under `module.` (CLAP's own checkpoint), or under `query_encoder.model.` (AudioSep's).
    """
    prefix = next((key.removesuffix(WORDS) for key in state if key.endswith(WORDS)), None)
    if prefix is None:
        return {}
    renamed = {}
    for key, value in state.items():
        name = key.removeprefix(prefix)
        part = next((part for part in CLAP_PARTS if name.startswith(part)), None)
        if key.startswith(prefix) and part and name != COUNT:
            value = value.float() if value.is_floating_point() else value
            renamed[CLAP_PARTS[part] + name.removeprefix(part)] = value.contiguous()
    return renamed


def write_tensors(state: dict[str, Tensor], path: Path) -> None:
    """Write a safetensors file in place of `path`. Raises InputError where the disk does not take it."""
    try:
        with atomic_path(path, force=True) as temporary:
            save_file(state, temporary, {"format": "pt"})
    except SafetensorError as error:
        raise InputError(f"{path}: cannot be written ({error})") from error


def _is_state(loaded: Any) -> bool:
    return isinstance(loaded, Mapping) and all(isinstance(key, str) for key in loaded)


def _numbers() -> list[Any]:
    """What a pickled NumPy number is made of, by the names of NumPy 1 and of NumPy 2."""
    scalar = np.float64(0).__reduce__()[0]
    dtypes = [type(np.dtype(name)) for name in ("float64", "float32", "int64", "int32", "bool")]
    names = [f"numpy.{core}.multiarray.scalar" for core in ("core", "_core")]
    return [(scalar, name) for name in names] + [np.dtype, *dtypes]
