"""Notebook 09's tools: what is missing is said in one line, and counts agree with what is known."""

import pytest
import torch
from torch import nn

from lass_lab.course.nb09 import scaling
from lass_lab.models import ResUNet, ResUNetConfig
from lass_lab.models.audiosep.fetching import CHECKPOINT


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("LASS_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache"


def test_without_weights_one_line_says_how_to_get_them_and_nothing_is_fetched(cache, monkeypatch, capsys):
    monkeypatch.setattr(scaling, "load_separator", lambda name: pytest.fail("would fetch"))
    assert scaling.find_full_size() is None
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "lass-lab weights audiosep" in line and f"{CHECKPOINT.gigabytes} GB" in line


def test_asked_to_fetch_offline_it_says_why_not_and_goes_on(cache, capsys):
    assert scaling.find_full_size(fetch=True) is None
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "the hub cannot be reached" in line and "Going on without" in line


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
    magnitude, condition = torch.rand(1, 1, 401, 129), torch.rand(1, 512)
    kept = scaling.kept_for_backward(network, lambda: network.logits(magnitude, condition))
    # A norm keeps a few numbers a channel more or less, by what computes it.
    assert scaling.kept_on_paper(config, 1.0) == pytest.approx(kept, rel=1e-3)
