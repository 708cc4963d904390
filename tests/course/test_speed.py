"""A slow computer does fewer epochs of the quick profile, and says so; a fast one does them all."""

import json
from dataclasses import replace

import pytest

from lass_lab.course.profile import PROFILES
from lass_lab.course.speed import REFERENCE_STEP_S, fitted, step_seconds, timed_step
from lass_lab.experiments.recipes import RECIPES

QUICK = PROFILES["quick"]


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Sets how long a step takes here, in the file that a measurement leaves."""
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path))

    def leave(seconds):
        (tmp_path / "speed.json").write_text(json.dumps({"step_seconds": seconds, "epoch_steps": 14.0}))

    return leave


def test_the_epochs_fit_the_time_and_are_never_more_than_the_profile_has(measured):
    said = []
    measured(0.5)
    assert fitted(QUICK, said.append) == QUICK
    measured(4 * REFERENCE_STEP_S)
    slow = fitted(QUICK, said.append)
    steps = 14 * (sum(slow.epochs) + 3 * slow.study_epochs)
    assert 0.8 < steps * 4 * REFERENCE_STEP_S / (60 * QUICK.training_minutes) < 1.2
    assert slow.share < 1 and slow.name == QUICK.name
    measured(100.0)
    assert min(*fitted(QUICK, said.append).epochs, fitted(QUICK, said.append).study_epochs) == 1
    assert "100% of the quick profile" in said[0] and "4.0 times as long" in said[1] and "speed.json" in said[1]


def test_other_profiles_are_as_long_as_they_are(measured):
    for name in ("ci", "full"):
        assert fitted(PROFILES[name], say=pytest.fail) is PROFILES[name]


def test_a_measurement_is_made_once_and_again_where_its_file_is_spoilt(tmp_path, monkeypatch):
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path))
    (tmp_path / "speed.json").write_text("{")
    first = step_seconds()
    assert 0 < first == step_seconds()
    assert json.loads((tmp_path / "speed.json").read_text())["step_seconds"] == first


def test_a_step_of_more_items_is_told_to_take_longer():
    small = replace(RECIPES["paper"], items=replace(RECIPES["paper"].items, seconds=0.4), batch=2)
    one, many = timed_step(small, items=2), timed_step(replace(small, batch=200), items=2)
    assert 0 < one < many
