"""What notebook 04 is made of: recordings from elsewhere, the separator that only remembers, and its pictures."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from lass_lab.course.figures import describe
from lass_lab.course.nb04.foreign import report_table, rewrite, write_recording, write_recordings
from lass_lab.course.nb04.memoriser import Memoriser
from lass_lab.course.nb04.plots import show_correlation, show_slices
from lass_lab.datasets import list_pieces, load_piece
from lass_lab.datasets.slicing import slice_folder
from lass_lab.signal import sdr, sdr_improvement


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio")
    places = write_recordings(folder / "recordings", 25)
    report = slice_folder(folder / "recordings", folder / "data")
    return places, folder / "data", report


def test_recordings_from_elsewhere_come_back_as_the_duets_they_were_made_of(recorded):
    places, data, report = recorded
    assert [place.name for place in places] == ["01_Joy_vn_tpt", "02_Greensleeves_vn_tpt", "03_Tempus_vn_tpt"]
    assert report.faults == () and set(report.pieces["sample_rates"]) == {(44_100,)}
    assert (report.pieces["mixture_error_db"] < -60).all()
    sound, rate = soundfile.read(places[0] / "AuSep_1_vn_01_Joy.wav")
    assert rate == 44_100 and sound.shape == (25 * rate, 2) and not np.allclose(sound[:, 0], sound[:, 1])
    again, shipped = load_piece("01_Joy_vn_tpt", data), load_piece("joy").slice(0, 25)
    for name, source in shipped.sources.items():
        assert sdr(source[500:-500], again.sources[name][500:-500]) > 50
    table = pd.read_csv(data / "slices.csv")
    assert list(table[table["silent"]]["start_s"]) == [10, 15] and report.silent == 2, "the trumpet that rests"


def test_a_report_becomes_a_table_with_every_piece(tmp_path):
    music, folder = load_piece("greensleeves"), tmp_path / "in"
    for number, name in enumerate(("good", "broken", "backwards")):
        write_recording(folder, music.slice(60 + 6 * number, 6), name)
    for file in (folder / "broken_vn_tpt").glob("AuSep_*"):
        rewrite(file, lambda sound: np.where(sound == sound.max(), np.nan, sound))
    rewrite(folder / "backwards_vn_tpt" / "AuMix_backwards_vn_tpt.wav", lambda sound: sound[::-1])
    table = report_table(slice_folder(folder, tmp_path / "out"), folder)
    told = dict(table.itertuples(index=False, name=None))
    assert list(told) == ["backwards_vn_tpt", "broken_vn_tpt", "good_vn_tpt"]
    assert told["good_vn_tpt"] == "nothing"
    assert told["broken_vn_tpt"].startswith("left out: AuSep_1_vn_broken.wav holds NaN")
    assert told["broken_vn_tpt"].count("left out") == 2
    assert told["backwards_vn_tpt"].startswith("warning: its mixture is +")


def test_the_memoriser_knows_what_it_was_shown_and_little_else(recorded):
    _, data, _ = recorded
    slices = {name: load_piece(name, data).slice(5, 5) for name in list_pieces(data=data)}
    exam = slices["03_Tempus_vn_tpt"]
    before = Memoriser([slices["01_Joy_vn_tpt"], slices["02_Greensleeves_vn_tpt"]], "trumpet")
    after = Memoriser(list(slices.values()), "trumpet")
    frames = len(after.masks) // len(slices)
    assert np.array_equal(after.find(exam.mixture), np.arange(2 * frames, 3 * frames)), "its own frames, the last third"
    gains = [
        sdr_improvement(exam.sources["trumpet"], memoriser.separate(exam.mixture), exam.mixture)
        for memoriser in (before, after)
    ]
    assert gains[1] > gains[0] + 3 and gains[1] > 8


def test_slices_are_drawn_in_lanes_and_told_in_words():
    rows = [
        {"piece": piece, "query": query, "part": part, "start_s": start, "seconds": 5, "silent": silent}
        for piece, part in (("one", "train"), ("two", "test"))
        for query in ("violin", "trumpet")
        for start, silent in ((0.0, False), (5.0, piece == "two" and query == "trumpet"))
    ]
    ax = show_slices(pd.DataFrame(rows))
    assert [tick.get_text() for tick in ax.get_yticklabels()][1:3] == ["one: trumpet", "two: violin"]
    assert len(ax.patches) == 8 and sum(patch.get_hatch() is not None for patch in ax.patches) == 1
    assert describe(ax) == "8 slices in 4 lanes: 4 train, 4 test; silent: two, trumpet, from 5 s"


def test_the_correlation_is_told_within_and_across_pieces():
    correlation = np.array([[1, 0.8, -0.2], [0.8, 1, 0.4], [-0.2, 0.4, 1]])
    ax = show_correlation(correlation, ["one", "one", "two"])
    assert describe(ax) == "Correlation of 3 slices; on average 0.80 within and 0.10 across pieces"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["one", "two"]
    assert list(ax.get_xticks()) == [0.5, 2]
