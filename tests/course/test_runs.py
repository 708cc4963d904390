"""Later notebooks go on from what earlier ones left, or from what ships, and say which."""

import json

import pytest

from lass_lab.course import runs as course_runs
from lass_lab.course.profile import PROFILES
from lass_lab.course.runs import (
    SHIPPED_STAGES,
    find_full_size,
    find_phase1,
    find_stages,
    finetune_folder,
    sized_recipe,
)
from lass_lab.experiments.recipes import RECIPES


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path))
    return tmp_path


def leave(folder, *phases, start="tiny"):
    for phase in phases:
        (folder / phase).mkdir(parents=True)
        (folder / phase / "config.json").touch()  # written last
    (folder / "recipe.json").write_text(json.dumps({"start": start}))


def test_without_a_run_the_shipped_phases_take_its_place(runs, capsys):
    assert find_phase1() == ("tiny-phase1", runs / "finetune-ci-from-shipped", "tiny-phase1")
    assert find_stages() == SHIPPED_STAGES
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2 and all("that ship" in line for line in told)


def test_phase_1_of_notebook_05_is_gone_on_from(runs, capsys):
    leave(finetune_folder(), "phase1")
    assert find_phase1() == ("tiny", runs / "finetune-ci", str(runs / "finetune-ci" / "phase1"))
    assert "your own phase 1" in capsys.readouterr().out
    assert find_stages() == SHIPPED_STAGES  # half a run is no run to compare with


def test_a_whole_run_is_used_whole(runs, capsys):
    folder = finetune_folder()
    leave(folder, "phase1", "phase2")
    leave(runs / "finetune-ci-from-shipped", "phase2", start="tiny-phase1")
    own = {"pretrained": "tiny", "phase 1": str(folder / "phase1"), "phase 2": str(folder / "phase2")}
    assert find_stages() == own
    assert "your own run" in capsys.readouterr().out


def test_a_phase_2_from_the_shipped_phase_1_stands_beside_it(runs, capsys):
    folder = runs / "finetune-ci-from-shipped"
    leave(folder, "phase2", start="tiny-phase1")
    assert find_stages() == SHIPPED_STAGES | {"phase 2": str(folder / "phase2")}
    assert "your own phase 2" in capsys.readouterr().out


def test_the_paper_s_recipe_is_whole_at_full_size_and_shortened_below():
    assert sized_recipe("paper", PROFILES["full"]) == RECIPES["paper"]
    small = sized_recipe("paper", PROFILES["ci"])
    assert (small.head, small.phase1.epochs, small.sample_rate) == ("paper", PROFILES["ci"].epochs[0], 12_000)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("LASS_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache"


def test_without_weights_one_line_says_how_to_get_them_and_nothing_is_fetched(cache, monkeypatch, capsys):
    monkeypatch.setattr(course_runs, "load_separator", lambda name: pytest.fail("would fetch"))
    assert find_full_size() is None
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "lass-lab weights audiosep" in line and "1.3 GB" in line


def test_asked_to_fetch_offline_it_says_why_not_and_goes_on(cache, capsys):
    assert find_full_size(fetch=True) is None
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "the hub cannot be reached" in line and "Going on without" in line
