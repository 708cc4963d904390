"""The learning rate's schedule, and training at a lower rate."""

import pytest
import torch
from torchaudio.functional import resample

from lass_lab.datasets import load_piece
from lass_lab.experiments.training import Schedule, SeparationTask, at_rate
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig, load_separator
from lass_lab.models.querynet import TinyQueryNet

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64)


def test_the_schedule_rises_holds_and_ends_at_zero():
    schedule = Schedule(steps=1000, warmup=100, descent=0.3)
    factors = [schedule(step) for step in range(1001)]
    assert factors[0] == pytest.approx(0.01) and factors[99:700] == [1.0] * 601
    assert factors[850] == pytest.approx(0.5) and factors[1000] == 0.0
    assert all(later <= earlier for earlier, later in zip(factors[700:], factors[701:], strict=False))


def test_a_longer_run_is_the_same_run_until_the_shorter_one_descends():
    short, long = Schedule(steps=1000), Schedule(steps=5000)
    assert [short(step) for step in range(700)] == [long(step) for step in range(700)]


def test_a_run_that_goes_on_with_other_steps_follows_its_new_schedule():
    def scheduler(steps):
        task = SeparationTask(LanguageSeparator(TinyQueryNet(), ResUNet(SMALL)), Schedule(steps, warmup=1))
        return task.configure_optimizers()["lr_scheduler"]["scheduler"]

    shorter, longer = scheduler(10), scheduler(100)
    longer.load_state_dict(shorter.state_dict())
    assert longer.lr_lambdas[0](20) == 1.0 and shorter.lr_lambdas[0](20) == 0.0


def test_at_a_lower_rate_the_network_sees_the_same_lower_bins():
    """Behind the norm, up to where the resampler's filter sets in, the picture is that of the full rate."""
    separator = load_separator("tiny", precision="float32")
    mixture = torch.from_numpy(load_piece("joy").slice(20.0, 10.24).mixture)[None, None]
    seen = []

    def look(*where):
        seen.append(where[2][:, :320])  # bins, where channels usually stand, below 5 kHz

    for rate in (32_000, 12_000):
        with at_rate(separator, rate), torch.no_grad():
            hook = separator.network.input_norm.register_forward_hook(look)
            assert separator(resample(mixture, 32_000, rate), ["violin"]).abs().max() > 0.01
            hook.remove()
    whole, lower = seen
    frames = slice(2, -3)  # at the ends, the reflected edge is not the same
    apart = (whole - lower)[:, :, frames].norm() / whole[:, :, frames].norm()
    assert apart < 0.02, apart


def test_training_at_a_lower_rate_moves_the_whole_network_and_only_lower_bins_of_its_norm():
    separator = LanguageSeparator(TinyQueryNet(), ResUNet(SMALL))
    separator.network.input_norm.running_mean.fill_(0.5)
    before = {key: value.clone() for key, value in separator.network.state_dict().items()}
    with at_rate(separator, 8_000):
        assert separator.network.input_norm.running_mean[0] == 0.5 / 4  # of a window a quarter as long
        task = SeparationTask(separator, Schedule(steps=6), sample_rate=8_000)
        optimizer = task.configure_optimizers()["optimizer"]
        batch = {"mixture": torch.randn(2, 1, 9600), "target": torch.randn(2, 1, 9600), "query": ["violin", "flute"]}
        batch = task.on_after_batch_transfer(batch, 0)
        assert batch["mixture"].shape[-1] == 2400
        estimate = separator(batch["mixture"], batch["query"])
        task.loss(estimate, batch["target"], batch["mixture"]).backward()
        optimizer.step()
    after = separator.network.state_dict()
    still = [key for key in before if torch.equal(before[key], after[key])]
    assert still == ["input_norm.num_batches_tracked"]  # which counts for nothing
    lower = separator.network.config.n_fft // 8 + 1
    for key in ("weight", "bias", "running_mean", "running_var"):
        moved = after[f"input_norm.{key}"] != before[f"input_norm.{key}"]
        assert moved[: lower - 1].any() and not moved[lower:].any()
