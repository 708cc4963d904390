"""Foreign recordings made into a data folder: exact sums, slices that leak nowhere, and every planted fault named."""

import csv
import hashlib

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from lass_lab.datasets import DuetDataset, data_dir, list_pieces, load_piece
from lass_lab.datasets.duets import slice_spans
from lass_lab.datasets.manifest import read_manifest, staged
from lass_lab.datasets.mixing import AUDIBLE_RMS
from lass_lab.datasets.slicing import slice_folder
from lass_lab.signal import SAMPLE_RATE
from lass_lab.signal.files import InputError
from tests.test_commands import run

RATE = 44_100


def tone(pitch, seconds=6.0, rate=RATE, level=0.2):
    """A tone that swells, so that no two moments of it are the same."""
    time = np.arange(round(seconds * rate)) / rate
    return level * np.sin(2 * np.pi * pitch * time) * (0.6 + 0.4 * np.sin(time))


def write(place, rate=RATE, subtype=None, **waveforms):
    place.mkdir(parents=True, exist_ok=True)
    for name, waveform in waveforms.items():
        soundfile.write(place / f"{name}.wav", waveform, rate, subtype=subtype)


def duo(place, pitch=440, seconds=6.0, rate=RATE, level=0.2):
    """A piece of two sources and their mixture, as MUSDB has them."""
    violin, trumpet = (tone(pitch * ratio, seconds, rate, level) for ratio in (1.0, 1.37))
    write(place, rate, violin=violin, trumpet=trumpet, mixture=violin + trumpet)


