"""Named separators: where their weights lie, how they are fetched, and how they are opened."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from lass_lab.models.audiosep import clap
from lass_lab.models.audiosep import keys as audiosep_keys
from lass_lab.models.audiosep.checkpoints import check_archive, clap_state, read_state, write_tensors
from lass_lab.models.audiosep.downloads import HubFile, NotFetched, Published, ask, cache_dir, fetch, verify
from lass_lab.models.resunet import ResUNet, ResUNetConfig
from lass_lab.models.separator import CONFIG, WEIGHTS, LanguageSeparator
from lass_lab.signal.files import InputError, atomic_path, data_dir

SHIPPED = {name: name for name in ("tiny", "tiny-phase1", "tiny-finetuned")}  # name -> folder in the data folder
FETCHED = {"audiosep": "audiosep"}  # name -> folder in the cache

# What "audiosep" is made of (Liu et al., 2023). The checkpoint most likely holds CLAP too; where not, CLAP's own does.
CHECKPOINT = HubFile("Audio-AGI/AudioSep", "checkpoint/audiosep_base_4M_steps.ckpt", "space", 1.26)
CLAP = HubFile("Audio-AGI/AudioSep", "checkpoint/music_speech_audioset_epoch_15_esc_89.98.pt", "space", 2.35)
TOKENIZER = HubFile("FacebookAI/roberta-base", "tokenizer.json")


def load_separator(
    name: str | os.PathLike[str] = "tiny", *, device: str = "auto", precision: str = "auto"
) -> LanguageSeparator:
    """Open a separator, ready to separate.

    Args:
        name: "tiny", which ships in data/ and needs no network; "audiosep", the full-size AudioSep, which is fetched at
            its first use (1.26 GB or more; see `fetch_weights`); a folder that `save_pretrained` wrote; or a hub id.
        device: "auto" (a CUDA GPU where there is one), "cpu", "cuda", "cuda:1", ...
        precision: of the separation network's convolutions: "float32", "bfloat16", or "auto": bfloat16 where the
            processor multiplies it natively.

    Raises:
        InputError: an unknown name, weights that are missing, foreign or not to be had, or a device that is not there.
    """
    target = _device(device)
    source = _resolve(str(name))
    local = isinstance(source, Path)
    separator = LanguageSeparator.from_folder(source) if local else _from_hub(source)
    separator.precision = _precision(precision, target)
    return separator.to(target)


def fetch_weights(name: str, files: Sequence[Path] = (), *, trust: bool = False) -> list[str]:
    """Get the weights of a named separator and make them ready; from then on it opens without a network.

    The files come from the hub (`HF_HOME` says where they are kept) or by hand, are checked by size and hash, read
    without running anything in them, and written once more as safetensors, in float32, to `cache_dir()`.

    Args:
        name: "audiosep"; "tiny" ships and has nothing to fetch.
        files: those fetched by hand, told apart by their suffix: .ckpt (AudioSep), .pt (CLAP), .json (the tokenizer).
            Given any, they are made ready again even where that was done before.
        trust: read a checkpoint even if it asks for code to be run.

    Returns:
        What was found and what was written, one line each.

    Raises:
        InputError: a file is missing, damaged or another one than named; says what to fetch and where to give it.
    """
    if name in SHIPPED and not files:
        return [f"{_resolve(name)}: ships with the checkout"]
    if name not in FETCHED:
        raise InputError(f"weights '{name}': only {', '.join(FETCHED)} has files to fetch")
    folder = cache_dir() / FETCHED[name]
    if not files and (folder / CONFIG).is_file() and (cache_dir() / "clap" / clap.SIZES).is_file():
        return [f"{path}: ready, {path.stat().st_size / 1e6:,.0f} MB" for path in _ready(folder)]
    given, report = _by_suffix(files), []
    tokenizer, checkpoint = _gather(name, (TOKENIZER, CHECKPOINT), given, report)
    state = read_state(checkpoint, trust=trust)
    network = _separation_state(state, checkpoint)
    words, source = clap_state(state), checkpoint
    if not words:
        (source,) = _gather(name, (CLAP,), given, report)
        words = clap_state(read_state(source, trust=trust))
    _write_clap(words, source, tokenizer, cache_dir() / "clap")
    _write_separator(network, folder)
    return report + [f"{path}: written, {path.stat().st_size / 1e6:,.0f} MB" for path in _ready(folder)]


def native_bfloat16(device: torch.device) -> bool:
    """Whether `device` has bfloat16 arithmetic of its own (elsewhere it is emulated, and slower than float32)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def _from_hub(name: str) -> LanguageSeparator:
    try:
        return LanguageSeparator.from_pretrained(name)
    except InputError:
        raise
    except Exception as error:  # the hub raises many kinds; each means that it is not to be had
        raise InputError(
            f"model '{name}': no folder here, and the hub does not give it ({type(error).__name__})"
        ) from error


