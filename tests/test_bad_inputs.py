"""Bad inputs as a user meets them: each gets one line that names what is wrong, exit status 2, and leaves nothing.

Further ones stand beside what they try: recordings, options and tables in `test_commands.py`, folders of recordings in
`datasets/test_slicing.py` and `test_layouts.py`, separators' folders in `models/test_separator.py`, checkpoints in
`models/test_weights.py`.
"""

import csv
import json
import os
import zipfile

import numpy as np
import pytest
import soundfile

from lass_lab.course.profile import CHECKOUT
from lass_lab.datasets.manifest import COLUMNS
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


# Recordings -----------------------------------------------------------------------------------------


def cut_flac(folder):
    whole = sound(folder / "whole.flac", np.random.default_rng(0).uniform(-1, 1, 5 * RATE))
    return separate(written(folder / "cut.flac", whole.read_bytes()[:-90_000])), "cut.flac: cannot be read as audio ("


def no_samples(folder):
    return separate(sound(folder / "none.wav", SOUND[:0])), "none.wav: holds no samples"


def too_short(folder):
    path = sound(folder / "click.wav", SOUND[:1], 192_000)
    return separate(path), "click.wav: too short, 1 samples at 192000 Hz are none at 32000 Hz"


def nan_after_many_blocks(folder):
    samples = np.tile(SOUND, 20)
    samples[15 * RATE] = np.nan
    path = sound(folder / "nan.wav", np.stack([np.tile(SOUND, 20), samples], axis=1), subtype="FLOAT")
    return separate(path), "nan.wav: holds NaN or infinite samples, the first at 15.000 s"


def infinite(folder):
    path = sound(folder / "inf.wav", np.append(SOUND, -np.inf), subtype="DOUBLE")
    return separate(path), "inf.wav: holds NaN or infinite samples, the first at 1.000 s"


def no_sound_but_numbers(folder):
    path = sound(folder / "big.wav", 1e30 * SOUND, subtype="FLOAT")
    return separate(path), "big.wav: has a peak of 3e+29, where full scale is 1"


def a_page_called_mp3(folder):
    path = written(folder / "song.mp3", "<!doctype html><title>404</title>" * 99)
    return separate(path), "song.mp3: cannot be read as audio ("


def an_archive_called_wav(folder):
    with zipfile.ZipFile(folder / "song.wav", "w") as archive:
        archive.writestr("song.txt", "la la la")
    return separate(folder / "song.wav"), "song.wav: cannot be read as audio (Format not recognised)"


def raw(folder):
    path = written(folder / "song.raw", bytes(999))
    return separate(path), "song.raw: cannot be read as audio (raw samples without a header)"


def a_link_to_nothing(folder):
    (folder / "link.wav").symlink_to(folder / "gone.wav")
    return separate(folder / "link.wav"), "link.wav: no such file"


def a_name_too_long_to_read(folder):
    return separate(folder / LONG), f"{LONG}: cannot be read (File name too long)"


def a_clip_that_is_not_there(folder):
    path = sound(folder / "song.wav")
    return ("separate", path, "--query-audio", "gone.wav", "--out", "out"), "gone.wav: no such file"


def a_clip_too_short(folder):
    path, clip = sound(folder / "song.wav"), sound(folder / "clip.wav", SOUND[:3_200])
    options = ("--query-audio", clip, "--out", "out")
    return ("separate", path, *options), "clip.wav: query: a sound of 0.10 s is too short; 0.25 s at least"


# Queries, places and separators ---------------------------------------------------------------------


def no_query(folder):
    return (
        "separate",
        sound(folder / "song.wav"),
        "--out",
        "out",
    ), "separate: give --query WORDS or --query-audio CLIP"


def bytes_that_are_no_words(folder):
    path = sound(folder / "song.wav")
    return ("separate", path, "--query", "vio\udcfflin", "--out", "out"), "query: 'vio\\udcfflin' is not all text"


def a_file_in_place_of_the_folder(folder):
    written(folder / "out", "precious")
    return separate(sound(folder / "song.wav")), "song.violin.wav: its folder cannot be made (File exists)"


def a_folder_in_place_of_the_estimate(folder):
    (folder / "out" / "song.violin.wav").mkdir(parents=True)
    return separate(sound(folder / "song.wav"), "--force"), "song.violin.wav: is a folder, not a file"


def a_name_too_long_to_write(folder):
    path = sound(folder / f"{LONG[:250]}.wav")
    return separate(path), f"{LONG[:250]}.violin.wav: File name too long"


