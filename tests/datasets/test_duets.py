import csv
import hashlib

import numpy as np
import pytest
import soundfile

from lass_lab.datasets import DuetDataset, data_dir, list_pieces, load_piece
from lass_lab.datasets.duets import VALIDATION_S
from lass_lab.datasets.manifest import COLUMNS, read_manifest
from lass_lab.signal.files import InputError

PIECES = ["joy", "greensleeves", "tempus", "auld-lang-syne"]
PLAYERS = ("violin", "trumpet")


@pytest.mark.parametrize("name", PIECES)
def test_a_shipped_mixture_is_the_sum_of_its_stems_to_the_last_bit(name):
    folder = data_dir() / "duets" / name
    read = {stem: soundfile.read(folder / f"{stem}.flac", dtype="int16") for stem in ("mixture", *PLAYERS)}
    assert {rate for _, rate in read.values()} == {32_000}
    mixture, violin, trumpet = (read[stem][0].astype(np.int32) for stem in ("mixture", *PLAYERS))
    assert mixture.ndim == 1
    assert np.array_equal(mixture, violin + trumpet)
    assert np.abs(mixture).max() < 32_000
    levels = [10 * np.log10(np.mean(stem.astype(float) ** 2)) for stem in (violin, trumpet)]
    assert levels[1] - levels[0] == pytest.approx(-3, abs=0.05)


def test_the_shipped_data_is_small_and_is_what_the_manifest_says():
    table = read_manifest(data_dir() / "manifest.csv")
    files = dict(zip(table["mixture"], table["mixture_sha256"], strict=True))
    files |= dict(zip(table["target_path"], table["target_sha256"], strict=True))
    assert sum(path.stat().st_size for path in files) <= 36e6
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == files
    assert (table["queries"].str[0] == table["source"]).all() and set(table["source"]) == set(PLAYERS)


def test_pieces_of_different_splits_never_mix():
    splits = {split: list_pieces(split) for split in ("train", "test", "out-of-domain")}
    assert [len(names) for names in splits.values()] == [2, 1, 1]
    assert sorted(sum(splits.values(), [])) == sorted(list_pieces()) == sorted(PIECES)
    for split, names in splits.items():
        dataset = DuetDataset(split)
        assert {dataset[index]["piece"] for index in range(len(dataset))} == set(names)
    with pytest.raises(InputError, match="validation: no such split"):
        list_pieces("validation")


@pytest.mark.parametrize("seconds", [5.0, 1.3])
def test_train_and_validation_slices_never_overlap(seconds):
    spans = {}
    for part in ("train", "validation"):
        dataset = DuetDataset("train", part, seconds=seconds)
        items = [dataset[index] for index in range(len(dataset))]
        spans[part] = {(item["piece"], round(item["start"] * 32_000)) for item in items}
        assert {item["query"] for item in items} == set(PLAYERS)
        assert all(item["mixture"].shape == item["target"].shape == (1, seconds * 32_000) for item in items)
    length = round(seconds * 32_000)
    for name in list_pieces("train"):
        border = len(load_piece(name).mixture) - round(VALIDATION_S * 32_000)
        ends = [start + length for piece, start in spans["train"] if piece == name]
        starts = [start for piece, start in spans["validation"] if piece == name]
        assert max(ends) <= border <= min(starts)
        assert len(starts) == 30 // seconds


def test_an_item_is_a_slice_of_its_piece():
    dataset = DuetDataset("test")
    item = dataset[7]
    piece = load_piece(item["piece"])
    cut = piece.slice(item["start"])
    assert item["mixture"].dtype.is_floating_point and item["mixture"].dtype.itemsize == 4
    assert np.array_equal(item["mixture"][0].numpy(), cut.mixture)
    assert np.array_equal(item["target"][0].numpy(), cut.sources[item["query"]])
    assert np.array_equal(cut.mixture, sum(cut.sources.values()))
    assert cut.seconds == 5.0


def test_a_slice_outside_its_piece_is_refused():
    piece = load_piece(PIECES[-1])
    for start in (-1.0, piece.seconds - 4.9):
        with pytest.raises(InputError, match=f"{piece.name}: 5 s from"):
            piece.slice(start)
    with pytest.raises(InputError, match="evening: no such part"):
        DuetDataset("train", "evening")


@pytest.fixture
def folder(tmp_path):
    """A data folder of one short piece."""
    violin, trumpet = (np.arange(64_000) % period / 200 for period in (50, 70))
    for name, stem in (("violin", violin), ("trumpet", trumpet), ("mixture", violin + trumpet)):
        soundfile.write(tmp_path / f"{name}.flac", stem, 32_000)
    return tmp_path


def _write(folder, *changes):
    """Write its manifest: a row for each mapping of changes to the violin's row."""
    row = dict.fromkeys(COLUMNS, "0")
    row |= {"piece": "duo", "title": "Duo", "split": "train", "seconds": "2.0", "sample_rate": "32000"}
    row |= {"source": "violin", "target_path": "violin.flac", "mixture": "mixture.flac"}
    row |= {"query": "violin", "queries": "a fiddle"}
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, row)
        table.writeheader()
        table.writerows(row | change for change in changes)
    return folder / "manifest.csv"


TRUMPET = {"source": "trumpet", "target_path": "trumpet.flac"}


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([], "line 1: no row follows"),
        ([{}, TRUMPET | {"target_path": "gone.flac"}], "line 3: .*gone.flac is not there"),
        ([{"split": "exam"}], "line 2: split 'exam' is not one of train, test, out-of-domain"),
        ([{}, {}], "line 3: 'duo' and 'violin' stand there twice"),
        ([{}, TRUMPET | {"split": "test"}], "line 3: 'duo' is in two splits"),
        ([{}, TRUMPET | {"mixture": "violin.flac"}], "line 3: 'duo' has two mixtures"),
        ([{"title": ""}], "line 2: column 'title' is empty"),
        ([{"seconds": "nan"}], "line 2: "),
        ([{"queries": "a||b"}], "line 2: column 'query' or 'queries'"),
        ([{"mixture": "long" * 70}], "line 2: .*long is not there"),
    ],
)
def test_a_bad_manifest_is_named_with_its_line_and_fault(folder, rows, fault):
    path = _write(folder, *rows)
    with pytest.raises(InputError, match=fault) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_files_that_do_not_match_their_manifest_are_named(folder):
    _write(folder, {"seconds": "3.0"}, TRUMPET)
    with pytest.raises(InputError, match="mixture.flac: 64000 samples"):
        load_piece("duo", folder)
    _write(folder, {}, TRUMPET)
    soundfile.write(folder / "trumpet.flac", np.zeros(100), 32_000)
    with pytest.raises(InputError, match="trumpet.flac: 100 samples"):
        load_piece("duo", folder)


def test_the_data_folder_can_be_moved(monkeypatch, folder):
    _write(folder, {})
    monkeypatch.setenv("LASS_LAB_DATA", str(folder))
    assert data_dir() == folder
    assert list_pieces() == ["duo"] and list_pieces("test") == []
    assert load_piece("duo").queries == {"violin": ("violin", "a fiddle")}
