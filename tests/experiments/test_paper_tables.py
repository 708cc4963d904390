"""The paper's two tables beside ours: its numbers as it printed them, ours in the right cells."""

import pandas as pd
import pytest

from lass_lab.experiments.paper_tables import METRICS, paper_results, paper_tables
from lass_lab.signal.files import InputError

STAGES = ["mixture", "pretrained", "phase 1", "phase 2", "paper's recipe", "ideal ratio mask", "phase-sensitive mask"]


def measured(separators=STAGES, pieces=("made",), sources=("trumpet", "violin")):
    """A table such as `evaluate` gives, in which every number tells where it stands."""
    rows = [
        (separator, piece, source, "piece", metric, 100 * p + 10 * s + m)
        for piece in pieces
        for p, separator in enumerate(separators)
        for s, source in enumerate(sources)
        for m, metric in enumerate([*METRICS, "SI-SDR"])
    ]
    table = pd.DataFrame(rows, columns=["separator", "piece", "source", "extent", "metric", "value"])
    slices = table.assign(extent="slice", value=-1e6)  # must not count
    return pd.concat([table, slices], ignore_index=True)


def test_the_papers_numbers_can_be_asked_for_by_stage():
    before = paper_results("pretrained").set_index(["source", "metric"])["value"]
    assert len(before) == 8 and len(paper_results()) == 16
    # The mixture's own SDR, which the paper's two columns imply.
    assert before["violin", "SDR"] - before["violin", "SDRi"] == pytest.approx(0.47)
    assert before["trumpet", "SDR"] - before["trumpet", "SDRi"] == pytest.approx(-4.32)


def test_every_number_is_in_its_cell():
    tables = paper_tables(measured())
    assert tables.loc["violin"].index.tolist() == ["SDR", "SDRi", "correlation", "MSE"]
    assert tables.index.get_level_values("source").tolist() == ["violin"] * 4 + ["trumpet"] * 4
    assert tables.loc["violin", "paper before"].tolist() == [17.57, 17.10, 0.9933, 0.0006]
    assert tables.loc["trumpet", "paper after"].tolist() == [10.09, 9.01, 0.9575, 0.0006]
    assert tables.loc["trumpet", "pretrained"].tolist() == [100, 101, 102, 103]
    assert tables.loc["violin", "phase 2"].tolist() == [310, 311, 312, 313]


def test_the_paper_stands_first_and_floor_and_ceilings_last():
    ours = ["pretrained", "phase 1", "phase 2", "paper's recipe"]
    last = ["mixture", "ideal ratio mask", "phase-sensitive mask"]
    assert paper_tables(measured()).columns.tolist() == ["paper before", "paper after", *ours, *last]
    without = paper_tables(measured(["phase 2", "pretrained"]))
    assert without.columns.tolist() == ["paper before", "paper after", "phase 2", "pretrained"]


def test_several_pieces_give_their_mean():
    table = measured(["tiny"], pieces=("one", "two"))
    table.loc[(table["piece"] == "two") & (table["metric"] == "SDR") & (table["extent"] == "piece"), "value"] += 5
    assert paper_tables(table).loc[("trumpet", "SDR"), "tiny"] == 2.5


def test_other_sources_than_the_paper_s_are_refused():
    with pytest.raises(InputError, match="no whole piece with a trumpet"):
        paper_tables(measured(sources=("violin", "viola")))
