"""The table of results: right numbers in the right rows, for separators whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from lass_lab.datasets.duets import Piece
from lass_lab.datasets.mixing import MixtureRecipe
from lass_lab.experiments.evaluation import bootstrap, evaluate, evaluate_mixtures, format_summary, summarise
from lass_lab.signal.files import InputError
from tests.made_sources import made_bank

RATE = 32_000


class Known:
    """Gives back what it was told to, whatever it hears."""

    def __init__(self, answer):
        self.answer = answer

    def separate(self, mixture, query, progress=None):
        queries = [query] if isinstance(query, str) else query
        estimates = np.stack([self.answer(mixture, words) for words in queries])
        return estimates[0] if isinstance(query, str) else estimates


@pytest.fixture
def piece():
    rng = np.random.default_rng(0)
    violin, trumpet = (rng.standard_normal((2, 3 * 5 * RATE)) * [[0.2], [0.1]]).astype(np.float32)
    trumpet[5 * RATE : 10 * RATE] = 0  # a rest, one slice long
    return Piece("made", "Made", "test", violin + trumpet, {"violin": violin, "trumpet": trumpet}, {}, RATE)


def value(table, **where):
    rows = table
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    return rows["value"].tolist()


def test_known_answers_score_as_they_must(piece):
    half = Known(lambda mixture, query: piece.sources[query][: len(mixture)] / 2)
    table = evaluate({"half": half}, [piece], progress=False)
    at = {"extent": "piece", "source": "violin"}
    assert value(table, separator="half", metric="SDR", **at) == pytest.approx([20 * np.log10(2)], abs=1e-4)
    assert value(table, separator="mixture", metric="SDRi", **at) == [0.0]
    expected = 10 * np.log10(np.mean(piece.sources["violin"] ** 2) / np.mean(piece.sources["trumpet"] ** 2))
    assert value(table, separator="mixture", metric="SDR", **at) == pytest.approx([expected], abs=1e-3)
    assert value(table, separator="half", metric="correlation", **at) == pytest.approx([1.0], abs=1e-6)


def test_sdr_less_its_improvement_is_the_mixtures_own_whatever_the_separator(piece):
    noisy = Known(lambda mixture, query: mixture * 0.3)
    perfect = Known(lambda mixture, query: piece.sources[query])
    table = evaluate({"noisy": noisy, "perfect": perfect}, [piece], progress=False)
    wide = table.pivot_table(index=["separator", "source", "extent", "start_s"], columns="metric", values="value")
    own = (wide["SDR"] - wide["SDRi"]).unstack("separator")
    np.testing.assert_allclose(own["noisy"], own["perfect"], atol=1e-9)
    np.testing.assert_allclose(own["noisy"], own["mixture"], atol=1e-9)


def test_slices_in_which_the_target_rests_are_left_out(piece):
    table = evaluate({}, [piece], progress=False)
    slices = table[(table["extent"] == "slice") & (table["metric"] == "SDR")]
    assert slices[slices["source"] == "trumpet"]["start_s"].tolist() == [0.0, 10.0]
    assert slices[slices["source"] == "violin"]["start_s"].tolist() == [0.0, 5.0, 10.0]
    assert np.isfinite(table["value"]).all()


def test_queries_and_length_are_ones_own_choice(piece):
    asked = []
    listener = Known(lambda mixture, query: asked.append((query, len(mixture))) or mixture)
    queries = {"violin": ["fiddle", "the violin"]}
    table = evaluate({"listener": listener}, [piece], queries, longest=6.0, progress=False)
    assert asked == [("fiddle", 6 * RATE), ("the violin", 6 * RATE)]
    assert set(table["query"]) == {"fiddle", "the violin"} and set(table["source"]) == {"violin"}
    with pytest.raises(InputError, match="made: has no source 'tuba'"):
        evaluate({}, [piece], {"tuba": ["tuba"]}, progress=False)


def test_a_summary_has_one_row_for_each_number_and_prints(piece):
    summary = summarise(evaluate({}, [piece], progress=False))
    assert len(summary) == 2 * 5
    row = summary[(summary["source"] == "trumpet") & (summary["metric"] == "SDR")].iloc[0]
    assert row["slices"] == 2 and row["low"] <= row["mean"] <= row["high"]
    text = format_summary(summary)
    assert "trumpet" in text and "SI-SDR" in text and f"{row['value']:.2f}" in text


def test_bootstrap_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = [low <= 3 <= high for low, high in (bootstrap(rng.normal(3, 2, 40), 500, i) for i in range(300))]
    assert 0.90 <= np.mean(covered) <= 0.98
    assert bootstrap(np.full(5, 2.5)) == (2.5, 2.5)


def test_mixtures_of_sources_are_measured_one_by_one(tmp_path):
    folder = made_bank(tmp_path)
    silent = Known(lambda mixture, query: np.zeros_like(mixture))
    absent = MixtureRecipe(aligned=0.0, third=0.0, absent=1.0)
    table = evaluate_mixtures(silent, folder, pairs=5, recipe=absent, seconds=1.0, progress=False)
    assert len(table) == 5 and (table["level"] < -60).all()
    same = Known(lambda mixture, query: mixture)
    table = evaluate_mixtures(same, folder, pairs=5, seconds=1.0, progress=False)
    assert isinstance(table, pd.DataFrame) and table["sdri"].abs().max() < 1e-9 and table["level"].abs().max() < 1e-9
