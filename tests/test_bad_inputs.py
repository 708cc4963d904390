"""Bad inputs as a user meets them: each gets one line that names what is wrong, exit status 2, and leaves nothing.

Further ones stand beside what they try: recordings in `test_faults.py`, options and tables in `test_commands.py`,
folders of recordings in `datasets/test_slicing.py` and `test_layouts.py`, damaged files in `test_fuzz.py`.
"""

import csv
import json
import os

import numpy as np
import pytest
import soundfile

from lass_lab.datasets.manifest import COLUMNS
from lass_lab.signal.files import data_dir
from tests.test_commands import run

RATE = 32_000
LONG = "long" * 70  # no file system takes it
SOUND = 0.3 * np.sin(np.arange(RATE) / 8)


def written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sound(path, samples=SOUND, rate=RATE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    return path


def separate(mixture, *options):
    return ("separate", mixture, "--query", "violin", "--out", "out", *options)


# Queries, places and options ------------------------------------------------------------------------


def separating(fault, *options):
    """A case: a good recording, separated with these options."""
    return lambda folder: (separate(sound(folder / "song.wav"), *options), fault)


def no_query(folder):
    return (
        "separate",
        sound(folder / "song.wav"),
        "--out",
        "out",
    ), "separate: give --query WORDS, --query-audio CLIP or --remove WORDS"


def a_query_given_twice(folder):
    return separate(sound(folder / "song.wav"), "--against", "violin"), "query 'violin': is given twice"


def a_clip_too_short(folder):
    clip = sound(folder / "clip.wav", SOUND[:3_200])
    return separate(
        sound(folder / "song.wav"), "--query-audio", clip
    ), "clip.wav: query: a sound of 0.10 s is too short"


def a_file_in_place_of_the_folder(folder):
    written(folder / "out", "precious")
    return separate(sound(folder / "song.wav")), "song.violin.wav: its folder cannot be made (File exists)"


def a_folder_in_place_of_the_estimate(folder):
    (folder / "out" / "song.violin.wav").mkdir(parents=True)
    return separate(sound(folder / "song.wav"), "--force"), "song.violin.wav: is a folder, not a file"


def a_name_too_long_to_write(folder):
    return separate(sound(folder / f"{LONG[:250]}.wav")), f"{LONG[:250]}.violin.wav: File name too long"


def call(fault, *arguments, **variables):
    """A case: this call, with these environment variables."""

    def make(folder, monkeypatch):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return arguments, fault

    return make


OPTIONS = {
    "a clip that is not there": separating("gone.wav: no such file", "--query-audio", "gone.wav"),
    "bytes that are no words": separating("query: 'vio\\udcfflin' is not all text", "--query", "vio\udcfflin"),
    "another device": separating("device 'abacus': not a device name", "--device", "abacus"),
    "a hub id without a hub": separating("model 'nobody/nothing': no folder here", "--model", "nobody/nothing"),
    "evaluate, endless": call("longest: needs a number, was given inf", "evaluate", "--longest", "inf"),
    "slice, endless": call("seconds: needs a number, was given inf", "slice", ".", "--out", "out", "--seconds", "inf"),
    "no list of mixtures": call("music_eval.csv: no such file", "evaluate", "--music-eval", "music_eval.csv"),
    "no such weights": call("weights 'grand': only audiosep has files to fetch", "weights", "grand"),
    "no such profile": call("LASS_LAB_PROFILE=huge: no such profile", "finetune", LASS_LAB_PROFILE="huge"),
    "no such number of epochs": call("recipe: phase2.epochs = -2", "finetune", "--set", "phase2.epochs=-2"),
    "no such loss": call("loss 'l2': choose one of l1", "finetune", "--set", "loss=l2"),
    "no such data": call("gone: no such data folder; LASS_LAB_DATA names it", "evaluate", LASS_LAB_DATA="gone"),
}

# Separators, tables and runs ------------------------------------------------------------------------


def separator(fault, config=None, weights=None):
    """A case: a separator's folder with these contents, the shipped ones where None."""

    def make(folder):
        for name, content in (("config.json", config), ("model.safetensors", weights)):
            content = json.dumps(content) if isinstance(content, dict) else content
            shipped = data_dir() / "tiny" / name
            written(folder / "model" / name, shipped.read_bytes() if content is None else content)
        return separate(sound(folder / "song.wav"), "--model", folder / "model"), fault

    return make


def a_folder_without_a_separator(folder):
    (folder / "model").mkdir()
    return separate(sound(folder / "song.wav"), "--model", folder / "model"), "config.json: no such file"


NO_CONFIG = "config.json: not a separator's configuration ("
NETWORK = {"channels": [4, 6], "n_fft": 256, "hop": 64}
SEPARATORS = {
    "bytes as configuration": separator(NO_CONFIG, b"\xff\xfe\x00"),
    "a configuration nested too deep": separator(NO_CONFIG + "nested too deep)", "[" * 99_999),
    "an unknown query network": separator(
        NO_CONFIG + "a query network of kind 'Oracle')", {"query_network": {"kind": "Oracle"}, "network": NETWORK}
    ),
    "a hop too long": separator(
        NO_CONFIG + "ResUNetConfig: hop 200 is not within", {"query_network": {}, "network": NETWORK | {"hop": 200}}
    ),
    "weights of another size": separator(
        "bytes cannot hold the ", {"query_network": {}, "network": NETWORK | {"channels": [8_000, 8]}}
    ),
    "a page as weights": separator("model.safetensors: not a whole safetensors file (", weights="<html>" * 2_000_000),
}


def manifest(fault, delimiter=",", **change):
    """A case: a manifest of one piece with this changed."""

    def make(folder):
        row = dict.fromkeys(COLUMNS, "-") | {"piece": "duo", "split": "test", "seconds": "1.0", "sample_rate": "32000"}
        row |= {"mixture": "mixture.wav", "target_path": "mixture.wav", "query": "violin", "queries": "fiddle"} | change
        sound(folder / "mixture.wav")
        with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=delimiter).writerows([COLUMNS, [row[column] for column in COLUMNS]])
        return ("evaluate", "--data", folder), fault

    return make


