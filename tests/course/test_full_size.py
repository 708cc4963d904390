"""Without AudioSep's weights, one line says how to get them."""

import pytest

from lass_lab.course import full_size


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("LASS_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache"


def test_without_weights_one_line_says_how_to_get_them_and_nothing_is_fetched(cache, monkeypatch, capsys):
    monkeypatch.setattr(full_size, "load_separator", lambda name: pytest.fail("would fetch"))
    assert full_size.find_full_size() is None
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "lass-lab weights audiosep" in line and "1.3 GB" in line


def test_asked_to_fetch_offline_it_says_why_not_and_goes_on(cache, capsys):
    assert full_size.find_full_size(fetch=True) is None
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "the hub cannot be reached" in line and "Going on without" in line