def another_device(folder):
    options = ("--device", "abacus")
    return separate(sound(folder / "song.wav"), *options), "device 'abacus': not a device name; try auto, cpu or cuda"


def a_hub_id_without_a_hub(folder):
    options = ("--model", "nobody/nothing")
    fault = "model 'nobody/nothing': no folder here, and the hub does not give it ("
    return separate(sound(folder / "song.wav"), *options), fault


def separator(fault, config=None, weights=None):
    """A case: a separator's folder with these contents, the shipped ones where None."""

    def make(folder):
        from lass_lab.signal.files import data_dir

        for name, content in (("config.json", config), ("model.safetensors", weights)):
            shipped = data_dir() / "tiny" / name
            content = json.dumps(content) if isinstance(content, (dict, list)) else content
            written(folder / "model" / name, shipped.read_bytes() if content is None else content)
        return separate(sound(folder / "song.wav"), "--model", folder / "model"), fault

    return make


def a_folder_without_a_separator(folder):
    (folder / "model").mkdir()
    return separate(sound(folder / "song.wav"), "--model", folder / "model"), "config.json: no such file"


NO_CONFIG = "config.json: not a separator's configuration ("
NETWORK = {"channels": [4, 6], "n_fft": 256, "hop": 64}
SEPARATORS = {
    "a list as configuration": separator(NO_CONFIG, []),
    "bytes as configuration": separator(NO_CONFIG, b"\xff\xfe\x00"),
    "a configuration nested too deep": separator(NO_CONFIG + "nested too deep)", "[" * 99_999),
    "a configuration without networks": separator(NO_CONFIG + "'query_network')", {}),
    "an unknown query network": separator(
        NO_CONFIG + "a query network of kind 'Oracle')", {"query_network": {"kind": "Oracle"}, "network": NETWORK}
    ),
    "a query network that is none": separator(NO_CONFIG, {"query_network": None, "network": NETWORK}),
    "no channels": separator(NO_CONFIG + "ResUNetConfig: sizes", {"query_network": {}, "network": {"channels": []}}),
    "a hop too long": separator(
        NO_CONFIG + "ResUNetConfig: hop 200 is not within", {"query_network": {}, "network": NETWORK | {"hop": 200}}
    ),
    "weights of another size": separator(
        "bytes cannot hold the ", {"query_network": {}, "network": NETWORK | {"channels": [8_000, 8]}}
    ),
    "empty weights": separator("model.safetensors: its 0 bytes cannot hold", weights=b""),
    "a page as weights": separator("model.safetensors: not a whole safetensors file (", weights="<html>" * 2_000_000),
}  # fmt: skip


# Tables and runs ------------------------------------------------------------------------------------


def manifest(fault, columns=COLUMNS, delimiter=",", **change):
    """A case: a manifest of one piece with this changed."""

    def make(folder):
        row = dict.fromkeys(COLUMNS, "-") | {"piece": "duo", "split": "test", "seconds": "1.0", "sample_rate": "32000"}
        row |= {
            "mixture": "mixture.wav",
            "target_path": "mixture.wav",
            "query": "violin",
            "queries": "a fiddle",
        } | change
        sound(folder / "mixture.wav")
        with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, delimiter=delimiter)
            table.writerows([columns, [row[column] for column in columns]])
        return ("evaluate", "--data", folder), f"manifest.csv, {fault}"

    return make


MANIFESTS = {
    "seconds that are no number": manifest("line 2: seconds and sample_rate must be numbers above 0", seconds="nan"),
    "seconds below zero": manifest("line 2: seconds and sample_rate must be numbers above 0", seconds="-3"),
    "a rate of zero": manifest("line 2: seconds and sample_rate must be numbers above 0", sample_rate="0"),
    "a rate of many digits": manifest("line 2: seconds and sample_rate must be", sample_rate="9" * 5_000),
    "a query with nothing in it": manifest("line 2: column 'query' or 'queries' holds an empty query", queries="a||b"),
    "a file whose name is too long": manifest(f"line 2: {{folder}}/{LONG} is not there", mixture=LONG),
    "semicolons": manifest("line 1: column 'piece' is missing", delimiter=";"),
    "a column too few": manifest("line 1: column 'target_sha256' is missing", columns=COLUMNS[:-1]),
}


def a_folder_as_manifest(folder):
    (folder / "manifest.csv").mkdir()
    return ("evaluate", "--data", folder), "manifest.csv: cannot be read as a CSV table"


def a_piece_of_another_length(folder):
    make = manifest("", seconds="9.0")
    return make(folder)[0], "mixture.wav: 32000 samples, which is not as long as its piece"


