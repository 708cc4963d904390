"""The query bench answers what was typed, says in one line why it cannot, and leaves its first answer behind."""

import numpy as np
import pytest

from lass_lab.course.nb00.widgets import query_bench
from lass_lab.signal import InputError
from tests.course.controls import click, control, page_after, text

pytestmark = pytest.mark.usefixtures("shell")
MIXTURE = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)


class Halves:
    """Gives half of the mixture for every query but the silent one, and refuses empty ones as the real one does."""

    def __init__(self):
        self.asked = []

    def separate(self, mixture, query, *, progress):
        self.asked.append(query)
        if not query.strip():
            raise InputError("query: is empty; name a sound")
        return mixture * (0.0 if query == "silence" else 0.5)


@pytest.fixture
def separator():
    return Halves()


@pytest.fixture
def bench(separator):
    return query_bench(separator, MIXTURE, "a fiddle")


def type_in(bench, query):
    """Type a query as a front end does, then click."""

    def act():
        control(bench, "query").value = query
        control(bench, "separate").click()

    return page_after(act)


def test_the_first_answer_is_there_without_a_kernel(bench, separator):
    assert separator.asked == ["a fiddle"] and control(bench, "query").value == "a fiddle"
    page = bench.still.data
    assert page.count("<audio") == 2 and page.count("<img") == 1 + 2
    assert "“a fiddle”, the first 1 s" in page
    # Half the amplitude is a quarter of the energy.
    assert "at -6.0 dB against the mixture" in page


def test_a_click_shows_the_answer_to_what_was_typed_once(bench, separator):
    assert "“a fiddle”" in click(bench, "separate"), "nothing was typed"
    page = type_in(bench, "the violin")
    assert separator.asked == ["a fiddle", "a fiddle", "the violin"]
    assert "estimate for “the violin”" in page and page.count("<audio") == 2
    assert not control(bench, "separate").disabled


def test_a_query_that_cannot_be_answered_shows_one_line(bench):
    assert text(type_in(bench, "  ")) == "query: is empty; name a sound"
    assert "the estimate is silent." in type_in(bench, "silence")


@pytest.mark.parametrize("query", ["$x_$", "<b>loud</b>", "小提琴 🎻", "word " * 200])
def test_any_characters_may_stand_in_a_query(bench, query):
    page = type_in(bench, query)
    assert page.count("<audio") == 2 and "<b>" not in page
