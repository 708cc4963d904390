"""Notebook 09's tools: counts agree with what is known."""

import pytest
import torch
from torch import nn

from lass_lab.course.nb09 import scaling
from lass_lab.models import ResUNet, ResUNetConfig


def test_operations_are_audioseps():
    # The original, measured at 246 GFLOP, computes its STFT and the inverse as convolutions over 501 frames.
    transforms = 2 * 501 * (2 * 1025 * 2048 + 2 * 2048 * 2048)
    assert scaling.operations(ResUNetConfig.audiosep(), 5) + transforms == pytest.approx(246e9, rel=0.001)


def test_what_is_kept_for_the_backward_pass_is_counted_once_and_without_weights():
    network = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 5))
    batch = torch.zeros(7, 3)
    # The input, and what the sigmoid gives, which it and the layer behind it both keep.
    assert scaling.kept_for_backward(network, lambda: network(batch)) == 4 * 7 * (3 + 4)


def test_on_paper_is_as_in_memory():
    config = ResUNetConfig(channels=(4, 8), n_fft=256, hop=80)
    network = ResUNet(config).eval()
    magnitude, condition = torch.rand(2, 1, 401, 129), torch.rand(2, 512)
    kept = scaling.kept_for_backward(network, lambda: network.logits(magnitude, condition))
    # A norm keeps a few numbers a channel more or less, by what computes it.
    assert scaling.kept_on_paper(config, 1.0) == pytest.approx(kept / 2, rel=1e-3)
