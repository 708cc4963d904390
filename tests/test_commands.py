"""The commands as a user types them: what they write, what they refuse, and in how many words."""

import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from lass_lab import cli
from lass_lab.datasets import load_piece
from lass_lab.signal import audio_info, read_audio, sdr, write_audio
from tests.made_duets import made_duets
from tests.made_separators import small
from tests.made_sources import made_bank


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
        assert audio_info(path) == audio_info(mixture) == (44_100, 2, 80_000, "PCM_16")
    assert "times real time" in capsys.readouterr().out


def test_separate_writes_the_rest_and_the_recording_without(monkeypatch, mixture, tmp_path, capsys):
    asked = ("--query", "violin", "--residual", "--remove", "violin", "--remove", "flute")
    assert run(monkeypatch, "separate", mixture, *asked, "--out", tmp_path / "plain") == 0
    assert run(monkeypatch, "separate", mixture, "--query", "violin", "--consistent", "--out", tmp_path / "adds") == 0
    assert run(monkeypatch, "separate", mixture, *asked[:2], "--against", "flute", "--out", tmp_path / "against") == 0
    plain, adds, against = (
        {path.name.split(".")[1]: soundfile.read(path)[0] for path in (tmp_path / name).iterdir()}
        for name in ("plain", "adds", "against")
    )
    assert sorted(plain) == ["residual", "violin", "without_violin_and_flute"]
    assert sorted(adds) == ["residual", "violin"]
    whole, _ = soundfile.read(mixture)
    for parts in (plain, adds):
        np.testing.assert_allclose(parts["violin"] + parts["residual"], whole, atol=2 / 32_768)
    assert list(against) == ["violin"]
    sums = tmp_path / "sums"
    assert run(monkeypatch, "separate", mixture, *asked[:2], "--remove", "violin", "--consistent", "--out", sums) == 0
    parts = {path.name.split(".")[1]: soundfile.read(path)[0] for path in sums.iterdir()}
    np.testing.assert_allclose(parts["violin"], adds["violin"], atol=1 / 32_768)  # named twice, it is one
    np.testing.assert_allclose(parts["without_violin"], parts["residual"], atol=1 / 32_768)


def test_separate_goes_through_folders_and_names_what_failed(monkeypatch, mixture, tmp_path, capsys):
    for place in ("songs/a.wav", "songs/deep/a.wav", "songs/deep/b.wav"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(mixture, tmp_path / place)
    (tmp_path / "songs" / "bad.wav").write_text("no sound")
    (tmp_path / "songs" / "notes.txt").write_text("no sound")
    songs, out = tmp_path / "songs", tmp_path / "out"
    assert run(monkeypatch, "separate", songs, mixture, "--recursive", "--query", "violin", "--out", out) == 2
    made = sorted(str(path.relative_to(out)) for path in out.rglob("*.wav"))
    assert made == ["a.violin.wav", "deep/a.violin.wav", "deep/b.violin.wav", "two tones.violin.wav"]
    fault = capsys.readouterr().err.splitlines()[-1]
    assert fault.startswith("lass-lab: 1 of 5 recordings failed: ") and "bad.wav: cannot be read as audio" in fault
    assert run(monkeypatch, "separate", tmp_path / "out" / "deep" / "..", "--query", "violin", "--out", out / "x") == 0
    deep = songs / "deep"  # beside the recordings, which lie in `out` then, and one of them is named twice
    assert run(monkeypatch, "separate", deep, deep / "a.wav", "--query", "violin", "--out", songs) == 0
    assert sorted(path.name for path in songs.glob("*.violin.wav")) == ["a.violin.wav", "b.violin.wav"]


def test_separate_reads_standard_input(monkeypatch, mixture, tmp_path):
    with mixture.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=file))
        assert run(monkeypatch, "separate", "-", "--query", "violin", "--out", tmp_path) == 0
    assert audio_info(tmp_path / "stdin.violin.wav") == audio_info(mixture)


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


def test_evaluate_prints_and_writes_its_table(monkeypatch, tmp_path, capsys):
    out = tmp_path / "table.csv"
    assert run(monkeypatch, "evaluate", "--piece", "tempus", "--longest", "11", "--out", out) == 0
    printed, table = capsys.readouterr().out, pd.read_csv(out)
    assert set(table["separator"]) == {"mixture", "tiny", "tiny, consistent", "tiny, by subtraction"}
    assert np.isfinite(table["value"]).all()
    assert set(table.query("extent == 'slice'")["start_s"]) == {0.0, 5.0}
    row = table.query("separator == 'mixture' and metric == 'SDR' and extent == 'piece' and source == 'violin'")
    assert f"{row['value'].item():.2f}" in printed and "trumpet" in printed
    assert run(monkeypatch, "evaluate", "--piece", "tempus", "--longest", "11", "--out", out) == 2
    assert "pass --force to overwrite" in capsys.readouterr().err


@pytest.fixture(scope="module")
def finetuned(tmp_path_factory):
    """A run folder as fine-tuning leaves it, in which nothing was learned."""
    folder = tmp_path_factory.mktemp("run")
    small().save_pretrained(folder / "start")
    (folder / "recipe.json").write_text(json.dumps({"start": str(folder / "start")}))
    for phase in ("phase1", "phase2"):
        shutil.copytree(folder / "start", folder / phase)
    return folder


