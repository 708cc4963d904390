"""AudioSep's names for the parts of its separation network, and ours."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lass_lab.models.separator import check_tensors

PREFIX = "ss_model."
FOURIER = ("base.stft.", "base.istft.")


def original_key(key: str, depth: int) -> str:
    """AudioSep's key for one of ours.

    `encoder.0.norm1.film.weight` -> `film.encoder_block1->conv_block1->beta1.weight`
    """
    stem, _, leaf = key.rpartition(".")
    outer = {"input_norm": "base.bn0", "input_conv": "base.pre_conv", "head.conv": "base.after_conv"}
    if stem in outer:
        return f"{outer[stem]}.{leaf}"
    parts = stem.split(".")
    if parts[0] == "bottleneck":
        path, parts = [f"conv_block{depth + 1}a", "conv_block1"], parts[1:]
    elif parts[0] == "encoder":
        path, parts = [f"encoder_block{int(parts[1]) + 1}", "conv_block1"], parts[2:]
    else:
        path, parts = [f"decoder_block{int(parts[1]) + 1}"], parts[2:]
        if parts[0] == "block":
            path, parts = [*path, "conv_block2"], parts[1:]
    part = {"norm": "norm1", "inert": "norm2", "upsample": "conv1"}.get(parts[0], parts[0])
    if parts[-1] == "film":
        return "film." + "->".join([*path, part.replace("norm", "beta")]) + f".{leaf}"
    return ".".join(["base", *path, part.replace("norm", "bn"), leaf])


def translate(state: Mapping[str, Any], own: Mapping[str, Tensor], depth: int) -> dict[str, Tensor]:
    """AudioSep's state, renamed to the keys of `own` and checked against its shapes.

    Args:
        state: AudioSep's keys, bare or under `ss_model.`; other parts of a checkpoint may stand beside them.
        own: the state of the network to fill.
        depth: its number of encoder blocks.

    Raises:
        InputError: missing keys, foreign keys of the separation network, or a tensor of another shape.
    """
    prefixed = any(key.startswith(PREFIX) for key in state)
    given = {key.removeprefix(PREFIX): value for key, value in state.items() if not prefixed or key.startswith(PREFIX)}
    given = {key: value for key, value in given.items() if not key.startswith(FOURIER)}
    theirs = {key: original_key(key, depth) for key in own}
    check_tensors(given, {theirs[key]: value for key, value in own.items()}, "AudioSep state")
    return {key: given[theirs[key]] for key in own}
