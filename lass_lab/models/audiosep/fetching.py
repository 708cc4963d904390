"""What "audiosep" is made of (Liu et al., 2023): fetched from the hub or brought by hand, and made ready to open."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from lass_lab.models.audiosep import clap
from lass_lab.models.audiosep.checkpoints import clap_state, read_state
from lass_lab.models.audiosep.downloads import HubFile, NotFetched, fetch, verify
from lass_lab.models.resunet import ResUNet, ResUNetConfig
from lass_lab.models.separator import CONFIG, WEIGHTS, check_tensors, write_tensors
from lass_lab.signal.files import InputError, atomic_path

# The checkpoint most likely holds CLAP too; where not, CLAP's own does.
CHECKPOINT = HubFile("Audio-AGI/AudioSep", "checkpoint/audiosep_base_4M_steps.ckpt", "space", 1.26)
CLAP = HubFile("Audio-AGI/AudioSep", "checkpoint/music_speech_audioset_epoch_15_esc_89.98.pt", "space", 2.35)
TOKENIZER = HubFile("FacebookAI/roberta-base", "tokenizer.json")


def fetch_full_size(folder: Path, files: Sequence[Path], *, trust: bool) -> list[str]:
    """Make the full-size separator ready in `folder`, where it is not yet; the rest is `fetch_weights`'s."""
    if not files and (folder / CONFIG).is_file():  # its configuration is what is written last
        return _sizes("ready", folder)
    given, report = _by_suffix(files), []
    tokenizer, checkpoint = _gather((TOKENIZER, CHECKPOINT), given, report)
    state = read_state(checkpoint, trust=trust)
    network = ResUNet(ResUNetConfig.audiosep())
    try:
        network.load_audiosep_state_dict(state)
    except InputError as error:
        raise InputError(f"{checkpoint}: {error}") from error
    words, source = clap_state(state), checkpoint
    if not words:
        (source,) = _gather((CLAP,), given, report)
        words = clap_state(read_state(source, trust=trust))
    write_clap(words, source, tokenizer, clap.cached_folder())
    _write_separator(network.state_dict(), folder)
    return report + _sizes("written", folder)


def write_clap(state: dict[str, Tensor], source: Path, tokenizer: Path, folder: Path) -> None:
    """Write the folder of a `ClapQueryNet`; the weights, which mark it as whole, come last."""
    words = {key: value for key, value in state.items() if not key.startswith("audio_tower.")}
    check_tensors(words, clap.word_shapes(clap.ROBERTA_BASE), f"{source}: CLAP")
    clap.read_tokenizer(tokenizer)
    with atomic_path(folder / clap.TOKENIZER, force=True) as path:
        path.write_bytes(tokenizer.read_bytes())
    write_tensors(state, folder / clap.WEIGHTS)


def _by_suffix(files: Sequence[Path]) -> dict[HubFile, Path]:
    kinds = {".ckpt": CHECKPOINT, ".pt": CLAP, ".json": TOKENIZER}
    paths = list(map(Path, files))
    if odd := [path for path in paths if path.suffix.lower() not in kinds]:
        raise InputError(f"{odd[0]}: ends in none of {', '.join(kinds)}, so it is none of the files that are needed")
    return {kinds[path.suffix.lower()]: path for path in paths}


def _gather(files: Sequence[HubFile], given: dict[HubFile, Path], report: list[str]) -> list[Path]:
    """The files, by hand or from the hub, each checked; adds to `report` what by."""
    paths, missing = [], []
    for file in files:
        try:
            path, checked = (given[file], verify(given[file], file)) if file in given else fetch(file)
        except NotFetched as error:
            missing.append((file, error))
            continue
        paths.append(path)
        report.append(f"{path}: checked by {checked}")
    if missing:
        size = {file: f", {file.gigabytes} GB" if file.gigabytes else "" for file in files}
        wanted = " and ".join(f"{error} ({file.url}{size[file]})" for file, error in missing)
        options = " ".join(f"--weights {path}" for path in [*given.values(), *(file.name for file, _ in missing)])
        raise InputError(f"audiosep: {wanted}; bring it here by hand, then run: lass-lab weights audiosep {options}")
    return paths


def _write_separator(state: dict[str, Tensor], folder: Path) -> None:
    """Write the folder of a separator whose query network is CLAP as published."""
    write_tensors({f"network.{key}": value.contiguous() for key, value in state.items()}, folder / WEIGHTS)
    with atomic_path(folder / CONFIG, force=True) as path:
        network = asdict(ResUNetConfig.audiosep())
        config = {"query_network": {"kind": clap.ClapQueryNet.__name__}, "network": network}
        path.write_text(json.dumps(config, indent=2) + "\n")


def _sizes(what: str, folder: Path) -> list[str]:
    paths = (folder / WEIGHTS, clap.cached_folder() / clap.WEIGHTS)
    return [f"{path}: {what}, {path.stat().st_size / 1e6:,.0f} MB" for path in paths]
