"""Profiles are chosen by name, and the doctor answers on any machine."""

import pytest

from lass_lab.course import profile
from lass_lab.course.doctor import doctor
from lass_lab.signal.files import InputError


def test_the_environment_chooses_and_quick_is_the_default(monkeypatch):
    monkeypatch.delenv("LASS_LAB_PROFILE", raising=False)
    assert profile.current().name == "quick"
    for name in ("ci", "quick", "full"):
        monkeypatch.setenv("LASS_LAB_PROFILE", name)
        assert profile.current() is profile.PROFILES[name]
    monkeypatch.setenv("LASS_LAB_PROFILE", "fast")
    with pytest.raises(InputError, match="LASS_LAB_PROFILE=fast: .*ci, quick, full"):
        profile.current()


def test_whatever_is_wrong_comes_with_advice_and_spoils_no_other_line(monkeypatch):
    import psutil

    def broken():
        raise OSError("no such counter")

    monkeypatch.setenv("LASS_LAB_PROFILE", "no such profile")
    monkeypatch.setenv("LASS_LAB_DATA", "/nowhere/at/all")
    monkeypatch.setattr(psutil, "virtual_memory", broken)
    table = doctor().set_index("item")
    wrong = table[table["ok"].map(lambda ok: ok is False)]
    assert {"profile", "data", "memory"} <= set(wrong.index)
    assert "no such counter" in wrong.loc["memory", "advice"] and "/nowhere/at/all" in wrong.loc["data", "advice"]
    assert wrong["advice"].str.len().min() > 0
    assert table.loc["Python", "ok"] is True
