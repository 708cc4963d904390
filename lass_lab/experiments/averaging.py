"""Weights halfway between two separators: what one learnt, and less of what it forgot over it.

Wortsman et al., "Robust fine-tuning of zero-shot models", 2022: between weights before and after training the loss is
often lower than at either, above all on sounds unlike those that were trained on.
"""

import torch

from lass_lab.models import LanguageSeparator
from lass_lab.signal.files import InputError


def average(separator: LanguageSeparator, other: LanguageSeparator, share: float) -> LanguageSeparator:
    """Move the weights of `separator`, in place, to `share` of its own and the rest of the other's.

    Where the two have another layout (a low-rank map, the branch of a preserving head), the other's count as zero: in
    both, the last factor starts there.

    Raises:
        InputError: heads that are not the same function of the same weights.
    """
    heads = {separator.network.config.head, other.network.config.head}
    if len(heads) > 1 and heads != {"audiosep", "preserving"}:
        raise InputError(f"average: the heads '{min(heads)}' and '{max(heads)}' have no weights in common")
    theirs = {key.replace(".base_layer.", "."): value for key, value in other.state_dict().items()}
    with torch.no_grad():
        for key, value in separator.state_dict().items():
            if not value.is_floating_point():
                continue
            counterpart = theirs.get(key.replace(".base_layer.", "."))
            if counterpart is not None:
                value.lerp_(counterpart.to(value), 1 - share)
            elif key.endswith(("lora_B.default.weight", "head.lower.weight", "head.lower.bias")):
                value.mul_(share)
    separator.query_network.forget_sentences()
    return separator
