import csv
import hashlib

import numpy as np
import pytest
import soundfile

from authoring.rendering.duets import ARRANGEMENTS, PLAYERS, arrange, make_duets
from lass_lab.datasets import DuetDataset, data_dir, list_pieces, load_piece
from lass_lab.datasets.duets import VALIDATION_S, DataError
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.datasets.manifest import COLUMNS, ManifestError, read_manifest
from lass_lab.signal.files import InputError

PIECES = [arrangement.name for arrangement in ARRANGEMENTS]


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


@pytest.mark.parametrize("name", PIECES)
def test_both_players_play_most_of_the_time(name):
    piece = load_piece(name)
    frames = [stem[: len(stem) // 1600 * 1600].reshape(-1, 1600) for stem in piece.sources.values()]
    power = [np.mean(stem**2, axis=1) for stem in frames]
    sounding = [stem > 1e-4 * stem.max() for stem in power]
    assert np.mean(sounding[0] & sounding[1]) > 0.75
    assert piece.seconds >= (165 if piece.split != "out-of-domain" else 60)


def test_the_shipped_data_is_small_and_is_what_the_manifest_says():
    rows = read_manifest(data_dir() / "manifest.csv")
    files = {row.mixture: row.mixture_sha256 for row in rows} | {row.target: row.target_sha256 for row in rows}
    assert sum(path.stat().st_size for path in files) <= 36e6
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == files
    assert all(row.queries[0] == row.source for row in rows)
    assert {row.source for row in rows} == set(PLAYERS)


def test_pieces_of_different_splits_never_mix():
    splits = {split: list_pieces(split) for split in ("train", "test", "out-of-domain")}
    assert [len(names) for names in splits.values()] == [2, 1, 1]
    assert sorted(sum(splits.values(), [])) == sorted(list_pieces()) == sorted(PIECES)
    for split, names in splits.items():
        dataset = DuetDataset(split)
        assert {dataset[index]["piece"] for index in range(len(dataset))} == set(names)
    tunes = {a.name: {section.tune for section in a.sections} for a in ARRANGEMENTS}
    for name in splits["test"] + splits["out-of-domain"]:
        assert not any(tunes[name] & tunes[other] for other in PIECES if other != name)
    with pytest.raises(InputError, match="validation: no such split"):
        list_pieces("validation")


@pytest.mark.parametrize(("seconds", "hop"), [(5.0, None), (5.0, 1.0), (2.0, 0.7)])
def test_train_and_validation_slices_never_overlap(seconds, hop):
    spans = {}
    for part in ("train", "validation"):
        dataset = DuetDataset("train", part, seconds=seconds, hop=hop)
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
        assert len(starts) >= 30 // seconds


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


@pytest.mark.parametrize("arrangement", ARRANGEMENTS, ids=PIECES)
def test_an_arrangement_is_deterministic_and_playable_in_overlapping_ranges(arrangement):
    notes, seconds = arrange(arrangement)
    assert (notes, seconds) == arrange(arrangement)
    assert notes != arrange(arrangement, seed=1)[0]
    pitches = {player: [note.pitch for note in notes[player]] for player in PLAYERS}
    for player in PLAYERS:
        assert INSTRUMENTS[player].low <= min(pitches[player]) <= max(pitches[player]) <= INSTRUMENTS[player].high
        assert max(note.start_s + note.duration_s for note in notes[player]) < seconds
    violin, trumpet = (pitches[player] for player in PLAYERS)
    shared = range(max(min(violin), min(trumpet)), min(max(violin), max(trumpet)) + 1)
    assert np.mean([pitch in shared for pitch in violin + trumpet]) > 0.5


def test_nothing_shipped_is_overwritten_unasked(tmp_path):
    (tmp_path / "manifest.csv").write_text("mine")
    pytest.importorskip("mido")
    with pytest.raises(InputError, match="manifest.csv: exists already|no such SoundFont"):
        make_duets(tmp_path)
    assert (tmp_path / "manifest.csv").read_text() == "mine"


@pytest.fixture
def folder(tmp_path):
    """A data folder of one short piece."""
    violin, trumpet = (np.arange(64_000) % period / 200 for period in (50, 70))
    for name, stem in (("violin", violin), ("trumpet", trumpet), ("mixture", violin + trumpet)):
        soundfile.write(tmp_path / f"{name}.flac", stem, 32_000)
    return tmp_path


def _write(folder, *changes, drop=None):
    """Write its manifest: a row for each mapping of changes to the violin's row."""
    row = dict.fromkeys(COLUMNS, "0")
    row |= {"piece": "duo", "title": "Duo", "split": "train", "seconds": "2.0", "sample_rate": "32000"}
    row |= {"source": "violin", "target_path": "violin.flac", "mixture": "mixture.flac"}
    row |= {"query": "violin", "queries": "a fiddle"}
    columns = [column for column in row if column != drop]
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows(row | change for change in changes)
    return folder / "manifest.csv"


TRUMPET = {"source": "trumpet", "target_path": "trumpet.flac"}


def test_a_good_manifest_is_read(folder):
    _write(folder, {}, TRUMPET)
    piece = load_piece("duo", folder)
    assert piece.queries == {"violin": ("violin", "a fiddle"), "trumpet": ("violin", "a fiddle")}
    assert piece.mixture.shape == (64_000,) and list(piece.sources) == ["violin", "trumpet"]
    assert list_pieces("test", folder) == []


@pytest.mark.parametrize(
    ("rows", "drop", "fault"),
    [
        ([{}], "query", "line 1: column 'query' is missing"),
        ([], None, "line 1: no row follows"),
        ([{"mixture": "gone.flac"}], None, "line 2: .*gone.flac is not there"),
        ([{}, TRUMPET | {"target_path": "gone.flac"}], None, "line 3: .*gone.flac is not there"),
        ([{"split": "exam"}], None, "line 2: split 'exam' is not one of train, test, out-of-domain"),
        ([{}, {}], None, "line 3: 'duo' and 'violin' stand there twice"),
        ([{}, TRUMPET | {"split": "test"}], None, "line 3: 'duo' is in two splits"),
        ([{}, TRUMPET | {"mixture": "violin.flac"}], None, "line 3: 'duo' has two mixtures"),
        ([{"seconds": "long"}], None, "line 2: seconds and sample_rate must be numbers"),
        ([{"title": ""}], None, "line 2: column 'title' is empty"),
    ],
)
def test_a_bad_manifest_is_named_with_its_line_and_fault(folder, rows, drop, fault):
    path = _write(folder, *rows, drop=drop)
    with pytest.raises(ManifestError, match=fault) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00binary", None])
def test_what_is_no_manifest_is_named(tmp_path, content):
    path = tmp_path / "manifest.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ManifestError, match="manifest.csv: (no such file|cannot be read)"):
        read_manifest(path)


def test_files_that_do_not_match_their_manifest_are_named(folder):
    _write(folder, {"seconds": "3.0"}, TRUMPET)
    with pytest.raises(DataError, match="mixture.flac: 64000 samples"):
        load_piece("duo", folder)
    _write(folder, {}, TRUMPET)
    soundfile.write(folder / "trumpet.flac", np.zeros(100), 32_000)
    with pytest.raises(DataError, match="trumpet.flac: 100 samples"):
        load_piece("duo", folder)
    soundfile.write(folder / "trumpet.flac", np.zeros(64_000), 16_000)
    with pytest.raises(DataError, match="trumpet.flac: its rate is 16000 Hz, the manifest says 32000"):
        load_piece("duo", folder)
    with pytest.raises(DataError, match="trio: no such piece; one of duo"):
        load_piece("trio", folder)


def test_the_data_folder_can_be_moved_and_its_absence_is_named(monkeypatch, folder):
    _write(folder, {})
    monkeypatch.setenv("LASS_LAB_DATA", str(folder))
    assert data_dir() == folder
    assert list_pieces() == ["duo"]
    monkeypatch.setenv("LASS_LAB_DATA", str(folder / "gone"))
    with pytest.raises(InputError, match="gone: no such data folder"):
        data_dir()
