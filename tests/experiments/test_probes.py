"""The probes: right numbers for separators whose answers are known, and all of them with the real one."""

import numpy as np
import pytest

from lass_lab.commands.tables import format_probes
from lass_lab.datasets.captions import heldout_captions
from lass_lab.datasets.duets import Piece, data_dir, list_pieces
from lass_lab.experiments import probes
from lass_lab.experiments.probes import ABSENT, COLUMNS, FORGETTING, probe, query_clips
from lass_lab.models import load_separator
from lass_lab.signal.files import InputError
from lass_lab.signal.metrics import sdr
from tests.made_separators import Known
from tests.made_sources import made_bank

RATE = 32_000
SAME = Known(lambda mixture, query: mixture)


@pytest.fixture(scope="module")
def piece():
    rng = np.random.default_rng(0)
    violin, trumpet = (rng.standard_normal((2, 3 * RATE)) * [[0.2], [0.1]]).astype(np.float32)
    return Piece("made", "Made", "test", violin + trumpet, {"violin": violin, "trumpet": trumpet}, {}, RATE)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    tones = {name: 220.0 * 1.3**place for place, name in enumerate(FORGETTING)}
    return made_bank(tmp_path_factory.mktemp("bank"), splits=("test",), tones=tones)


def values(table):
    return table.set_index(["detail", "metric"])["value"]


def test_the_worst_and_the_mean_are_of_the_held_out_phrasings(piece):
    good, fair, none = heldout_captions("violin")
    shares = {good: 0.9, fair: 0.5}
    uneven = Known(lambda mixture, query: shares.get(query, 0) * piece.sources["violin"])
    found = values(probes.paraphrases("uneven", uneven, piece))
    gains = [found[f'violin: "{words}"', "SDRi"] for words in (good, fair, none)]
    own = sdr(piece.sources["violin"], piece.mixture)
    assert gains == pytest.approx([20 - own, 20 * np.log10(2) - own, -own], abs=1e-3)
    assert found["violin: mean of the held-out", "SDRi"] == pytest.approx(np.mean(gains))
    assert found["violin: worst of the held-out", "SDRi"] == min(gains)


def test_a_wrong_query_is_measured_against_the_source_that_was_not_asked_for(piece):
    deaf = Known(lambda mixture, query: 0.9 * piece.sources["violin"])  # whatever it is asked for
    found = values(probes.wrong_query("deaf", deaf, piece))
    assert found['"trumpet" against the violin', "SDR"] == pytest.approx(20, abs=1e-3)
    assert found['"trumpet" against the violin', "SI-SDR"] > 60
    assert found['"violin" against the trumpet', "SI-SDR"] < -20
    assert len(found) == 4


def test_the_level_of_absent_instruments_is_against_the_mixture(piece):
    tenth = Known(lambda mixture, query: mixture / (10 if query == "piano" else 100))
    table = probes.absent_instruments("tenth", tenth, piece)
    assert values(table).tolist() == pytest.approx([-20, -40, -40, -40, -35], abs=1e-4)
    assert table["detail"].tolist() == [*(f'"{name}"' for name in ABSENT), "mean"]
    assert table["n"].tolist() == [1] * 4 + [4]
    playing = Piece("made", "Made", "test", piece.mixture, {"tuba": piece.mixture}, {}, RATE)
    assert '"tuba"' not in probes.absent_instruments("tenth", tenth, playing)["detail"].tolist()


def test_forgetting_draws_the_eight_instruments_and_the_same_mixtures_every_time(bank):
    heard = []
    listener = Known(lambda mixture, query: heard.append((query, mixture)) or np.zeros_like(mixture))
    sizes = {"pairs": 12, "progress": False}
    first = probes.forgetting("listener", listener, bank, **sizes)
    assert {query for query, _ in heard} <= {words for name in FORGETTING for words in heldout_captions(name)}
    second = probes.forgetting("listener", listener, bank, **sizes)
    assert first.equals(second)
    assert all((a == b).all() for (_, a), (_, b) in zip(heard[:24], heard[24:], strict=True))
    mean = first.iloc[-1]
    assert (mean["detail"], mean["n"]) == ("mean", 12) and mean["low"] < mean["value"] < mean["high"]
    each = first.iloc[:-1]
    assert set(each["detail"]) <= set(FORGETTING) and each["n"].sum() == 24
    assert np.average(each["value"], weights=each["n"]) == pytest.approx(mean["value"])
    same = probes.forgetting("same", SAME, bank, **sizes).iloc[-1]
    assert (same["value"], same["low"], same["high"]) == (0, 0, 0)


def test_a_bank_that_lacks_an_instrument_is_refused_at_once(tmp_path):
    with pytest.raises(InputError, match=r"sources.csv: holds no oboe in the split 'test'"):
        probe({"same": SAME}, bank=made_bank(tmp_path, 0.5, ("test",)), progress=False)
    with pytest.raises(InputError, match="no such file; make the sources with"):
        probes.forgetting("same", SAME, tmp_path / "nowhere")


def test_clips_to_ask_by_are_the_loudest_slices(piece):
    rising = np.linspace(0, 0.5, 15 * RATE, dtype=np.float32)
    duet = Piece("made", "Made", "train", rising, {"violin": rising}, {}, RATE)
    np.testing.assert_array_equal(query_clips(duet)["violin"], rising[10 * RATE :])
    with pytest.raises(InputError, match="made: its violin is silent"):
        query_clips(piece)


def test_audio_queries_ask_by_the_clip_of_each_source(piece):
    clips = {"trumpet": np.full(RATE, 0.1, np.float32), "violin": np.full(RATE, 0.2, np.float32)}
    ear = Known(lambda mixture, clip: piece.sources["violin" if clip[0] > 0.15 else "trumpet"])
    found = values(probes.audio_queries("ear", ear, piece, clips))
    assert found.index.get_level_values("detail").tolist() == ["trumpet, by a clip of it", "violin, by a clip of it"]
    assert (found > 60).all()
    with pytest.raises(InputError, match="made: has no source 'tuba'"):
        probes.audio_queries("ear", ear, piece, {"tuba": clips["violin"]})


def test_every_probe_of_the_real_separator(bank, capsys):
    tiny = load_separator(data_dir() / "tiny-finetuned")
    table = probe({"before": tiny, "after": tiny}, longest=5.0, bank=bank, pairs=2, progress=False)
    assert table.columns.tolist() == COLUMNS and np.isfinite(table["value"]).all()
    kinds = ["paraphrases", "wrong query", "absent instrument", "forgetting", "out of domain", "audio query"]
    assert table["probe"].unique().tolist() == kinds
    before, after = (table[table["separator"] == name].drop(columns="separator") for name in ("before", "after"))
    assert before.reset_index(drop=True).equals(after.reset_index(drop=True))  # the same separator, the same numbers
    known = values(before)['violin: "violin"', "SDRi"]
    assert known > 3 and values(before)["violin, by a clip of it", "SDRi"] > 3
    text = format_probes(table)
    lines = [line for line in text.splitlines() if 'violin: "violin"' in line]
    assert lines[0].split()[-2:] == [f"{known:.2f}"] * 2 and "95% interval" in text
    assert max(map(len, text.splitlines())) <= 120
    assert list_pieces("out-of-domain")[0] in text and capsys.readouterr().out == ""
