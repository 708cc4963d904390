"""The trade-off picture: every point where it belongs, and in words."""

import numpy as np
import pandas as pd
import pytest

from lass_lab.course.figures import describe
from lass_lab.course.nb08.tradeoff import show_tradeoff, unbeaten
from lass_lab.signal import InputError


@pytest.fixture
def table():
    rows = [("pretrained", 1.0, 7.0, None), ("your run", 6.5, 6.0, None)]
    rows += [(f"share {share:g}", 1 + 5 * share, 7 - share, "averaged") for share in (0.0, 0.5, 1.0)]
    frame = pd.DataFrame(rows, columns=["variant", "trumpet", "others", "path"])
    return frame.assign(low=frame["others"] - 0.5, high=frame["others"] + 0.5)


def test_every_point_stands_where_its_numbers_say(table):
    ax = show_tradeoff(table)
    drawn = {tuple(map(float, point)) for line in ax.lines for point in line.get_xydata()}
    assert {(row.others, row.trumpet) for row in table.itertuples()} <= drawn
    assert {text.get_text() for text in ax.texts} == {"pretrained", "your run", "share 0", "share 1"}


def test_the_picture_is_told_in_words(table):
    assert "your run: trumpet 6.5 dB, others 6.0 dB" in describe(show_tradeoff(table))


def test_it_needs_no_path_and_takes_another_source(table):
    ax = show_tradeoff(table.drop(columns="path").rename(columns={"trumpet": "violin"}), source="violin")
    assert ax.get_ylabel() == "violin, SDR (dB)"


@pytest.mark.parametrize(("column", "fault"), [("others", "lacks the column others"), ("trumpet", "column trumpet")])
def test_a_table_that_lacks_something_is_refused(table, column, fault):
    with pytest.raises(InputError, match=fault):
        show_tradeoff(table.drop(columns=column))


def test_an_empty_table_is_refused(table):
    with pytest.raises(InputError, match="no row"):
        show_tradeoff(table.iloc[:0])


def test_a_way_is_beaten_by_one_that_is_as_good_at_all_and_better_at_one():
    scores = np.array([[1.0, 7.0], [6.0, 6.0], [6.0, 5.0], [5.0, 5.0], [6.0, 6.0]])
    assert list(unbeaten(scores)) == [True, True, False, False, True]
