"""The checks of notebook 03: an encoder block, and three mask channels into one mask."""

from functools import partial

import numpy as np
import torch
from scipy.special import expit

from lass_lab.course.checks import Exercise, normal
from lass_lab.models.resunet import ResidualBlock


def _block(block, features, condition, through_shortcut=True, second=True, first=True) -> torch.Tensor:
    inner = block.norm1(features, condition) if first else features
    inner = block.conv1(inner)
    inner = block.conv2(block.norm2(inner, condition) if second else inner)
    return inner + block.shortcut(features) if through_shortcut else inner


def _blocks() -> list[tuple]:
    """A block that changes the number of channels and one that does not, each with features and a condition."""
    cases = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for channels_in, channels_out in ((4, 6), (5, 5)):
            block = ResidualBlock(channels_in, channels_out, condition_size=8).requires_grad_(False).eval()
            cases.append((block, torch.randn(2, channels_in, 6, 8), torch.randn(2, 8)))
    return cases


check_block = Exercise(
    reference=_block,
    cases=_blocks,
    praise="on a block that changes the number of channels and on one that does not, it gives the block's own answer.",
    atol=1e-4,
    mistakes={
        "the shortcut is missing: add shortcut(features) at the end.": partial(_block, through_shortcut=False),
        "the second norm is missing: it stands between the two convolutions.": partial(_block, second=False),
        "each norm comes before its convolution; the first norm is missing.": partial(_block, first=False),
        "the shortcut begins at the block's own features, before the first norm.": lambda block, features, condition: (
            _block(block, features, condition, through_shortcut=False)
            + block.shortcut(block.norm1(features, condition))
        ),
    },
)


def _mask(size, across, up, share=expit, squeeze=np.tanh, unit=lambda way: way / np.abs(way)) -> np.ndarray:
    return share(size) * unit(squeeze(across) + 1j * squeeze(up))


check_mask = Exercise(
    reference=_mask,
    cases=lambda: [normal((4, 6), (4, 6), (4, 6)), normal((2, 9), (2, 9), (2, 9))],
    mistakes={
        "the direction changes the size as well; divide it by its own length.": partial(_mask, unit=lambda way: way),
        "it is the share alone; turn the phase, too.": lambda size, across, up: expit(size) + 0j,
        "the share should lie between 0 and 1: channel 0 goes through a sigmoid.": partial(_mask, share=lambda x: x),
        "channels 1 and 2 go through tanh before they make a direction.": partial(_mask, squeeze=lambda x: x),
        "channels 1 and 2, the real and the imaginary part, are exchanged.": lambda size, x, y: _mask(size, y, x),
    },
)