def table(out):
    with (out / "slices.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def left_out(folder, out, **options):
    """Slice a folder in which `good` is the only piece that can be used; the faults as lines."""
    report = slice_folder(folder, out, **options)
    assert list(report.pieces["piece"]) == list_pieces(data=out) == ["good"]
    assert sorted(path.name for path in (out / "duets").iterdir()) == ["good"]
    assert all(str(fault) in str(report).partition("Left out: ")[2] for fault in report.faults)
    return [str(fault) for fault in report.faults]


def test_urmp_becomes_a_data_folder_that_the_datasets_read(tmp_path):
    place, out = tmp_path / "urmp" / "12_Spring_vn_vn_hn", tmp_path / "out"
    first, second, horn = tone(440), tone(663), tone(220)
    stems = {"AuSep_1_vn_12_Spring": first, "AuSep_2_vn_12_Spring": second, "AuSep_3_hn_12_Spring": horn}
    write(place, **stems, AuMix_12_Spring_vn_vn_hn=first + second + horn)
    report = slice_folder(tmp_path / "urmp", out, seconds=2.0)
    assert report.faults == () and report.slices == len(table(out)) == 2 * 3
    assert any("2 stems of 'violin' are summed" in note for note in report.notes)
    assert report.pieces.at[0, "sample_rates"] == (44_100,) and report.pieces.at[0, "mixture_error_db"] < -60
    piece = load_piece(place.name, out)
    assert (piece.title, piece.split, list(piece.sources)) == ("12 Spring vn vn hn", "train", ["violin", "french horn"])
    assert np.array_equal(piece.mixture, sum(piece.sources.values()))
    assert piece.queries["french horn"][0] == "french horn" and "a hornist" in piece.queries["french horn"]
    item = DuetDataset("train", seconds=2.0, data=out)[1]
    assert item["query"] == "french horn" and item["target"].shape == (1, 64_000)
    expected = tone(220, 2.0, SAMPLE_RATE)
    assert np.abs(item["target"][0].numpy() - expected)[500:-500].max() < 1e-3


def test_musdb_without_a_mixture_gets_the_sum_and_plain_words(tmp_path):
    write(tmp_path / "in" / "A song", lead_synth=tone(300), drums=np.stack([tone(100), tone(150)], axis=1))
    write(tmp_path / "in" / "B song", rate=48_000, vocals=tone(500, rate=48_000), bass=tone(80, rate=48_000))
    report = slice_folder(tmp_path / "in", tmp_path / "out", seconds=2.0, test=["B song"])
    assert list_pieces("train", tmp_path / "out") == ["A song"] and list_pieces("test", tmp_path / "out") == ["B song"]
    piece = load_piece("A song", tmp_path / "out")
    assert np.array_equal(piece.mixture, sum(piece.sources.values()))
    assert piece.queries["lead synth"][0] == "lead synth" and "the lead synth" in piece.queries["lead synth"]
    assert {row["query"] for row in table(tmp_path / "out")} == {"lead synth", "drums", "vocals", "bass"}
    assert "48000 Hz  no mixture, the sum of: bass, vocals" in str(report)


def test_our_own_shape_comes_back_sample_for_sample(tmp_path):
    report = slice_folder(data_dir() / "duets" / "tempus", tmp_path / "out", test=["tempus"])
    assert report.faults == () and report.pieces.at[0, "mixture_error_db"] == -np.inf
    again, shipped = load_piece("tempus", tmp_path / "out"), load_piece("tempus")
    assert np.array_equal(again.mixture, shipped.mixture)
    assert all(np.array_equal(again.sources[name], shipped.sources[name]) for name in shipped.sources)
    manifest = read_manifest(tmp_path / "out" / "manifest.csv")
    files = dict(zip(manifest["mixture"], manifest["mixture_sha256"], strict=True))
    files |= dict(zip(manifest["target_path"], manifest["target_sha256"], strict=True))
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == files
    assert len(files) == 3


@given(samples=st.integers(1, 2_000_000), seconds=st.floats(0.01, 30), split=st.sampled_from(["train", "test"]))
def test_spans_stay_inside_their_piece_and_apart(samples, seconds, split):
    spans = list(slice_spans(samples, split, seconds))
    size, border = round(seconds * SAMPLE_RATE), samples - 30 * SAMPLE_RATE
    starts = [start for _, start in spans]
    assert all(later - earlier >= size for earlier, later in zip(starts, starts[1:], strict=False))
    assert all(start >= 0 and start + size <= samples for start in starts)
    assert len(starts) >= max(samples // size - 1, 0)
    if any(part == "validation" for part, _ in spans):
        assert split == "train"
        assert all(start >= border if part == "validation" else start + size <= border for part, start in spans)
    else:
        assert {part for part, _ in spans} <= {split}


def test_a_silent_slice_is_marked(tmp_path):
    trumpet = tone(600)
    trumpet[round(1.9 * RATE) : round(4.1 * RATE)] = 0
    write(tmp_path / "in" / "piece", violin=tone(440), trumpet=trumpet, flute=tone(900, level=1e-3))
    report = slice_folder(tmp_path / "in", tmp_path / "out", seconds=2.0)
    rows = {(row["query"], float(row["start_s"])): row for row in table(tmp_path / "out")}
    assert {key for key, row in rows.items() if row["silent"] == "true"} == {
        ("trumpet", 2.0), ("flute", 0.0), ("flute", 2.0), ("flute", 4.0)
    }  # fmt: skip
    assert report.silent == 4 and "9 slices, of which 4 are silent" in str(report)
    piece = load_piece("piece", tmp_path / "out")
    for (query, start), row in rows.items():
        rms = np.sqrt(np.mean(piece.slice(start, 2.0).sources[query].astype(float) ** 2))
        assert (row["silent"] == "true") == (rms <= AUDIBLE_RMS)
        assert float(row["level_db"]) == pytest.approx(20 * np.log10(max(rms, 1e-30)), abs=0.01) or rms == 0


def test_a_mixture_that_is_not_the_sum_is_replaced_and_told(tmp_path):
    duo(tmp_path / "in" / "other", 440)
    write(tmp_path / "in" / "other", mixture=tone(523))
    duo(tmp_path / "in" / "louder", 500)
    mixture, _ = soundfile.read(tmp_path / "in" / "louder" / "mixture.wav")
    write(tmp_path / "in" / "louder", mixture=2 * mixture)
    report = slice_folder(tmp_path / "in", tmp_path / "out", seconds=2.0)
    assert report.faults == ()
    errors = report.pieces.set_index("piece")["mixture_error_db"]
    assert errors["other"] > 0 and errors["louder"] == pytest.approx(-6.02, abs=0.05)
    notes = {note for note in report.notes if ": warning: " in note}
    louder, other = sorted(notes)
    assert other.startswith("other: ") and other.endswith("sum of its stems, which takes its place")
    assert louder.startswith("louder: ") and "only at another level" in louder and "2.000 times" in louder
    for name in errors.index:
        piece = load_piece(name, tmp_path / "out")
        assert np.array_equal(piece.mixture, sum(piece.sources.values()))


@pytest.mark.parametrize("level", [0.8, 3.0, 40_000.0])
def test_a_sum_that_would_clip_turns_the_whole_piece_down(tmp_path, level):
    violin, trumpet = tone(440, level=level), tone(600, level=level / 2)
    write(tmp_path / "in" / "loud", subtype="FLOAT", violin=violin, trumpet=trumpet)
    report = slice_folder(tmp_path / "in" / "loud", tmp_path / "out", seconds=2.0)
    piece = load_piece("loud", tmp_path / "out")
    assert np.array_equal(piece.mixture, sum(piece.sources.values()))
    assert 0.89 < np.abs(piece.mixture).max() <= 0.9001
    levels = [np.sqrt(np.mean(source.astype(float) ** 2)) for source in piece.sources.values()]
    assert levels[1] / levels[0] == pytest.approx(2, abs=0.01), "trumpet, then violin: apart as before"
    assert any("turned down by" in note for note in report.notes)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("trumpet", np.where(np.arange(6 * RATE) == RATE, np.nan, 0.1), "trumpet.wav: holds NaN or infinite samples"),
        ("trumpet", np.zeros((6 * RATE, 2)), "trumpet.wav: is silent from beginning to end"),
        ("trumpet", tone(600, 5.9), "trumpet.wav: lasts 5.900 s, but violin.wav beside it 6.000 s"),
        ("mixture", b"no sound", "mixture.wav: cannot be read as audio"),
        ("mix", b"no sound", "mix.wav: is this the mixture?"),
        ("trumpet", "violin", "trumpet.wav: holds the same samples as "),
    ],
)
def test_a_planted_fault_is_named_and_only_its_piece_left_out(tmp_path, name, content, fault):
    planted = tmp_path / "in" / "planted"
    duo(tmp_path / "in" / "good", 440)
    duo(planted, 500)
    if isinstance(content, np.ndarray):
        write(planted, subtype="FLOAT", **{name: content})
    else:
        copied = tmp_path / "in" / "good" / f"{content}.wav"
        (planted / f"{name}.wav").write_bytes(content if isinstance(content, bytes) else copied.read_bytes())
    (line,) = left_out(tmp_path / "in", tmp_path / "out", seconds=2.0)
    assert line.startswith(f"{planted}/{fault}") and "\n" not in line


