"""The fused norm against the three layers it replaces: values, gradients, running statistics."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from authoring.training import fused
from lass_lab.models import ResUNet, ResUNetConfig

SLOPE = 0.01


def plain(features, shift, norm):
    return functional.leaky_relu(norm(features) + shift[:, :, None, None], SLOPE)


def case(channels, frames, bins, seed=0):
    generator = torch.manual_seed(seed)
    features = torch.randn(3, channels, frames, bins, generator=generator) * 2 + 1
    norm = nn.BatchNorm2d(channels, momentum=0.1)
    with torch.no_grad():
        norm.weight.normal_(generator=generator)
        norm.bias.normal_(generator=generator)
    return features, torch.randn(3, channels, generator=generator), norm, torch.randn(features.shape)


def answers(function, features, shift, norm, gradient):
    """Value, gradients of all four inputs, and what the norm remembers."""
    features, shift = features.clone().requires_grad_(), shift.clone().requires_grad_()
    value = function(features, shift, norm)
    value.backward(gradient)
    return [value, features.grad, shift.grad, norm.weight.grad, norm.bias.grad, *norm.buffers()]


@pytest.fixture
def uncompiled(monkeypatch):
    monkeypatch.setattr(fused, "_kernel", lambda function: function)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(8, 4, 16), (1, 3, 5), (6, 2, 32), (96, 2, 2)])
def test_equals_the_three_layers_it_replaces(uncompiled, shape, training):
    features, shift, norm, gradient = case(*shape)
    norm.running_mean.normal_()
    norm.train(training)
    expected = answers(plain, features, shift, copy.deepcopy(norm), gradient)
    found = answers(lambda *given: fused.norm_shift_activate(*given, SLOPE), features, shift, norm, gradient)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_gradients_that_lie_scattered_in_memory_are_read_rightly(uncompiled):
    """As they come from a concatenation: a slice of a wider tensor."""
    features, shift, norm, gradient = case(8, 4, 16)
    scattered = torch.cat((gradient, gradient), dim=1).contiguous(memory_format=torch.channels_last)[:, 8:]
    expected = answers(plain, features, shift, copy.deepcopy(norm), gradient)
    found = answers(lambda *given: fused.norm_shift_activate(*given, SLOPE), features, shift, norm, scattered)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(not fused.can_compile(), reason="no C++ compiler here")
def test_a_compiled_network_learns_as_a_plain_one():
    config = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64, condition_size=8)
    torch.manual_seed(0)
    network = ResUNet(config).train()
    mixture, condition = torch.randn(2, 1, 2000), torch.randn(2, 8)
    steps = []
    other = copy.deepcopy(network)
    fused.fuse_norms(other)
    for model in (network, other):
        model(mixture, condition).square().mean().backward()
        steps.append({name: value.grad for name, value in model.named_parameters() if value.grad is not None})
    assert steps[0].keys() == steps[1].keys()
    for name, gradient in steps[0].items():
        torch.testing.assert_close(steps[1][name], gradient, rtol=1e-3, atol=1e-6, msg=name)
