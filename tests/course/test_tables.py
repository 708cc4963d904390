"""Tables of results: every number in its place."""

import pandas as pd
import pytest

from lass_lab.course.tables import results_table
from lass_lab.signal import InputError

RESULTS = pd.DataFrame(
    [
        ("mixture", "violin", "SDR", 1.0, 1.26, 0.5, 2.04),
        ("mixture", "trumpet", "SDR", -1.0, -1.3, -2.0, -0.5),
        ("tiny", "violin", "SDR", 9.0, 8.0, 7.0, 9.0),
        ("tiny", "violin", "MSE", 0.00012, 0.00034, 0.0001, 0.0005),
    ],
    columns=["separator", "source", "metric", "value", "mean", "low", "high"],
)


def test_every_number_is_in_its_place_and_the_order_is_kept():
    table = results_table(RESULTS)
    assert list(table.index) == [("violin", "mixture"), ("violin", "tiny"), ("trumpet", "mixture")]
    assert table.columns.tolist() == ["SDR (dB)", "MSE"]
    assert table.to_numpy().tolist() == [["1.0", "–"], ["9.0", "1.2e-04"], ["-1.0", "–"]]


def test_intervals_are_those_of_the_mean():
    assert results_table(RESULTS, intervals=True).loc[("violin", "mixture"), "SDR (dB)"] == "1.3 [0.5, 2.0]"


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        (RESULTS.drop(columns="source"), "lack the column source"),
        (RESULTS.replace("MSE", "PESQ"), "no such metric: PESQ"),
        (pd.concat([RESULTS, RESULTS[:1]]), "SDR of mixture, violin has two rows"),
    ],
)
def test_what_cannot_be_a_table_is_refused(results, fault):
    with pytest.raises(InputError, match=fault):
        results_table(results)
