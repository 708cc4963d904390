"""Pretraining: a run that can be killed, the weights that come out of it, and settings that change its recipe."""

import copy
import dataclasses
import shutil

import pytest
import torch
from torch import nn

from authoring.training import pretraining
from authoring.training.pretraining import PretrainingRecipe, compile_norms, pretrain
from lass_lab.datasets.mixing import MixtureRecipe
from lass_lab.experiments.contrastive import ContrastiveRecipe
from lass_lab.models import ResUNetConfig
from lass_lab.models.layers import ConditionedNorm
from tests.made_sources import DISTRACTORS, TONES, made_bank

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64, compression=0.3, frequency_bins=64)
CONTRASTIVE = ContrastiveRecipe(steps=5, seconds=0.5)
RECIPE = PretrainingRecipe(
    steps=6,
    batch=2,
    seconds=0.3,
    network=SMALL,
    average=0.9,
    sample_rate=16_000,
    full_rate_steps=2,
    mixtures=MixtureRecipe(distractors=0.15, sounds=0.15),
    contrastive=CONTRASTIVE,
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return made_bank(tmp_path_factory.mktemp("bank"), tones=TONES | DISTRACTORS)


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
        unbroken = pretrain(sources, tmp_path / "unbroken", RECIPE)
        real_step = pretraining.SeparationTask.training_step

        def dies_in_the_third_epoch(task, batch, index):
            if task.global_step == 5:
                raise Killed
            return real_step(task, batch, index)

        with monkeypatch.context() as patch:
            patch.setattr(pretraining.SeparationTask, "training_step", dies_in_the_third_epoch)
            with pytest.raises(Killed):
                pretrain(sources, tmp_path / "killed", RECIPE)
        resumed = pretrain(sources, tmp_path / "killed", RECIPE)
    finally:
        torch.use_deterministic_algorithms(False)
    before, after = learnt(unbroken), learnt(resumed)
    assert before.keys() == after.keys()
    assert [key for key in before if not torch.equal(before[key], after[key])] == []


def test_norms_follow_the_data(sources, tmp_path, short_epochs):
    recipe = dataclasses.replace(RECIPE, steps=2, contrastive=None)
    state = pretrain(sources, tmp_path / "run", recipe).network.state_dict()
    norms = {key: value for key, value in state.items() if key.endswith(("running_mean", "running_var"))}
    starts = {key: torch.full_like(value, key.endswith("var")) for key, value in norms.items()}
    assert norms and not any(torch.equal(value, starts[key]) for key, value in norms.items())


def test_training_teaches(sources, tmp_path, monkeypatch):
    """A few hundred steps on three pure tones: the separator must follow the words."""
    from lass_lab.experiments.evaluation import evaluate_mixtures

    monkeypatch.setattr(pretraining, "STEPS_AN_EPOCH", 125)
    monkeypatch.setattr(pretraining, "VALIDATION_PAIRS", 2)
    recipe = dataclasses.replace(RECIPE, steps=250, batch=4, contrastive=ContrastiveRecipe(steps=100, seconds=0.5))
    taught = pretrain(sources, tmp_path / "run", recipe)
    table = evaluate_mixtures(taught, sources, pairs=20, seconds=0.5, progress=False)
    assert table["sdri"].mean() > 3


@pytest.mark.skipif(not shutil.which("g++"), reason="compiling takes a compiler")
def test_a_compiled_norm_computes_the_same():
    plain = ConditionedNorm(3, 8)
    compiled = copy.deepcopy(plain)
    compile_norms(nn.Sequential(compiled))
    condition, found = torch.randn(2, 8), []
    for norm in (plain, compiled):
        features = torch.randn(2, 3, 6, 16, generator=torch.manual_seed(0), requires_grad=True)
        answer = norm(features, condition)
        (answer * torch.arange(16)).sum().backward()
        found.append([answer, features.grad, *(each.grad for each in norm.parameters()), *norm.buffers()])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-4)
    assert copy.deepcopy(compiled)(features, condition).isfinite().all()  # the average of the weights is such a copy
