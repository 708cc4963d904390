"""The output layers: what each computes, what the paper's comes down to, and what the preserving one keeps."""

import pytest
import torch

from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.heads import HEADS, SeparableHead
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.signal.files import InputError

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ResUNet(SMALL).eval()


@pytest.fixture
def sound():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 1, 4000, generator=generator), torch.randn(2, 512, generator=generator)


@pytest.mark.parametrize("outputs", [1, 3])
def test_two_1x1_convolutions_with_nothing_between_are_one(outputs):
    """Values and gradients of the one that is computed are those of the three in a row."""
    torch.manual_seed(0)
    head, features = SeparableHead(5, outputs).double(), torch.randn(2, 5, 7, 11, dtype=torch.double)
    in_a_row = head.pointwise(head.depthwise(head.lift(features)))
    torch.testing.assert_close(head(features), in_a_row)
    weight = torch.randn_like(in_a_row)
    wanted = torch.autograd.grad((in_a_row * weight).sum(), list(head.parameters()))
    found = torch.autograd.grad((head(features) * weight).sum(), list(head.parameters()))
    for one, other in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, other)


def test_the_papers_head_adds_parameters_and_no_capacity():
    head = SeparableHead(32)
    assert sum(parameter.numel() for parameter in head.parameters()) == 32 * 512 + 512 + 512 + 512 + 512 + 1
    assert sum(part.numel() for part in head.kernel()) == 32 + 1


def test_the_preserving_head_starts_as_exactly_the_old_function(network, sound):
    with torch.no_grad():
        before = network(*sound)
        after = network.replace_head("preserving")(*sound)
        torch.nn.init.normal_(network.head.lower.weight)
        learnt = network(*sound)
        again = network.replace_head("preserving")(*sound)
    assert torch.equal(before, after) and torch.equal(learnt, again) and not torch.equal(before, learnt)


@pytest.mark.parametrize("kind", list(HEADS))
def test_masks_never_amplify(kind):
    head = HEADS[kind](4)
    logits = head(10 * torch.randn(2, 4, 5, 9))
    mask = head.mask(logits)
    assert mask.is_complex() and mask.shape == (2, 5, 9) and mask.abs().max() <= 1 + 1e-6
    keeps_phase = torch.equal(mask.imag, torch.zeros(2, 5, 9)) and bool((mask.real >= 0).all())
    assert keeps_phase == (kind in ("magnitude", "paper")) == (logits.shape[1] == 1)


@pytest.mark.parametrize("kind", list(HEADS))
def test_a_head_is_kept_in_the_folder(network, sound, kind, tmp_path):
    LanguageSeparator(TinyQueryNet(), network.replace_head(kind)).save_pretrained(tmp_path)
    again = LanguageSeparator.from_folder(tmp_path).network
    assert again.config.head == kind
    with torch.no_grad():
        torch.testing.assert_close(again(*sound), network(*sound), atol=1e-2, rtol=1e-2)  # float16 on disk


def test_heads_that_cannot_be_are_named(network):
    with pytest.raises(InputError, match="no head 'hydra'; one of audiosep, magnitude, paper"):
        network.replace_head("hydra")
    with pytest.raises(InputError, match="and the network has 'paper'"):
        network.replace_head("paper").replace_head("preserving")