def no_piece_to_train_on(folder):
    arguments, _ = manifest("")(folder)
    return ("finetune", *arguments[1:], "--profile", "ci", "--recipe", "paper"), "train: no slice of 5 s in its part"


def no_list_of_mixtures(folder):
    return ("evaluate", "--music-eval", folder / "music_eval.csv"), "music_eval.csv: no such file"


def sources(fault, content):
    """A case: a bank whose sources.csv holds this."""

    def make(folder):
        written(folder / "sources.csv", content)
        return ("finetune", "--profile", "ci", "--sources", folder), f"sources.csv{fault}"

    return make


HEAD = "path,instrument,score,split,seconds\n"
SOURCES = {
    "an empty table of sources": sources(": cannot be read as a CSV table (", b""),
    "bytes as table of sources": sources(": cannot be read as a CSV table (", b"\xff\xfe\x00\x01"),
    "sources of uneven rows": sources(": cannot be read as a CSV table (", HEAD + "a,b,c,d,1,2,3\na,b,c,d,1,2,3,4\n"),
    "a clip without a name": sources(", line 3: column 'path' is empty", HEAD + "a.wav,b,c,train,1\n,b,c,train,1\n"),
    "a clip of no length": sources(", line 2: column 'seconds' must be a number", HEAD + "a.wav,b,c,train,long\n"),
    "no clips to train with": sources(": holds no clip of the split 'train'", HEAD + "a.wav,b,c,test,1\n"),
}  # fmt: skip


def run_folder(folder, recipe):
    for name in ("model.safetensors", "config.json"):
        written(folder / "run" / "phase1" / name, b"whole")
    written(folder / "run" / "recipe.json", recipe)
    return folder / "run"


def a_damaged_recipe(folder):
    path = run_folder(folder, '{"start": "tiny", "reci')
    return ("evaluate", "--table", "paper", "--run", path), "recipe.json: not a run's recipe ("


def a_recipe_without_a_start(folder):
    return ("evaluate", "--table", "paper", "--run", run_folder(folder, "{}")), "recipe.json: not a run's recipe ("


def a_recipe_to_keep_that_says_little(folder):
    fault = "recipe.json: does not say by which recipe the run was made"
    return ("keep", run_folder(folder, '{"start": "tiny"}'), "--out", "kept"), fault


def a_run_to_keep_that_is_none(folder):
    return ("keep", folder, "--out", "kept"), "holds no finished phase (phase1, phase2); run first: lass-lab finetune"


def a_file_in_place_of_the_tables_folder(folder):
    taken = written(folder / "taken", "x")
    return ("evaluate", "--out", taken / "numbers.csv"), "taken/numbers.csv: its folder cannot be made ("


# Flags ----------------------------------------------------------------------------------------------


def flags(fault, *arguments, **variables):
    """A case: this call, with these environment variables."""

    def make(folder, monkeypatch):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return arguments, fault

    return make


INFINITE = "needs a number, was given inf"
FLAGS = {
    "evaluate: endless": flags(f"longest: {INFINITE}", "evaluate", "--longest", "inf"),
    "bench: endless": flags(f"seconds: {INFINITE}", "bench", "--seconds", "inf"),
    "slice: endless": flags(f"seconds: {INFINITE}", "slice", ".", "--out", "out", "--seconds", "inf"),
    "render: endless": flags(f"seconds: {INFINITE}", "render", "sources", "--seconds", "inf"),
    "pretrain: a rate without bounds": flags(f"rate: {INFINITE}", "pretrain", "--rate", "inf"),
    "finetune: epochs below zero": flags("recipe: phase2.epochs = -2", "finetune", "--set", "phase2.epochs=-2"),
    "finetune: weights that have nothing to average": flags(
        "average: the head 'paper' has no weights in common", "finetune", "--set", "head=paper", "--set", "average=0.5"
    ),
    "finetune: an unknown loss": flags("loss 'l2': choose one of l1", "finetune", "--set", "loss=l2"),
    "pretrain: an unknown loss": flags("loss 'l2': choose one of l1", "pretrain", "--loss", "l2"),
    "pretrain: a rate above all": flags("sample_rate: cannot train at 48000 Hz", "pretrain", "--sample-rate", "48000"),
    "pretrain: a rate of zero": flags("sample_rate: cannot train at 0 Hz", "pretrain", "--sample-rate", "0"),
    "pretrain: a rate that cannot be halved": flags(
        "sample_rate: cannot train at 11000 Hz (ResUNetConfig: n_fft 704 is not divisible by 128)",
        "pretrain", "--sample-rate", "11000",
    ),
    "study: an unknown one": flags("study 'hats': choose one of heads, encoder", "study", "hats"),
    "study: an unknown profile": flags("profile 'huge': choose one of ci", "study", "heads", "--profile", "huge"),
    "weights: an unknown separator": flags("weights 'grand': only audiosep has files to fetch", "weights", "grand"),
    "excerpts: no sources": flags(
        "gone/sources.csv: no such file; make the sources with: python -m authoring render sources",
        "render", "excerpts", "--sources", "gone",
    ),
    "an unknown profile in the environment": flags(
        "LASS_LAB_PROFILE=huge: no such profile; choose one of ci", "finetune", LASS_LAB_PROFILE="huge"
    ),
    "no data where the environment says": flags(
        "gone: no such data folder; LASS_LAB_DATA names it", "evaluate", LASS_LAB_DATA="gone"
    ),
}  # fmt: skip