def no_piece_to_train_on(folder):
    arguments, _ = manifest("")(folder)
    return ("finetune", *arguments[1:], "--profile", "ci", "--recipe", "paper"), "train: no slice of 5 s in its part"


def sources(fault, content):
    """A case: a bank whose sources.csv holds this."""

    def make(folder):
        written(folder / "sources.csv", content)
        return ("finetune", "--profile", "ci", "--sources", folder), f"sources.csv{fault}"

    return make


def a_damaged_recipe(folder):
    for name in ("model.safetensors", "config.json"):
        written(folder / "run" / "phase1" / name, b"whole")
    written(folder / "run" / "recipe.json", '{"start": "tiny", "reci')
    return ("evaluate", "--table", "paper", "--run", folder / "run"), "recipe.json: not a run's recipe ("


HEAD = "path,instrument,score,split,seconds\n"
TABLES = {
    "seconds that are no number": manifest("manifest.csv, line 2: ", seconds="nan"),
    "a query with nothing in it": manifest("manifest.csv, line 2: column 'query' or 'queries'", queries="a||b"),
    "a file whose name is too long": manifest(f"manifest.csv, line 2: {{folder}}/{LONG} is not there", mixture=LONG),
    "semicolons": manifest("manifest.csv, line 1: column 'piece' is missing", delimiter=";"),
    "a piece of another length": manifest("mixture.wav: 32000 samples, which is not as long as", seconds="9.0"),
    "bytes as table of sources": sources(": cannot be read as a CSV table (", b"\xff\xfe\x00\x01"),
    "a clip without a name": sources(", line 3: column ", HEAD + "a.wav,b,c,train,1\n,b,c,train,1\n"),
    "no clips to train with": sources(": holds no clip of the split 'train'", HEAD + "a.wav,b,c,test,1\n"),
}

ALONE = (
    no_query, a_query_given_twice, a_clip_too_short, a_file_in_place_of_the_folder, a_folder_in_place_of_the_estimate,
    a_name_too_long_to_write, a_folder_without_a_separator, no_piece_to_train_on, a_damaged_recipe,
)  # fmt: skip
CASES = {case.__name__.replace("_", " "): case for case in ALONE} | OPTIONS | SEPARATORS | TABLES


def contents(folder):
    return {path.relative_to(folder): path.is_file() and path.read_bytes() for path in sorted(folder.rglob("*"))}


@pytest.mark.skipif(os.name == "nt", reason="the system's own words for its faults")
@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_gets_one_line_and_leaves_nothing(monkeypatch, tmp_path, capsys, name):
    case = CASES[name]
    monkeypatch.chdir(tmp_path)  # where runs/ would be made
    monkeypatch.delenv("LASS_LAB_PROFILE", raising=False)
    arguments, fault = case(*(tmp_path, monkeypatch)[: case.__code__.co_argcount])
    before = contents(tmp_path)
    assert run(monkeypatch, *arguments) == 2
    out, err = capsys.readouterr()
    assert err.startswith("lass-lab: ") and err.endswith("\n") and err.count("\n") == 1, err
    assert fault.format(folder=tmp_path) in err, err
    assert not out
    assert contents(tmp_path) == before
