"""The commands as a user types them: what they write, what they refuse, and in how many words."""

import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from lass_lab import cli
from lass_lab.signal import read_audio


def run(monkeypatch, *arguments):
    """Exit status of `lass-lab ARGUMENTS`."""
    monkeypatch.setattr(sys, "argv", ["lass-lab", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as exit:
        return exit.code or 0
    return 0


@pytest.fixture
def mixture(tmp_path):
    path = tmp_path / "two tones.wav"
    time = np.arange(80_000) / 44_100
    stereo = 0.3 * np.stack([np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 660 * time)], axis=1)
    soundfile.write(path, stereo, 44_100)
    return path


def test_separate_writes_one_file_a_query(monkeypatch, mixture, tmp_path, capsys):
    out = tmp_path / "estimates"
    arguments = ("separate", mixture, "--query", "violin", "--query", "The Trumpet!", "--query", "🎻", "--out", out)
    assert run(monkeypatch, *arguments) == 0
    names = ["two tones.query_3.wav", "two tones.the_trumpet.wav", "two tones.violin.wav"]
    assert sorted(path.name for path in out.iterdir()) == names
    for path in out.iterdir():
        assert len(read_audio(path)) == len(read_audio(mixture))
    assert "times real time" in capsys.readouterr().out


def test_separate_overwrites_nothing_unless_asked(monkeypatch, mixture, tmp_path, capsys):
    old = tmp_path / "two tones.violin.wav"
    old.write_text("precious")
    arguments = ("separate", mixture, "--query", "violin", "--out", tmp_path)
    assert run(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err == f"lass-lab: {old}: exists already; pass --force to overwrite\n"
    assert old.read_text() == "precious"
    assert run(monkeypatch, *arguments, "--force") == 0
    assert len(read_audio(old)) == len(read_audio(mixture))


def test_separate_takes_a_clip_in_place_of_words(monkeypatch, mixture, tmp_path):
    clip, out = tmp_path / "my clip.wav", tmp_path / "estimates"
    soundfile.write(clip, 0.1 * np.random.default_rng(0).standard_normal(44_100), 44_100)
    assert run(monkeypatch, "separate", mixture, "--query-audio", clip, "--query", "violin", "--out", out) == 0
    assert sorted(path.name for path in out.iterdir()) == ["two tones.my_clip.wav", "two tones.violin.wav"]


def test_a_query_clip_without_sound_is_named(monkeypatch, mixture, tmp_path, capsys):
    clip = tmp_path / "silent.wav"
    soundfile.write(clip, np.zeros(44_100), 44_100)
    assert run(monkeypatch, "separate", mixture, "--query-audio", clip, "--out", tmp_path / "out") == 2
    fault = capsys.readouterr().err
    assert "silent" in fault and str(clip) in fault
    assert not (tmp_path / "out").exists()


def _missing(folder):
    return folder / "gone.wav", "no such file"


def _text(folder):
    (folder / "words.wav").write_text("not a sound")
    return folder / "words.wav", "words.wav"


def _empty(folder):
    (folder / "empty.wav").touch()
    return folder / "empty.wav", "is empty (0 bytes)"


def _nan(folder):
    soundfile.write(folder / "nan.wav", np.array([0.1, np.nan]), 32_000, subtype="FLOAT")
    return folder / "nan.wav", "NaN or infinite"


def _folder(folder):
    return folder, "is a folder"


@pytest.mark.parametrize("make", [_missing, _text, _empty, _nan, _folder])
def test_bad_recordings_end_in_one_line(monkeypatch, tmp_path, capsys, make):
    path, fault = make(tmp_path)
    assert run(monkeypatch, "separate", path, "--query", "violin", "--out", tmp_path / "out") == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("lass-lab: ") and complaint.count("\n") == 1
    assert fault in complaint and str(path) in complaint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--query", " "), "query: is empty"),
        (("--query", "violin", "--model", "huge"), "model 'huge': neither one of tiny"),
        (("--query", "violin", "--device", "cuda:7"), "device 'cuda:7': this machine has"),
        (("--query", "violin", "--precision", "int3"), "precision 'int3': choose"),
    ],
)
def test_bad_options_end_in_one_line(monkeypatch, mixture, tmp_path, capsys, arguments, fault):
    assert run(monkeypatch, "separate", mixture, "--out", tmp_path / "out", *arguments) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"lass-lab: {fault}") and complaint.count("\n") == 1


def test_evaluate_prints_and_writes_its_table(monkeypatch, tmp_path, capsys):
    out = tmp_path / "table.csv"
    assert run(monkeypatch, "evaluate", "--piece", "tempus", "--longest", "11", "--out", out) == 0
    printed, table = capsys.readouterr().out, pd.read_csv(out)
    assert set(table["separator"]) == {"mixture", "tiny"} and np.isfinite(table["value"]).all()
    assert set(table.query("extent == 'slice'")["start_s"]) == {0.0, 5.0}
    row = table.query("separator == 'mixture' and metric == 'SDR' and extent == 'piece' and source == 'violin'")
    assert f"{row['value'].item():.2f}" in printed and "trumpet" in printed
    assert run(monkeypatch, "evaluate", "--piece", "tempus", "--longest", "11", "--out", out) == 2
    assert "pass --force to overwrite" in capsys.readouterr().err


def test_evaluate_names_an_unknown_piece(monkeypatch, capsys):
    assert run(monkeypatch, "evaluate", "--piece", "symphony") == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("lass-lab: symphony: no such piece; one of")


def test_pretrain_needs_sources(monkeypatch, tmp_path, capsys):
    out = tmp_path / "out"  # not the default, which may hold weights
    assert run(monkeypatch, "pretrain", "--sources", tmp_path, "--run", tmp_path / "run", "--out", out) == 2
    assert capsys.readouterr().err.endswith("make the sources with: lass-lab render sources\n")


def test_pretrain_overwrites_no_weights_unless_asked(monkeypatch, tmp_path, capsys):
    (tmp_path / "model.safetensors").write_text("precious")
    assert run(monkeypatch, "pretrain", "--out", tmp_path) == 2
    assert capsys.readouterr().err == f"lass-lab: {tmp_path}: holds weights already; pass --force to overwrite\n"


def test_render_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    for what in ("duets", "sources"):
        assert run(monkeypatch, "render", what, "--out", tmp_path / "made") == 2
        complaint = capsys.readouterr().err
        assert "fluidsynth" in complaint and complaint.count("\n") == 1
    assert not (tmp_path / "made").exists()
