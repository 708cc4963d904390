"""The trade-off: measured value by value, every point where it belongs, in words, and the front with its doubt."""

import numpy as np
import pytest

from lass_lab.course.figures import describe
from lass_lab.course.nb08.tradeoff import measure, on_front, show_tradeoff
from lass_lab.datasets import load_piece
from tests.made_separators import Known


def way(trumpet, others, spread=0.0):
    steps = spread * np.linspace(-1, 1, 9)
    return {"violin": steps, "trumpet": trumpet + steps, "others": others + steps}


def test_every_point_stands_where_its_numbers_say_with_its_intervals():
    path = ["pretrained", "50%", "duets alone"]
    ways = {"pretrained": way(1, 7, 1), "your run": way(6.5, 6, 1), "50%": way(3.5, 6.5), "duets alone": way(6, 6)}
    ax = show_tradeoff(ways, path)
    drawn = {tuple(np.round(point, 6)) for line in ax.lines for point in line.get_xydata()}
    assert {(7, 1), (6, 6.5), (6.5, 3.5), (6, 6)} <= drawn
    labels = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert sorted(labels) == ["between: 50%", "duets alone", "pretrained", "your run"] and not ax.texts
    assert len(ax.containers) == 3, "what lies between has no interval"
    assert "your run: trumpet 6.5 dB, others 6.0 dB" in describe(ax)


def test_the_front_is_sure_where_slices_agree_and_a_toss_where_noise_decides():
    ways = {"kept": way(1, 7, 2), "beaten on every slice": way(0.9, 6.9, 2), "gained": way(6, 6, 2)}
    assert on_front(ways, 200).tolist() == [1, 0, 1]
    rng = np.random.default_rng(0)
    noisy = {"violin": np.zeros(20), "trumpet": rng.normal(0, 2, 20), "others": rng.normal(0, 2, 20)}
    still = {name: np.full(20, values.mean()) for name, values in noisy.items()}
    shares = on_front({"noisy": noisy, "still": still}, 500)
    assert shares.between(0.6, 0.9).all(), "each is beaten in about a quarter of the draws"


def test_values_come_slice_by_slice_and_mixture_by_mixture_as_improvements():
    pieces = [load_piece("joy").slice(0, 10)]
    found = measure(Known(lambda mixture, query: mixture), pieces, pairs=2)
    assert {name: len(values) for name, values in found.items()} == {"violin": 2, "trumpet": 2, "others": 2}
    assert all(values == pytest.approx(0, abs=1e-9) for values in found.values())