def test_evaluate_sets_a_run_beside_the_paper(monkeypatch, finetuned, tmp_path, capsys):
    out = tmp_path / "table.csv"
    options = ("--run", finetuned, "--piece", "tempus", "--longest", "5", "--out", out)
    assert run(monkeypatch, "evaluate", "--table", "paper", *options) == 0
    printed, table = capsys.readouterr().out, pd.read_csv(out)
    stages = [name for stage in ("pretrained", "phase 1", "phase 2") for name in (stage, f"{stage}, by subtraction")]
    assert table["separator"].unique().tolist() == ["mixture", *stages, "ideal ratio mask", "phase-sensitive mask"]
    rows = table.query("source == 'trumpet' and metric == 'SDR' and extent == 'piece'").set_index("separator")["value"]
    before, after = rows["pretrained"], rows["phase 2"]
    assert before == after
    trumpet = printed.partition("trumpet")[2].splitlines()
    for name, value in {"paper before": -9.91, "paper after": 10.09, "pretrained": before, "phase 2": after}.items():
        line = next(line for line in trumpet if line.startswith(name))
        assert float(line.removeprefix(name).split()[0]) == pytest.approx(value, abs=0.005)


def test_evaluate_probes_a_run_that_ended_after_phase_1_and_a_further_model(monkeypatch, finetuned, tmp_path, capsys):
    from lass_lab.experiments.probes import FORGETTING

    sources = made_bank(tmp_path / "bank", 2.0, ("test",), dict.fromkeys(FORGETTING, 440.0))
    shutil.copytree(finetuned / "phase1", tmp_path / "phase1")
    shutil.copy(finetuned / "recipe.json", tmp_path)
    out, other = tmp_path / "table.csv", finetuned / "phase2"
    sizes = ("--longest", "5", "--sources", sources, "--pairs", "2", "--out", out)
    assert run(monkeypatch, "evaluate", "--table", "probes", "--run", tmp_path, "--model", other, *sizes) == 0
    printed, table = capsys.readouterr().out, pd.read_csv(out)
    assert table["separator"].unique().tolist() == ["pretrained", "phase 1", str(other)]
    assert "wrong query" in printed and "95% interval" in printed and np.isfinite(table["value"]).all()


def test_evaluate_measures_on_audioseps_list_of_mixtures(monkeypatch, tmp_path, capsys):
    piece = load_piece("tempus").slice(5, 2)
    (tmp_path / "music_eval.csv").write_text("idx,caption\n0,violin\n1,trumpet\n")
    for index, source in enumerate(piece.sources):
        write_audio(tmp_path / f"mixture-{index}.wav", piece.mixture)
        write_audio(tmp_path / f"segment-{index}.wav", piece.sources[source])
    out = tmp_path / "out.csv"
    assert run(monkeypatch, "evaluate", "--music-eval", tmp_path / "music_eval.csv", "--out", out) == 0
    table = pd.read_csv(out).set_index("query")
    assert table.at["violin", "SDR"] - table.at["violin", "SDRi"] == pytest.approx(
        sdr(piece.sources["violin"], piece.mixture), abs=0.01
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["trumpet", "violin", "all"]
    assert float(lines[3].split()[2]) == pytest.approx(table["SDRi"].mean(), abs=0.006)


def test_finetune_trains_by_a_recipe_file_and_settings_and_says_how_to_measure(monkeypatch, tmp_path, capsys):
    start, run_folder, mine = tmp_path / "start", tmp_path / "run", tmp_path / "mine.toml"
    small().save_pretrained(start)
    mine.write_text(
        'head = "paper"\nphase1 = {epochs = 1, rate = 0.005}\nphase2.epochs = 1\nitems.rehearsal = 0.25\n'
        "batch = 4\ncheckpoint_every = 2\nvalidate_every = 2\n"
    )
    folders = ("--data", made_duets(tmp_path / "data"), "--sources", made_bank(tmp_path / "bank"))
    call = ("finetune", "--model", start, "--run", run_folder, *folders, "--profile", "ci")
    settings = ("--recipe", mine, "--set", "phase2.encoder=top", "--set", "items.rehearsal=0.5")
    assert run(monkeypatch, *call, *settings) == 0
    assert f"lass-lab evaluate --table paper --run {run_folder}" in capsys.readouterr().out
    recipe = json.loads((run_folder / "recipe.json").read_text())["recipe"]
    assert (recipe["head"], recipe["phase2"]["encoder"], recipe["items"]["rehearsal"]) == ("paper", "top", 0.5)
    assert (recipe["phase1"]["epochs"], recipe["phase1"]["rate"], recipe["sample_rate"]) == (1, 0.005, 12_000)
    assert all((run_folder / phase / "model.safetensors").is_file() for phase in ("phase1", "phase2"))
    assert run(monkeypatch, *call) == 2
    assert "holds a run that differs in recipe;" in capsys.readouterr().err