def test_all_faults_of_all_pieces_are_in_one_report(tmp_path):
    for name in ("good", "unreadable", "brief"):
        duo(tmp_path / "in" / name, 440 + len(name), seconds=6.0 if name != "brief" else 1.9)
    for name in ("violin", "trumpet"):
        (tmp_path / "in" / "unreadable" / f"{name}.wav").write_text("no sound")
    write(tmp_path / "in" / "alone", violin=tone(700))
    faults = left_out(tmp_path / "in", tmp_path / "out", seconds=2.0, test=["alone"])
    assert len(faults) == 4
    for told in ("alone: has one source only", "violin.wav: cannot", "trumpet.wav: cannot", "too short for a slice"):
        assert sum(told in fault for fault in faults) == 1, told


def test_stems_that_end_nearly_together_are_trimmed(tmp_path):
    write(tmp_path / "in" / "piece", violin=tone(440, 6.0), trumpet=tone(600, 6.04))
    report = slice_folder(tmp_path / "in", tmp_path / "out", seconds=2.0)
    assert "piece: its stems differ in length by 40.0 ms; all are cut to the shortest" in report.notes
    assert load_piece("piece", tmp_path / "out").seconds == 6.0


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_overwritten_unasked_and_a_failure_leaves_the_old_folder(tmp_path, monkeypatch):
    out = tmp_path / "out"
    duo(tmp_path / "in" / "one", 440)
    slice_folder(tmp_path / "in", out, seconds=2.0)
    before = contents(out)
    with pytest.raises(InputError, match="manifest.csv: exists already; pass --force to overwrite"):
        slice_folder(tmp_path / "in", out, seconds=3.0)
    (tmp_path / "in" / "one").rename(tmp_path / "in" / "two")
    with monkeypatch.context() as patch:
        patch.setattr("lass_lab.datasets.slicing.write_table", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            slice_folder(tmp_path / "in", out, seconds=2.0, force=True)
    assert contents(out) == before
    report = slice_folder(tmp_path / "in", out, seconds=2.0, force=True)
    assert list_pieces(data=out) == ["two"] and (out / "duets" / "one").is_dir()
    assert report.slices == len(table(out))
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_a_kill_while_files_take_their_places_leaves_no_manifest(tmp_path, monkeypatch):
    (tmp_path / "manifest.csv").write_text("old")
    moved = []

    def replace(source, target):
        moved.append(target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt), staged(tmp_path, force=True) as stage:
        (stage / "manifest.csv").write_text("new")
        (stage / "z.flac").write_text("new")
        patch.setattr("lass_lab.datasets.manifest.os.replace", replace)
    assert moved == [tmp_path / "z.flac"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((), "in: no piece can be used; "),
        (("--test", "three"), "three: no such piece to test on; one of one, two"),
        (("--out", "in/out"), "in/out: would be written among the recordings"),
        (("--out", "taken"), "taken"),
        (("--seconds", "31"), "seconds: a slice cannot last 31 s"),
    ],
)
def test_a_wrong_call_ends_in_one_line_and_writes_nothing(monkeypatch, tmp_path, capsys, arguments, fault):
    write(tmp_path / "in" / "one", violin=tone(440, 0.5))
    write(tmp_path / "in" / "two", mixture=tone(440, 0.5), mix=tone(440, 0.5))
    (tmp_path / "taken").touch()
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    assert run(monkeypatch, "slice", "in", "--out", "out", *arguments) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("lass-lab: ") and complaint.count("\n") == 1
    assert fault in complaint
    assert contents(tmp_path) == before and not (tmp_path / "out").exists()


