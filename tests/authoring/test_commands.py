"""The authors' command line: a bad input ends in one line, and leaves nothing."""

import sys

import pytest

from authoring.__main__ import app
from lass_lab import cli
from tests.made_sources import DISTRACTORS, TONES, made_bank


def run(monkeypatch, *arguments):
    """Exit status of `python -m authoring ARGUMENTS`."""
    monkeypatch.setattr(sys, "argv", ["authoring", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.run(app)
    return ended.value.code


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("pretrain", "--sources", "gone"), "make the sources with: python -m authoring render sources"),
        (("pretrain", "--set", "loss=l2"), "loss 'l2': choose one of l1"),
        (("pretrain", "--set", "sample_rate=48000"), "sample_rate: cannot train at 48000 Hz"),
        (("pretrain", "--set", "sample_rate=11000"), "sample_rate: cannot train at 11000 Hz (ResUNetConfig: n_fft 704"),
        (("pretrain", "--set", "stepps=1"), "stepps"),
        (("study", "hats"), "study 'hats': choose one of heads, encoder"),
        (("study", "heads", "--profile", "huge"), "profile 'huge': choose one of ci"),
        (("keep", "gone", "--out", "kept"), "gone: holds no finished phase"),
        (("notebooks", "run", "99_none"), "99_none.ipynb: cannot be read as a notebook"),
    ],
)
def test_a_bad_input_gets_one_line_and_leaves_nothing(tmp_path, monkeypatch, capsys, arguments, fault):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path / "runs"))
    if "--set" in arguments:
        made_bank(tmp_path / "runs" / "sources", seconds=0.1, tones=TONES | DISTRACTORS)
    before = sorted(tmp_path.rglob("*"))
    assert run(monkeypatch, *arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("lass-lab: ") and err.count("\n") == 1 and fault in err
    assert sorted(tmp_path.rglob("*")) == before


def test_no_weights_are_overwritten_unless_asked(monkeypatch, tmp_path, capsys):
    (tmp_path / "model.safetensors").write_text("precious")
    assert run(monkeypatch, "pretrain", "--out", tmp_path) == 2
    assert capsys.readouterr().err == f"lass-lab: {tmp_path}: holds weights already; pass --force to overwrite\n"