def _resolve(name: str) -> Path | str:
    """A folder, or a hub id."""
    if name in SHIPPED:
        folder = data_dir() / SHIPPED[name]
        if not (folder / CONFIG).is_file():
            raise InputError(f"{folder}: the weights of '{name}' are not there; they ship in the checkout's data/")
        return folder
    if name in FETCHED:
        fetch_weights(name)
        return cache_dir() / FETCHED[name]
    if Path(name).is_dir():
        return Path(name)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    raise InputError(
        f"model '{name}': neither one of {', '.join(SHIPPED | FETCHED)}, nor a folder, nor a hub id (owner/name)"
    )


def _by_suffix(files: Sequence[Path]) -> dict[HubFile, Path]:
    kinds = {".ckpt": CHECKPOINT, ".pt": CLAP, ".json": TOKENIZER}
    given: dict[HubFile, Path] = {}
    for path in map(Path, files):
        kind = kinds.get(path.suffix.lower())
        if kind is None:
            raise InputError(f"{path}: ends in none of {', '.join(kinds)}, so it is none of the files that are needed")
        if kind in given:
            raise InputError(f"{path}: a second {path.suffix} file beside {given[kind]}")
        given[kind] = path
    return given


def _gather(name: str, files: Sequence[HubFile], given: dict[HubFile, Path], report: list[str]) -> list[Path]:
    """The files, by hand or from the hub, each checked; adds to `report` what by."""
    paths, missing = [], []
    for file in files:
        try:
            path, checked = _by_hand(given[file], file) if file in given else fetch(file)
        except NotFetched as error:
            missing.append((file, error))
            continue
        paths.append(path)
        report.append(f"{path}: checked by {checked}")
    if missing:
        size = {file: f", {file.gigabytes} GB" if file.gigabytes else "" for file in files}
        wanted = " and ".join(f"{error} ({file.url}{size[file]})" for file, error in missing)
        options = " ".join(f"--weights {path}" for path in [*given.values(), *(file.name for file, _ in missing)])
        raise InputError(f"{name}: {wanted}; bring it here by hand, then run: lass-lab weights {name} {options}")
    return paths


def _by_hand(path: Path, file: HubFile) -> tuple[Path, str]:
    published = ask(file) or Published()
    checked = verify(path, file, published)
    if path.suffix.lower() != ".json" and not published.etag:
        check_archive(path)
        checked += " and the checksums inside"
    return path, checked


def _write_clap(state: dict[str, Tensor], source: Path, tokenizer: Path, folder: Path) -> None:
    """Write the folder of a `ClapQueryNet`; the file that marks it as whole comes last."""
    words = {key: value for key, value in state.items() if not key.startswith("audio_tower.")}
    clap.check_shapes(words, clap.word_shapes(clap.ROBERTA_BASE), source)
    clap.read_tokenizer(tokenizer, clap.ROBERTA_BASE["vocab_size"])
    with atomic_path(folder / clap.TOKENIZER, force=True) as path:
        path.write_bytes(tokenizer.read_bytes())
    write_tensors(state, folder / clap.WEIGHTS)
    with atomic_path(folder / clap.SIZES, force=True) as path:
        path.write_text(json.dumps({"text": clap.ROBERTA_BASE}, indent=2) + "\n")


def _separation_state(state: dict[str, Tensor], source: Path) -> dict[str, Tensor]:
    """AudioSep's separation network by our keys, float32, once it is known to be whole."""
    config = ResUNetConfig.audiosep()
    with torch.device("meta"):
        own = ResUNet(config).state_dict()  # its keys and shapes alone
    state = {key: value for key, value in state.items() if key.startswith(audiosep_keys.PREFIX)}
    try:
        found = audiosep_keys.translate(state, own, len(config.channels))
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    return {key: value.float() if value.is_floating_point() else value for key, value in found.items()}


def _write_separator(state: dict[str, Tensor], folder: Path) -> None:
    """Write the folder of a separator whose query network is CLAP as published."""
    write_tensors({f"network.{key}": value.contiguous() for key, value in state.items()}, folder / WEIGHTS)
    with atomic_path(folder / CONFIG, force=True) as path:
        network = asdict(ResUNetConfig.audiosep())
        config = {"query_network": {"kind": clap.ClapQueryNet.__name__}, "network": network}
        path.write_text(json.dumps(config, indent=2) + "\n")


def _ready(folder: Path) -> list[Path]:
    return [folder / WEIGHTS, cache_dir() / "clap" / clap.WEIGHTS]


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