def weights_cut_off(folder, monkeypatch):
    monkeypatch.setenv("LASS_LAB_CACHE", str(folder / "cache"))
    files = (written(folder / "audiosep.ckpt", bytes(999)), written(folder / "tokenizer.json", "{}"))
    options = [part for path in files for part in ("--weights", path)]
    fault = "audiosep.ckpt: has 0.0000 GB, audiosep_base_4M_steps.ckpt 1.26: cut off, or another file"
    return ("weights", "audiosep", *options), fault


ALONE = (
    cut_flac, no_samples, too_short, nan_after_many_blocks, infinite, no_sound_but_numbers, a_page_called_mp3,
    an_archive_called_wav, raw, a_link_to_nothing, a_name_too_long_to_read, a_clip_that_is_not_there, a_clip_too_short,
    no_query, bytes_that_are_no_words, a_file_in_place_of_the_folder, a_folder_in_place_of_the_estimate,
    a_name_too_long_to_write, another_device, a_hub_id_without_a_hub, a_folder_without_a_separator,
    a_folder_as_manifest, a_piece_of_another_length, no_piece_to_train_on, no_list_of_mixtures, a_damaged_recipe,
    a_recipe_without_a_start, a_recipe_to_keep_that_says_little, a_run_to_keep_that_is_none, weights_cut_off,
    a_file_in_place_of_the_tables_folder,
)  # fmt: skip
CASES = {case.__name__.replace("_", " "): case for case in ALONE} | SEPARATORS | MANIFESTS | SOURCES | FLAGS


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))
    }


FAULTS = CHECKOUT / "docs" / "faults.md"
WRITE = "LASS_LAB_FAULTS"  # set it, and the table is written from what the cases print
COMMAND = f"{WRITE}=1 python -m pytest tests/test_bad_inputs.py"
HEADING = f"""# What is said of bad input

One line each on standard error, exit status 2, and nothing written. `...` stands for the folder that the files lie in.
Made by `{COMMAND}`, which runs each command; `make test` runs them too.

| what is wrong | command | the line |
|---|---|---|
"""


@pytest.fixture(scope="module")
def faults():
    """What `docs/faults.md` tells of each case; written anew where that is asked for."""
    rows = {} if os.environ.get(WRITE) else told(FAULTS.read_text(encoding="utf-8"))
    yield rows
    if os.environ.get(WRITE):
        FAULTS.write_text(HEADING + "".join(f"{row}\n" for row in rows.values()), encoding="utf-8")


def told(text):
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return {row.split(" | ")[0].removeprefix("| "): row for row in rows}


def row(name, arguments, line, folder):
    """A row of the table; what is longer than a screen is cut."""
    command = " ".join(["lass-lab", *(str(part) for part in arguments)])
    cells = (text.encode(errors="replace").decode().replace(str(folder), "...") for text in (command, line.strip()))
    short = (f"{cell[:150]}…" if len(cell) > 200 else cell for cell in cells)
    return "| " + " | ".join([name, *(f"`{cell}`".replace("|", "\\|") for cell in short)]) + " |"


@pytest.mark.skipif(os.name == "nt", reason="the system's own words for its faults")
@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_gets_one_line_and_leaves_nothing(monkeypatch, tmp_path, capsys, name, faults):
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
    if os.environ.get(WRITE):
        faults[name] = row(name, arguments, err, tmp_path)
    else:
        beginning = fault.format(folder="...")[:60].replace("|", "\\|")  # a long line is cut in the table
        assert beginning in faults.get(name, ""), f"docs/faults.md tells it otherwise; to write it again: {COMMAND}"


def test_the_table_tells_no_fault_that_is_gone(faults):
    assert set(faults) - {"what is wrong"} <= set(CASES)