def test_a_stem_that_lags_is_named_and_moved_when_asked(tmp_path):
    rng = np.random.default_rng(0)
    violin, trumpet = (0.1 * rng.standard_normal(6 * SAMPLE_RATE) for _ in range(2))
    late = np.concatenate((np.zeros(1105), trumpet[:-1105]))  # the delay of an MP3's encoder
    write(tmp_path / "in" / "duo", SAMPLE_RATE, violin=violin, trumpet=late, mixture=violin + trumpet)
    report = slice_folder(tmp_path / "in", tmp_path / "out")
    assert "warning: 'trumpet' is 1105 samples (34.5 ms) late; --align moves it" in str(report)
    report = slice_folder(tmp_path / "in", tmp_path / "aligned", align=True)
    assert "'trumpet' is 1105 samples (34.5 ms) late; moved" in str(report)
    assert report.pieces["mixture_error_db"].item() < -15  # but for the end, which is not in the file
    found = load_piece("duo", tmp_path / "aligned").sources["trumpet"]
    np.testing.assert_allclose(found[:-1105], trumpet[:-1105], atol=1 / 32768)


def test_channels_that_cancel_are_noted(tmp_path):
    sound = tone(500)
    write(tmp_path / "in" / "duo", violin=np.stack((sound, -0.9 * sound), axis=1), trumpet=tone(700))
    report = slice_folder(tmp_path / "in", tmp_path / "out")
    assert "dB are lost where its 2 channels are mixed; the loudest alone is taken" in str(report)
