"""The separation network's layers: one query's norms, folded, are the same function; what is exact stays exact."""

import torch

from lass_lab.models import ResUNet, ResUNetConfig
from lass_lab.models.layers import FrequencyLayers
from tests.models.made import relative_error

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64, condition_size=8, frequency_bins=64)


def lived_in(seed=0):
    """A small network whose norms have statistics and weights of their own, in eval mode."""
    torch.manual_seed(seed)
    network = ResUNet(SMALL)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values in (module.weight, module.bias, module.running_mean, module.running_var):
                torch.nn.init.uniform_(values.data, 0.5, 2.0)
        if isinstance(module, FrequencyLayers):
            torch.nn.init.normal_(module.expand.weight, std=0.1)
    return network.eval()


def test_one_query_for_a_batch_is_folded_into_the_same_function():
    """The reference is one query for each item, for which norm, shift and activation run one after the other."""
    network, mixture, condition = lived_in(), torch.randn(3, 1, 3000), torch.randn(1, 8)
    mixture.requires_grad_()
    condition.requires_grad_()

    def run(conditions):
        estimate = network(mixture, conditions)
        return estimate.detach(), *torch.autograd.grad(estimate.square().sum(), (mixture, condition))

    for found, expected in zip(run(condition), run(condition.repeat(3, 1)), strict=True):
        assert 0 < relative_error(found, expected) < 1e-5  # 0: nothing was folded


def test_a_thin_convolution_is_exact_under_autocast_and_rounded_once():
    network = lived_in()
    convolution, features = network.decoder[-1].block.shortcut, torch.randn(1, 8, 5, 7)
    with torch.no_grad():
        exact = convolution(features)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = convolution(features)
    assert exact.dtype == torch.float32
    assert torch.equal(rounded, exact.bfloat16())
