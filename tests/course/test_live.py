"""The live picture of a training run: what it gathers, and that looking on changes nothing."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from lass_lab.course.figures import describe
from lass_lab.course.live import LiveTraining, running_mean
from lass_lab.datasets import duets
from lass_lab.experiments import finetune
from lass_lab.experiments.recipes import Phase
from lass_lab.signal import sdr_improvement
from tests import made_runs
from tests.course.controls import set_to, sounds, text
from tests.made_duets import made_duets
from tests.made_separators import small
from tests.made_sources import made_bank

RECIPE = replace(made_runs.RECIPE, phase2=Phase(epochs=0, rate=0.0), batch=4, validate_every=1)
SOURCES = {
    name: np.random.default_rng(seed).normal(0, 0.1, 8000).astype(np.float32)
    for seed, name in enumerate(("violin", "trumpet"))
}
MIXTURE = sum(SOURCES.values())


def test_looking_on_gathers_everything_and_changes_nothing(tmp_path, shell, monkeypatch):
    monkeypatch.setattr(duets, "VALIDATION_S", 5.0)
    small().save_pretrained(tmp_path / "start")
    data, bank = made_duets(tmp_path / "data", 17.0), made_bank(tmp_path / "bank")
    made = {"start": tmp_path / "start", "data": data, "bank": bank}
    live = LiveTraining(MIXTURE, SOURCES)
    watched = finetune(run=tmp_path / "watched", recipe=RECIPE, callbacks=[live], progress=False, **made)
    unwatched = finetune(run=tmp_path / "unwatched", recipe=RECIPE, progress=False, **made)
    assert [step for step, _ in live.losses] == [1, 2, 3, 4] and [step for step, _ in live.gains] == [0, 2, 4]
    assert list(live.estimates) == list(live.scores) == [0, 2, 4]
    for step, estimates in live.estimates.items():
        for source, truth in SOURCES.items():
            gain = sdr_improvement(truth, estimates[source].astype(np.float32), MIXTURE)
            assert live.scores[step][source] == pytest.approx(gain, abs=0.01)
    still = live.replay().still.data
    steps = ["step 0", "step 2", "step 4"]
    assert list(re.findall('aria-label="([^"]+)"', still)) == 2 * [*steps, "the true source"]
    page = set_to(live.replay(), "step", 2)
    assert list(sounds(page))[1] == "“violin” at step 2" and len(sounds(page)) == 5
    assert f"at step 2: violin {live.scores[2]['violin']:+.1f} dB" in text(page)
    before, after = watched.state_dict(), unwatched.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    told = describe(live.figure())
    assert "running mean from" in told and "SDRi (dB) against optimiser step" in told


def test_where_nothing_was_trained_a_line_says_what_to_do():
    assert "delete the run" in LiveTraining(MIXTURE, SOURCES).replay().still.data


def test_a_running_mean_begins_at_the_first_value_and_keeps_a_constant():
    assert running_mean(np.full(5, 3.0)) == pytest.approx([3.0] * 5)
    assert running_mean(np.array([1.0, 0.0, 0.0])) == pytest.approx([1.0, 0.9 / 1.9, 0.81 / 2.71])
