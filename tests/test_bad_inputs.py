"""Bad inputs as a user meets them: each gets one line that names what is wrong, exit status 2, and leaves nothing.

Further ones stand beside what they try: recordings in `test_faults.py`, folders of recordings in
`datasets/test_slicing.py` and `test_layouts.py`, tables in `datasets/test_duets.py` and `test_mixing.py`, separators in
`models/test_separator.py`, damaged files in `test_fuzz.py`.
"""

import numpy as np
import pytest
import soundfile

from tests.made_duets import made_duets
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
    told = "separate: give --query WORDS, --query-audio CLIP or --remove WORDS"
    return ("separate", sound(folder / "song.wav"), "--out", "out"), told


def a_query_given_twice(folder):
    return separate(sound(folder / "song.wav"), "--against", "violin"), "query 'violin': is given twice"


def a_sound_removed_and_set_against(folder):
    asked = ("--remove", "flute", "--against", "flute")
    return separate(sound(folder / "song.wav"), *asked), "query 'flute': is given twice"


def clip(fault, samples):
    """A case: a query that is a recording of these samples."""

    def make(folder):
        asked = sound(folder / "clip.wav", samples)
        return separate(sound(folder / "song.wav"), "--query-audio", asked), f"clip.wav: query: {fault}"

    return make


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


def finetuning(fault, *options):
    """A case: fine-tuning with these options."""
    return call(fault, "finetune", "--run", "run", "--profile", "ci", *options)


def setting(fault, value):
    """A case: fine-tuning with this setting."""
    return finetuning(fault, "--set", value)


NO_RUN = "run: holds no finished phase (phase1, phase2); run first: lass-lab finetune"
OPTIONS = {
    "a clip too short": clip("a sound of 0.10 s is too short", SOUND[:3_200]),
    "a silent clip": clip("the sound is silent", 0 * SOUND),
    "a clip that is not there": separating("gone.wav: no such file", "--query-audio", "gone.wav"),
    "bytes that are no words": separating("query: 'vio\\udcfflin' is not all text", "--query", "vio\udcfflin"),
    "another device": separating("device 'abacus': not a device name", "--device", "abacus"),
    "a hub id without a hub": separating("model 'nobody/nothing': no folder here", "--model", "nobody/nothing"),
    "evaluate, endless": call("longest: needs a number, was given inf", "evaluate", "--longest", "inf"),
    "slice, endless": call("seconds: needs a number, was given inf", "slice", ".", "--out", "out", "--seconds", "inf"),
    "no list of mixtures": call("music_eval.csv: no such file", "evaluate", "--music-eval", "music_eval.csv"),
    "no such weights": call("weights 'grand': only audiosep has files to fetch", "weights", "grand"),
    "no such profile": call("LASS_LAB_PROFILE=huge: no such profile", "finetune", LASS_LAB_PROFILE="huge"),
    "report, endless": call("longest: needs a number, was given inf", "report", "--longest", "inf"),
    "no run for the paper's table": call(NO_RUN, "evaluate", "--run", "run", "--table", "paper"),
    "no run to probe": call(NO_RUN, "evaluate", "--run", "run", "--table", "probes"),
    "no such table": call("table 'cake': choose paper or probes", "evaluate", "--table", "cake"),
    "probes on two pieces": call(
        "probes: need one --piece, and were given 2", "evaluate", "--table", "probes", "--piece", "joy", "--piece", "x"
    ),
    "no such piece": call("symphony: no such piece; one of", "evaluate", "--piece", "symphony"),
    "no such profile to train in": finetuning("profile 'huge': choose one of ci, quick, full", "--profile", "huge"),
    "no such recipe": finetuning("'soup': choose one of preserving, paper, or a TOML file", "--recipe", "soup"),
    "a recipe that is code": finetuning(f"recipe {__file__}: cannot be read as a TOML file", "--recipe", __file__),
    "no data to train on": finetuning("nowhere/manifest.csv: no such file", "--data", "nowhere"),
    "no sources to rehearse": finetuning("nowhere/sources.csv: no such file", "--sources", "nowhere"),
    "no such start": finetuning("model 'huge': neither one of tiny", "--model", "huge"),
    "no such field": setting("recipe: no field 'hat'; choose one of head, phase1,", "hat=1"),
    "no such inner field": setting("no field 'items.rehearse'; choose one of items.seconds,", "items.rehearse=0.3"),
    "a batch of words": setting("recipe: batch = many: needs a whole number", "batch=many"),
    "an average that is no number": setting("recipe: average = nan: needs a number", "average=nan"),
    "a number for a table": setting("recipe: items = 1: needs a table", "items=1"),
    "a field without a value": setting("--set seed: needs a field and a value", "seed"),
    "epochs below zero": setting("recipe: phase2.epochs = -2", "phase2.epochs=-2"),
    "items longer than a slice": setting("recipe: items of 6 s: at most 5 s", "items.seconds=6"),
    "rehearsal alone": setting("recipe: needs a rehearsal of at most 0.95", "items.rehearsal=1"),
    "no such head": setting("ResUNetConfig: no head 'hydra'", "head=hydra"),
    "no such encoder": setting("'half': choose one of frozen, low-rank, top, whole", "phase2.encoder=half"),
    "no such loss": setting("loss 'l2': choose one of l1, relative-l1, decibels", "loss=l2"),
    "a rate that cannot be": setting("sample_rate: cannot train at 11000 Hz", "sample_rate=11000"),
    "no such data": call("gone: no such data folder; LASS_LAB_DATA names it", "evaluate", LASS_LAB_DATA="gone"),
}

# Data and runs --------------------------------------------------------------------------------------


def no_piece_to_train_on(folder):
    data = made_duets(folder, 1.0, {"one": "test"})
    return ("finetune", "--data", data, "--profile", "ci", "--recipe", "paper"), "train: no slice of 5 s in its part"


def no_piece_to_test_on(folder):
    data = made_duets(folder, 1.0, {"one": "train"})
    return ("evaluate", "--data", data), "evaluate: there is no piece to test on; name one by --piece"


def a_damaged_recipe(folder):
    for name in ("model.safetensors", "config.json"):
        written(folder / "run" / "phase1" / name, b"whole")
    written(folder / "run" / "recipe.json", '{"start": "tiny", "reci')
    return ("evaluate", "--table", "paper", "--run", folder / "run"), "recipe.json: not a run's recipe ("


ALONE = (
    no_query, a_query_given_twice, a_sound_removed_and_set_against, a_file_in_place_of_the_folder,
    a_folder_in_place_of_the_estimate, a_name_too_long_to_write, no_piece_to_train_on, no_piece_to_test_on,
    a_damaged_recipe,
)  # fmt: skip
CASES = {case.__name__.replace("_", " "): case for case in ALONE} | OPTIONS


def contents(folder):
    return {path.relative_to(folder): path.is_file() and path.read_bytes() for path in sorted(folder.rglob("*"))}


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
