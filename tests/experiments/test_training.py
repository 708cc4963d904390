"""The training loop: the schedule's shape, a run that can be killed, and weights that come out of it."""

import dataclasses

import pytest
import torch
from torchaudio.functional import resample

from authoring.training import pretraining
from authoring.training.pretraining import PretrainingRecipe, pretrain
from lass_lab.datasets import load_piece
from lass_lab.datasets.mixing import MixtureRecipe
from lass_lab.experiments.contrastive import ContrastiveRecipe
from lass_lab.experiments.lower_rate import at_rate
from lass_lab.experiments.training import Schedule
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig, load_separator
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.signal import sdr_improvement
from lass_lab.signal.files import InputError
from tests.made_sources import STRANGERS, TONES, made_bank

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64)
CONTRASTIVE = ContrastiveRecipe(steps=5, seconds=0.5)
RECIPE = PretrainingRecipe(
    steps=6,
    batch=2,
    seconds=0.3,
    network=SMALL,
    mixtures=MixtureRecipe(strange=0.15, sounds=0.15, coloured=0.5),
    contrastive=CONTRASTIVE,
)


def test_the_schedule_rises_holds_and_ends_at_zero():
    schedule = Schedule(steps=1000, warmup=100, descent=0.3)
    factors = [schedule(step) for step in range(1001)]
    assert factors[0] == pytest.approx(0.01) and factors[99:700] == [1.0] * 601
    assert factors[850] == pytest.approx(0.5) and factors[1000] == 0.0
    assert all(later <= earlier for earlier, later in zip(factors[700:], factors[701:], strict=False))


def test_a_longer_run_is_the_same_run_until_the_shorter_one_descends():
    short, long = Schedule(steps=1000), Schedule(steps=5000)
    assert [short(step) for step in range(700)] == [long(step) for step in range(700)]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return made_bank(tmp_path_factory.mktemp("bank"), tones=TONES | STRANGERS)


@pytest.fixture
def short_epochs(monkeypatch):
    monkeypatch.setattr(pretraining, "STEPS_AN_EPOCH", 2)
    monkeypatch.setattr(pretraining, "VALIDATION_PAIRS", 2)


class Killed(BaseException):
    pass


def learnt(separator):
    return {key: value for key, value in separator.state_dict().items() if "encoder.bert" not in key}


def test_a_killed_run_resumes_to_the_weights_of_an_unbroken_one(sources, tmp_path, short_epochs, monkeypatch):
    torch.use_deterministic_algorithms(True)
    try:
        unbroken = pretrain(sources, tmp_path / "unbroken", RECIPE, progress=False)
        real_step = pretraining.SeparationTask.training_step

        def dies_in_the_third_epoch(task, batch, index):
            if task.global_step == 5:
                raise Killed
            return real_step(task, batch, index)

        with monkeypatch.context() as patch:
            patch.setattr(pretraining.SeparationTask, "training_step", dies_in_the_third_epoch)
            with pytest.raises(Killed):
                pretrain(sources, tmp_path / "killed", RECIPE, progress=False)
        resumed = pretrain(sources, tmp_path / "killed", RECIPE, progress=False)
    finally:
        torch.use_deterministic_algorithms(False)
    before, after = learnt(unbroken), learnt(resumed)
    assert before.keys() == after.keys()
    assert [key for key in before if not torch.equal(before[key], after[key])] == []


@pytest.mark.parametrize("still", [False, True])
def test_norms_follow_what_is_heard_unless_told_to_stand_still(sources, tmp_path, short_epochs, still):
    """From the weights of another run as well, whose separator is loaded in the mode in which it is used."""
    before = LanguageSeparator(TinyQueryNet(), ResUNet(SMALL))
    before.save_pretrained(tmp_path / "first")
    recipe = dataclasses.replace(RECIPE, steps=2, contrastive=None, freeze_norms=still)
    after = pretrain(sources, tmp_path / "run", recipe, start=tmp_path / "first", progress=False)
    moved = {
        key: not torch.equal(value, before.network.state_dict()[key])
        for key, value in after.network.state_dict().items()
        if key.endswith(("running_mean", "running_var"))
    }
    assert set(moved.values()) == {not still}


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


