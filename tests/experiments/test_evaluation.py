"""The table of results: right numbers in the right rows, for separators whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from lass_lab.commands.tables import format_summary
from lass_lab.datasets.duets import Piece
from lass_lab.datasets.mixing import MixtureRecipe
from lass_lab.experiments.evaluation import (
    ORACLES,
    bootstrap,
    evaluate,
    evaluate_mixtures,
    level_db,
    open_piece,
    summarise,
)
from lass_lab.models import load_separator
from lass_lab.signal.files import InputError
from lass_lab.signal.metrics import sdr
from tests.made_separators import Known, small
from tests.made_sources import made_bank

RATE = 32_000


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
    table = evaluate({"noisy": noisy, "perfect": perfect}, [piece], metrics=["SDR"], progress=False)
    wide = table.pivot_table(index=["separator", "source", "extent", "start_s"], columns="metric", values="value")
    own = (wide["SDR"] - wide["SDRi"]).unstack("separator")
    np.testing.assert_allclose(own["noisy"], own["perfect"], atol=1e-9)
    np.testing.assert_allclose(own["noisy"], own["mixture"], atol=1e-9)
    assert set(table["metric"]) == {"SDR", "SDRi"}


def test_by_subtraction_a_source_scores_what_the_other_one_gained(piece):
    rng = np.random.default_rng(1)
    poor = Known(lambda mixture, query: 0.6 * piece.sources[query] + 0.1 * rng.standard_normal(len(mixture)))
    table = evaluate({"poor": poor}, [piece], metrics=["SDR"], progress=False)
    wide = table.pivot_table(index=["source", "start_s", "extent"], columns=["separator", "metric"], values="value")
    for one, other in (("violin", "trumpet"), ("trumpet", "violin")):
        both = wide.loc[one]["poor, by subtraction"].join(wide.loc[other]["poor"], rsuffix=" asked", how="inner")
        assert len(both) == 3  # the piece, and two slices in which both play
        np.testing.assert_allclose(both["SDR"], both["SDRi asked"], atol=1e-4)
        np.testing.assert_allclose(both["SDRi"], both["SDR asked"], atol=1e-4)


def test_nothing_is_subtracted_where_it_is_not_clear_what(piece):
    same = {"same": Known(lambda mixture, query: mixture)}
    three = duet(a=piece.sources["violin"], b=piece.sources["trumpet"], c=piece.sources["violin"])
    for made, queries in ((three, None), (piece, {"violin": ["fiddle"]}), (piece, {"violin": ["a", "b"]})):
        assert set(evaluate(same, [made], queries, metrics=["SDR"], progress=False)["separator"]) == {"mixture", "same"}


def test_consistent_rows_are_what_the_separator_would_give_without_another_pass(piece):
    separator = small()
    once = Known(lambda mixture, query: separator.separate(mixture, query))
    table = evaluate({"once": once}, [piece], consistent=True, metrics=["SDR"], progress=False)
    asked = separator.separate(piece.mixture, list(piece.sources), consistent=True, progress=False)
    for (source, target), estimate in zip(piece.sources.items(), asked, strict=True):
        (found,) = value(table, separator="once, consistent", source=source, extent="piece", metric="SDR")
        assert found == pytest.approx(sdr(target, estimate), abs=0.02)
        assert abs(found - value(table, separator="once", source=source, extent="piece", metric="SDR")[0]) > 0.1


def test_slices_in_which_the_target_rests_are_left_out(piece):
    table = evaluate({}, [piece], progress=False)
    slices = table[(table["extent"] == "slice") & (table["metric"] == "SDR")]
    assert slices[slices["source"] == "trumpet"]["start_s"].tolist() == [0.0, 10.0]
    assert slices[slices["source"] == "violin"]["start_s"].tolist() == [0.0, 5.0, 10.0]
    assert np.isfinite(table["value"]).all()


def test_a_piece_without_a_slice_has_its_row(piece):
    summary = summarise(evaluate({}, [piece.slice(0, 3)], progress=False))
    assert len(summary) == 2 * 5 and not summary["slices"].any() and summary["mean"].isna().all()
    assert summary["value"].notna().all() and "trumpet" in format_summary(summary)


def test_queries_and_length_are_ones_own_choice(piece):
    asked = []
    listener = Known(lambda mixture, query: asked.append((query, len(mixture))) or mixture)
    queries = {"violin": ["fiddle", "the violin"]}
    table = evaluate({"listener": listener}, [piece], queries, longest=6.0, metrics=["SDR"], progress=False)
    assert asked == [("fiddle", 6 * RATE), ("the violin", 6 * RATE)]
    assert set(table["query"]) == {"fiddle", "the violin"} and set(table["source"]) == {"violin"}
    with pytest.raises(InputError, match="made: has no source 'tuba'"):
        evaluate({}, [piece], {"tuba": ["tuba"]}, progress=False)


def test_bootstrap_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = [low <= 3 <= high for low, high in (bootstrap(rng.normal(3, 2, 40), i) for i in range(300))]
    assert 0.90 <= np.mean(covered) <= 0.98
    assert bootstrap(np.full(1, 2.5)) == (2.5, 2.5)


def test_mixtures_of_sources_are_measured_one_by_one(tmp_path):
    folder = made_bank(tmp_path)
    silent = Known(lambda mixture, query: np.zeros_like(mixture))
    absent = MixtureRecipe(aligned=0.0, absent=1.0)
    table = evaluate_mixtures(silent, folder, pairs=5, recipe=absent, seconds=1.0, progress=False)
    assert len(table) == 5 and (table["level"] < -60).all()
    same = Known(lambda mixture, query: mixture)
    table = evaluate_mixtures(same, folder, pairs=5, seconds=1.0, progress=False)
    assert isinstance(table, pd.DataFrame) and table["sdri"].abs().max() < 1e-9 and table["level"].abs().max() < 1e-9


def test_a_level_is_in_decibels_under_the_mixture():
    mixture = np.full(100, 0.5, np.float32)
    assert level_db(mixture / 10, mixture) == pytest.approx(-20, abs=1e-5)
    assert level_db(np.zeros(100), mixture) < -90 and np.isfinite(level_db(mixture, np.zeros(100)))


def duet(**sources):
    sources = {name: waveform.astype(np.float32) for name, waveform in sources.items()}
    return Piece("made", "Made", "test", sum(sources.values()), sources, {}, RATE)


def test_oracles_hear_a_tone_in_noise():
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(6 * RATE) / RATE)
    noise = 0.1 * np.random.default_rng(0).standard_normal(6 * RATE)
    table = evaluate({}, [duet(tone=tone, noise=noise)], oracles=True, progress=False)
    assert set(table["separator"]) == {"mixture", *ORACLES}
    for oracle in ORACLES:
        gains = [value(table, separator=oracle, source=s, metric="SDRi", extent="piece") for s in ("tone", "noise")]
        assert gains[0][0] > 15 and gains[1][0] > 15, oracle
    assert set(evaluate({}, [duet(tone=tone)], progress=False)["separator"]) == {"mixture"}


def test_no_separator_passes_the_oracles_on_a_real_duet():
    piece = open_piece("auld-lang-syne", 10.0)
    table = evaluate({"tiny": load_separator("tiny")}, [piece], oracles=True, progress=False)
    scores = table[(table["metric"] == "SDR") & (table["extent"] == "piece")]
    wide = scores.pivot_table(index="source", columns="separator", values="value")
    assert (wide[list(ORACLES)].min(axis=1) > wide[["mixture", "tiny"]].max(axis=1) + 3).all()


def test_a_piece_is_cut_to_its_first_seconds(piece):
    cut = open_piece(piece, 2.0)
    np.testing.assert_array_equal(cut.mixture, piece.mixture[: 2 * RATE])
    np.testing.assert_array_equal(cut.sources["trumpet"], piece.sources["trumpet"][: 2 * RATE])
    assert open_piece(piece, 99.0) is piece and open_piece("tempus").name == "tempus"
