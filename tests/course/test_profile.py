"""Profiles are chosen by name, and the doctor answers on any machine."""

import numpy as np
import pytest

from lass_lab.course import profile
from lass_lab.signal.files import InputError


def test_quick_is_the_default(monkeypatch):
    monkeypatch.delenv("LASS_LAB_PROFILE", raising=False)
    assert profile.current().name == "quick"
    monkeypatch.setenv("LASS_LAB_PROFILE", "")
    assert profile.current().name == "quick"


@pytest.mark.parametrize("name", ["ci", "quick", "full"])
def test_the_environment_chooses(monkeypatch, name):
    monkeypatch.setenv("LASS_LAB_PROFILE", name)
    assert profile.current() is profile.PROFILES[name]


def test_an_unknown_name_is_one_line_that_names_the_three(monkeypatch):
    monkeypatch.setenv("LASS_LAB_PROFILE", "fast")
    with pytest.raises(InputError) as caught:
        profile.current()
    assert str(caught.value) == "LASS_LAB_PROFILE=fast: no such profile; choose one of ci, quick, full"


def test_each_profile_does_at_least_what_the_smaller_one_does():
    unlimited = float("inf")
    ci, quick, full = (profile.PROFILES[name] for name in ("ci", "quick", "full"))
    sizes = ("seconds", "pieces", "item_seconds", "sample_rate", "study_epochs", "pairs", "contrastive_steps")
    for size in (*sizes, "cell_timeout"):
        values = [getattr(p, size) or unlimited for p in (ci, quick, full)]
        assert values == sorted(values), size
    assert all(
        one <= other for a, b in ((ci, quick), (quick, full)) for one, other in zip(a.epochs, b.epochs, strict=True)
    )


def test_cut_keeps_the_beginning_and_only_as_much_as_the_profile_says():
    waveform = np.arange(2 * 20 * 32_000).reshape(2, -1)
    np.testing.assert_array_equal(profile.PROFILES["ci"].cut(waveform), waveform[:, : 10 * 32_000])
    assert profile.PROFILES["full"].cut(waveform) is waveform
    short = waveform[:, :100]
    np.testing.assert_array_equal(profile.PROFILES["quick"].cut(short), short)


def test_the_doctor_names_what_there_is(monkeypatch):
    import torch

    monkeypatch.setenv("LASS_LAB_PROFILE", "ci")
    table = profile.doctor()
    assert list(table.columns) == ["item", "value", "ok", "advice"]
    assert table["item"].is_unique
    found = table.set_index("item")
    assert found.loc["profile", "value"] == "ci"
    assert found.loc["torch", "value"] in torch.__version__
    assert found.loc["Python", "ok"] is True
    assert {"CPU", "memory", "disk", "GPU", "bfloat16 on the CPU", "sentence encoder", "FluidSynth"} <= set(found.index)


def test_whatever_is_wrong_comes_with_advice(monkeypatch):
    monkeypatch.setenv("LASS_LAB_PROFILE", "no such profile")
    monkeypatch.setenv("LASS_LAB_DATA", "/nowhere/at/all")
    monkeypatch.setenv("HF_HUB_CACHE", "/nowhere/at/all")
    monkeypatch.setenv("PATH", "")
    table = profile.doctor()
    wrong = table[table["ok"].map(lambda ok: ok is False)]
    assert {"profile", "data"} <= set(wrong["item"])
    assert wrong["advice"].str.len().min() > 0
    assert not table["advice"].str.contains("\n").any()


def test_an_examination_that_breaks_spoils_no_other(monkeypatch):
    import psutil

    def broken(*_, **__):
        raise OSError("no such counter")

    monkeypatch.setattr(psutil, "virtual_memory", broken)
    table = profile.doctor().set_index("item")
    assert table.loc["memory", "value"] == "unknown"
    assert "no such counter" in table.loc["memory", "advice"]
    assert table.loc["Python", "ok"] is True
