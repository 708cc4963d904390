"""Named separators: where their weights lie, and how they are opened."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch

from lass_lab.models.separator import CONFIG, LanguageSeparator
from lass_lab.signal.files import InputError, cache_dir, data_dir

SHIPPED = ("tiny", "tiny-phase1", "tiny-finetuned")  # folders in the data folder
FULL_SIZE = "audiosep"


def load_separator(
    name: str | os.PathLike[str] = "tiny", *, device: str = "auto", precision: str = "auto"
) -> LanguageSeparator:
    """Open a separator, ready to separate.

    Args:
        name: "tiny", which ships in data/ and needs no network; "audiosep", the full-size AudioSep, which is fetched at
            its first use (1.26 GB or more, see `fetch_weights`); a folder that `save_pretrained` wrote; or a hub id.
        device: "auto" (a CUDA GPU where there is one, or Apple's, "mps"), "cpu", "cuda", "cuda:1", ...
        precision: of the separation network's convolutions: "float32", "bfloat16", or "auto": bfloat16 where the
            processor multiplies it natively.

    Raises:
        InputError: an unknown name, weights that are missing, foreign or not to be had, or a device that is not there.
    """
    target = _device(device)
    separator = _opened(str(name))
    separator.precision = _precision(precision, target)
    return separator.to(target)


def fetch_weights(name: str, files: Sequence[Path] = (), *, trust: bool = False) -> list[str]:
    """Get the weights of a named separator and make them ready; from then on it opens without a network.

    The files come from the hub (`HF_HOME` says where they are kept) or by hand, are checked by size and hash, read
    without running anything in them, and written once more as safetensors, in float32, to `cache_dir()`.

    Args:
        name: "audiosep"; those that ship have nothing to fetch.
        files: those fetched by hand, told apart by their suffix: .ckpt (AudioSep), .pt (CLAP), .json (the tokenizer).
            Given any, they are made ready again even where that was done before.
        trust: read a checkpoint even if it asks for code to be run.

    Returns:
        What was found and what was written, one line each.

    Raises:
        InputError: a file is missing, damaged or another one than named; says what to fetch and where to give it.
    """
    if name in SHIPPED and not files:
        return [f"{shipped_folder(name)}: ships with the checkout"]
    if name != FULL_SIZE:
        raise InputError(f"weights '{name}': only {FULL_SIZE} has files to fetch")
    from lass_lab.models.audiosep.fetching import fetch_full_size  # only when asked for

    return fetch_full_size(cache_dir() / name, files, trust=trust)


def native_bfloat16(device: torch.device) -> bool:
    """Whether `device` has bfloat16 arithmetic of its own (elsewhere it is emulated, and slower than float32)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def shipped_folder(name: str) -> Path:
    """Where the weights of a separator of `SHIPPED` lie. Raises InputError where they are not there."""
    folder = data_dir() / name
    if not (folder / CONFIG).is_file():
        raise InputError(f"{folder}: the weights of '{name}' are not there; they ship in the checkout's data/")
    return folder


def full_size_is_ready() -> bool:
    """Whether the full-size separator was made ready to open; its configuration is what is written last."""
    return (cache_dir() / FULL_SIZE / CONFIG).is_file()


def _opened(name: str) -> LanguageSeparator:
    """A separator by its name, its folder or its hub id, on the CPU."""
    if name in SHIPPED:
        return LanguageSeparator.from_folder(shipped_folder(name))
    if name == FULL_SIZE:
        fetch_weights(name)
        return LanguageSeparator.from_folder(cache_dir() / name)
    if Path(name).is_dir():
        return LanguageSeparator.from_folder(name)
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        known = ", ".join((*SHIPPED, FULL_SIZE))
        raise InputError(f"model '{name}': neither one of {known}, nor a folder, nor a hub id (owner/name)")
    try:
        return LanguageSeparator.from_pretrained(name)
    except InputError:
        raise
    except Exception as error:  # the hub raises many kinds; each means that it is not to be had
        why = type(error).__name__
        raise InputError(f"model '{name}': no folder here, and the hub does not give it ({why})") from error


def _device(device: str) -> torch.device:
    if device == "auto":
        there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        return torch.device(next((kind for kind, here in there.items() if here), "cpu"))
    try:
        target = torch.device(device)
    except RuntimeError as error:
        raise InputError(f"device '{device}': not a device name; try auto, cpu or cuda") from error
    if target.type == "cuda" and (target.index or 0) >= torch.cuda.device_count():
        raise InputError(f"device '{device}': this machine has {torch.cuda.device_count()} CUDA GPU(s)")
    if target.type == "mps" and not torch.backends.mps.is_available():
        raise InputError(f"device '{device}': this machine has no GPU of Apple's that PyTorch can use")
    return target


def _precision(precision: str, device: torch.device) -> torch.dtype:
    if precision == "auto":
        return torch.bfloat16 if native_bfloat16(device) else torch.float32
    if precision not in ("float32", "bfloat16"):
        raise InputError(f"precision '{precision}': choose float32, bfloat16 or auto")
    return getattr(torch, precision)
