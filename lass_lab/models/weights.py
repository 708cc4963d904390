"""Named separators: where their weights lie and how they are opened."""

import os
from pathlib import Path

import torch

from lass_lab.models.separator import CONFIG, LanguageSeparator
from lass_lab.signal.files import InputError, data_dir

SHIPPED = {"tiny": "tiny"}  # name -> folder in the data folder


def load_separator(
    name: str | os.PathLike[str] = "tiny", *, device: str = "auto", precision: str = "auto"
) -> LanguageSeparator:
    """Open a separator, ready to separate.

    Args:
        name: "tiny", which ships in data/ and needs no network; a folder that `save_pretrained` wrote; or a hub id.
        device: "auto" (a CUDA GPU where there is one), "cpu", "cuda", "cuda:1", ...
        precision: of the separation network's convolutions: "float32", "bfloat16", or "auto": bfloat16 where the
            processor multiplies it natively.

    Raises:
        InputError: an unknown name, missing or foreign weights, or a device that is not there.
    """
    target = _device(device)
    source = _resolve(str(name))
    local = isinstance(source, Path)
    separator = LanguageSeparator.from_folder(source) if local else LanguageSeparator.from_pretrained(source)
    separator.precision = _precision(precision, target)
    return separator.to(target)


def native_bfloat16(device: torch.device) -> bool:
    """Whether `device` has bfloat16 arithmetic of its own (elsewhere it is emulated, and slower than float32)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def _resolve(name: str) -> Path | str:
    """A folder, or a hub id."""
    if name in SHIPPED:
        folder = data_dir() / SHIPPED[name]
        if not (folder / CONFIG).is_file():
            raise InputError(f"{folder}: the weights of '{name}' are not there; they ship in the checkout's data/")
        return folder
    if Path(name).is_dir():
        return Path(name)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    raise InputError(f"model '{name}': neither one of {', '.join(SHIPPED)}, nor a folder, nor a hub id (owner/name)")


def _device(device: str) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        target = torch.device(device)
    except RuntimeError as error:
        raise InputError(f"device '{device}': not a device name; try auto, cpu or cuda") from error
    if target.type == "cuda" and (target.index or 0) >= torch.cuda.device_count():
        raise InputError(f"device '{device}': this machine has {torch.cuda.device_count()} CUDA GPU(s)")
    return target


def _precision(precision: str, device: torch.device) -> torch.dtype:
    if precision == "auto":
        return torch.bfloat16 if native_bfloat16(device) else torch.float32
    if precision not in ("float32", "bfloat16"):
        raise InputError(f"precision '{precision}': choose float32, bfloat16 or auto")
    return getattr(torch, precision)