def test_at_a_lower_rate_the_network_hears_as_well():
    """The violin of ten seconds comes out as clean from the lower bins alone as from all of them."""
    separator = load_separator("tiny", precision="float32")
    piece = load_piece("joy").slice(20.0, 10.24)
    mixture, target = (torch.from_numpy(wave)[None, None] for wave in (piece.mixture, piece.sources["violin"]))
    lower_mixture, lower_target = (resample(wave, 32_000, 12_000) for wave in (mixture, target))
    with torch.no_grad():
        whole = separator(mixture, ["violin"])
        with at_rate(separator, 12_000):
            lower = separator(lower_mixture, ["violin"])
    gains = [
        sdr_improvement(*(wave[0, 0].numpy() for wave in waves))
        for waves in ((target, whole, mixture), (lower_target, lower, lower_mixture))
    ]
    assert min(gains) > 2 and abs(gains[0] - gains[1]) < 1, gains


def test_training_at_a_lower_rate_moves_the_whole_network_and_only_lower_bins_of_its_norm(sources, tmp_path):
    separator = LanguageSeparator(TinyQueryNet(), ResUNet(SMALL))
    separator.network.input_norm.running_mean.fill_(0.5)
    before = {key: value.clone() for key, value in separator.network.state_dict().items()}
    with at_rate(separator, 8_000):
        assert separator.network.input_norm.running_mean[0] == 0.5 / 4  # of a window a quarter as long
        task = pretraining.PretrainingTask(separator, dataclasses.replace(RECIPE, sample_rate=8_000))
        optimizer = task.configure_optimizers()["optimizer"]
        batch = {"mixture": torch.randn(2, 1, 9600), "target": torch.randn(2, 1, 9600), "query": ["violin", "flute"]}
        batch = task.on_after_batch_transfer(batch, 0)
        assert batch["mixture"].shape[-1] == 2400
        estimate = separator(batch["mixture"], batch["query"])
        task.lowered(estimate, batch["target"], batch["mixture"]).backward()
        optimizer.step()
    after = separator.network.state_dict()
    still = [key for key in before if torch.equal(before[key], after[key])]
    assert still == ["input_norm.num_batches_tracked"]  # which counts for nothing
    lower = separator.network.config.n_fft // 8 + 1
    for key in ("weight", "bias", "running_mean", "running_var"):
        moved = after[f"input_norm.{key}"] != before[f"input_norm.{key}"]
        assert moved[: lower - 1].any() and not moved[lower:].any()


def test_training_teaches(sources, tmp_path, monkeypatch):
    """A few hundred steps on three pure tones: the separator must follow the words."""
    from lass_lab.experiments.evaluation import evaluate_mixtures

    monkeypatch.setattr(pretraining, "STEPS_AN_EPOCH", 125)
    monkeypatch.setattr(pretraining, "VALIDATION_PAIRS", 2)
    recipe = dataclasses.replace(RECIPE, steps=250, batch=4, contrastive=ContrastiveRecipe(steps=100, seconds=0.5))
    taught = pretrain(sources, tmp_path / "run", recipe, fuse=False, progress=False)  # to compile takes longer here
    table = evaluate_mixtures(taught, sources, split="train", pairs=20, seconds=0.5, progress=False)
    assert table["sdri"].mean() > 3


def test_checkpoints_hold_no_copy_of_the_sentence_encoder(sources, tmp_path, short_epochs):
    pretrain(sources, tmp_path / "run", dataclasses.replace(RECIPE, steps=2), progress=False)
    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=False)
    assert not any("encoder.bert" in key for key in state["state_dict"])
    assert state["global_step"] == 2 and state["callbacks"]["Timer"]["time_elapsed"]["train"] > 0


def test_a_checkpoint_of_another_network_is_named(sources, tmp_path, short_epochs):
    pretrain(sources, tmp_path / "run", dataclasses.replace(RECIPE, steps=2), progress=False)
    other = dataclasses.replace(RECIPE, network=dataclasses.replace(SMALL, channels=(4, 8)))
    with pytest.raises(InputError, match="another shape"):
        pretrain(sources, tmp_path / "run", other, progress=False)
