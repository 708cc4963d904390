"""The trade-off picture: every point where it belongs, and in words."""

import numpy as np
import pandas as pd

from lass_lab.course.figures import describe
from lass_lab.course.nb08.tradeoff import show_tradeoff, unbeaten


def test_every_point_stands_where_its_numbers_say():
    path = [f"share {share:g}" for share in (0.0, 0.5, 1.0)]
    rows = [("pretrained", 1.0, 7.0), ("your run", 6.5, 6.0), *zip(path, (1, 3.5, 6), (7, 6.5, 6), strict=True)]
    table = pd.DataFrame(rows, columns=["variant", "trumpet", "others"])
    table = table.assign(low=table["others"] - 0.5, high=table["others"] + 0.5)
    ax = show_tradeoff(table, path)
    drawn = {tuple(map(float, point)) for line in ax.lines for point in line.get_xydata()}
    assert {(row.others, row.trumpet) for row in table.itertuples()} <= drawn
    assert {text.get_text() for text in ax.texts} == {"pretrained", "your run", "share 0", "share 1"}
    assert "your run: trumpet 6.5 dB, others 6.0 dB" in describe(ax)
    assert len(show_tradeoff(table).texts) == 5


def test_a_way_is_beaten_by_one_that_is_as_good_at_all_and_better_at_one():
    scores = np.array([[1.0, 7.0], [6.0, 6.0], [6.0, 5.0], [5.0, 5.0], [6.0, 6.0]])
    assert list(unbeaten(scores)) == [True, True, False, False, True]
