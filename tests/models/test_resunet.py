"""The separation network against AudioSep's own: size, keys, answer."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lass_lab.models import ResUNet, ResUNetConfig
from lass_lab.models.layers import FrequencyLayers
from lass_lab.signal.files import InputError
from tests.models.made import FIXTURES, made_audiosep_state, relative_error

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64, condition_size=8)
TINY = replace(SMALL, compression=0.3, frequency_bins=64)  # the tiny tier's kind


@pytest.fixture(scope="module")
def audiosep():
    network = ResUNet(ResUNetConfig.audiosep()).eval()
    network.load_audiosep_state_dict(made_audiosep_state())
    return network


def small(seed=0, config=SMALL):
    torch.manual_seed(seed)
    return ResUNet(config).eval()


def parity_case():
    with np.load(FIXTURES / "audiosep_parity.npz") as case:
        return [torch.from_numpy(case[name]) for name in ("mixture", "condition", "waveform")]


def test_audiosep_has_its_published_number_of_trainable_parameters(audiosep):
    assert sum(p.numel() for p in audiosep.parameters() if p.requires_grad) == 26_447_941


def test_answers_as_the_original_does(audiosep):
    mixture, condition, waveform = parity_case()
    with torch.inference_mode():
        assert relative_error(audiosep(mixture, condition), waveform) < 1e-4


def test_the_fixture_sees_a_wrong_network(audiosep):
    mixture, condition, waveform = parity_case()
    with torch.inference_mode():
        assert relative_error(audiosep(mixture, condition.flip(1)), waveform) > 1e-3


def test_bfloat16_agrees_with_the_original_to_35_db(audiosep):
    mixture, condition, waveform = parity_case()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert relative_error(audiosep(mixture, condition), waveform) < 10 ** (-35 / 20)


def test_a_state_that_does_not_fit_is_named_and_not_loaded():
    state, network = made_audiosep_state(), ResUNet(ResUNetConfig.audiosep())
    before = network.encoder[0].conv1.weight.clone()
    state["base.encoder_block4.conv_block1.conv1.weight"] = 7
    with pytest.raises(InputError, match="base.encoder_block4.conv_block1.conv1.weight has shape"):
        network.load_audiosep_state_dict(state)
    assert torch.equal(network.encoder[0].conv1.weight, before)


def test_several_conditions_in_one_pass_equal_one_at_a_time():
    network, mixture, conditions = small(), torch.randn(2, 1500), torch.randn(3, 8)
    with torch.inference_mode():
        together = network.separate(mixture, conditions)
        alone = [network(mixture[:, None], condition.expand(2, 8))[:, 0] for condition in conditions]
    torch.testing.assert_close(together, torch.stack(alone, dim=1), atol=1e-5, rtol=1e-4)


def test_the_condition_reaches_the_mask_and_has_a_gradient():
    network, condition = small().train(), torch.randn(2, 8, requires_grad=True)
    network(torch.randn(2, 1, 2000), condition).abs().mean().backward()
    assert condition.grad.abs().sum() > 0
    unreached = [name for name, p in network.named_parameters() if p.grad is None]
    assert unreached == []


@pytest.mark.parametrize("gain_db", [-80, -24, 20])
def test_a_compressed_input_makes_the_answer_indifferent_to_level(gain_db):
    network, mixture, condition = small(config=TINY), torch.randn(1, 1, 4000), torch.randn(1, 8)
    gain = 10 ** (gain_db / 20)
    with torch.inference_mode():
        assert relative_error(network(mixture * gain, condition), network(mixture, condition) * gain) < 1e-5
        assert torch.equal(network(mixture / 16, condition), network(mixture, condition) / 16)
        assert not torch.equal(small()(mixture / 16, condition), small()(mixture, condition) / 16)


@pytest.mark.parametrize("config", [TINY, replace(TINY, compression=0.0)], ids=["compressed", "as in AudioSep"])
def test_the_input_bears_silence_and_its_gradient_is_finite(config):
    network = small(config=config)
    mixture = torch.cat((torch.zeros(1, 1, 2000), torch.randn(1, 1, 2000)), -1).requires_grad_()
    network(mixture, torch.randn(1, 8)).square().sum().backward()
    assert mixture.grad.isfinite().all()
    assert not network(torch.zeros(1, 1, 500), torch.randn(1, 8)).any()
    assert torch.allclose(network.seen(torch.zeros(1, 3, 65).cfloat()), torch.tensor(1e-5) ** (config.compression or 1))
    assert torch.allclose(torch.no_grad()(network.input_conv.forward)(mixture[None]), network.input_conv(mixture[None]))


def test_frequency_layers_begin_as_nothing_and_reach_from_the_lowest_bin_to_the_highest():
    network = small(config=TINY)
    condition = torch.randn(1, 8)
    layers = [module for module in network.modules() if isinstance(module, FrequencyLayers)]
    assert [layer.bins for layer in layers] == [64, 32, 16, 32, 64]
    features = torch.randn(2, 4, 3, 100)
    first = layers[0].eval()
    assert torch.equal(first(features, condition), features)
    torch.nn.init.normal_(first.expand.weight)
    changed = first(features, condition) - features
    with torch.inference_mode():
        assert torch.equal(first(features.clone(), condition), features + changed)
    assert changed[..., :64].all() and not changed[..., 64:].any()  # every bin by those of all others, none above


@pytest.mark.parametrize(
    ("sizes", "fault"),
    [
        ({"n_fft": 1000}, "n_fft 1000 is not divisible"),
        ({"hop": 0}, "positive"),
        ({"hop": 2048}, "hop 2048"),
        ({"channels": ()}, "positive"),
        ({"condition_size": 0}, "positive"),
        ({"compression": 2.0}, "compression 2.0"),
        ({"frequency_bins": 100}, "frequency_bins 100"),
        ({"frequency_bins": 2048}, "frequency_bins 2048"),
    ],
)
def test_impossible_sizes_are_refused(sizes, fault):
    with pytest.raises(InputError, match=fault):
        ResUNetConfig(**sizes)
