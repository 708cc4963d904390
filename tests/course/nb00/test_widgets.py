"""The query bench answers what was typed, says in one line why it cannot, and leaves its first answer behind."""

import re
import warnings

import nbformat
import numpy as np
import pytest
from IPython.utils.capture import capture_output
from nbclient import NotebookClient

from lass_lab.course.nb00.widgets import query_bench
from lass_lab.signal import InputError

pytestmark = pytest.mark.usefixtures("shell")
MIXTURE = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
KERNEL = """
import numpy as np

from lass_lab.course.nb00.widgets import query_bench
from lass_lab.signal import InputError


class Half:
    def separate(self, mixture, query, *, progress):
        if not query.strip():
            raise InputError("query: is empty")
        return mixture / 2


bench = query_bench(Half(), np.sin(np.arange(8000) / 10).astype(np.float32))
bench
"""


class Halves:
    """Hears half of the mixture in every query but the silent one, as the real separator refuses empty ones."""

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
    """Type a query as a front end does, then click; give the pages that were shown."""
    with capture_output() as captured, warnings.catch_warnings():
        warnings.simplefilter("error")
        bench.text.value = query
        bench.button.click()
    assert not captured.stderr
    return [output.data["text/html"] for output in captured.outputs]


def test_the_first_answer_is_there_without_a_kernel(bench, separator):
    assert separator.asked == ["a fiddle"]
    assert bench.text.value == "a fiddle"
    page = bench.still.data
    assert page.count("<audio") == 2 and page.count("<img") == 1
    assert "“a fiddle”, the first 1 s" in page
    # Half the amplitude is a quarter of the energy.
    assert "at -6.0 dB against the mixture" in page


def test_a_click_shows_the_answer_to_what_was_typed_once(bench, separator):
    (page,) = type_in(bench, "the violin")
    assert separator.asked == ["a fiddle", "the violin"]
    assert "estimate for “the violin”" in page and page.count("<audio") == 2
    assert not bench.button.disabled and bench.button.description == "separate"


def test_a_click_without_typing_answers_the_first_query(bench, separator):
    (page,) = type_in(bench, "a fiddle")
    assert separator.asked == ["a fiddle"] * 2
    assert "“a fiddle”" in page


def test_a_query_that_cannot_be_answered_shows_one_line(bench):
    (page,) = type_in(bench, "  ")
    assert re.sub("<[^>]+>", "", page) == "query: is empty; name a sound"
    assert not bench.button.disabled
    assert "<audio" in type_in(bench, "violin")[0]


@pytest.mark.parametrize("query", ["$x_$", "<b>loud</b>", "小提琴 🎻", "word " * 200])
def test_any_characters_may_stand_in_a_query(bench, query):
    (page,) = type_in(bench, query)
    assert page.count("<audio") == 2
    assert "<b>" not in page


def test_a_silent_estimate_is_called_silent(bench):
    (page,) = type_in(bench, "silence")
    assert "The estimate is silent." in page and "against the mixture" not in page


@pytest.mark.parametrize("mixture", [np.zeros((2, 100), np.float32), np.full(100, np.nan, np.float32)])
def test_a_mixture_that_is_none_is_refused(separator, mixture):
    with pytest.raises(InputError, match="^mixture: "):
        query_bench(separator, mixture)
    assert not separator.asked


def test_in_a_kernel_the_answer_replaces_the_one_before_in_the_output_widget():
    cells = [KERNEL, "for query in ('trumpet', ' ', 'flute'):\n    bench.text.value = query"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    shown, quiet = (cell.outputs for cell in notebook.cells)
    assert not quiet
    assert any("<audio" in output["data"].get("text/html", "") for output in shown)
    state = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    (outputs,) = (w["state"]["outputs"] for w in state.values() if w["model_name"] == "OutputModel")
    assert len(outputs) == 1
    assert "estimate for “flute”" in outputs[0]["data"]["text/html"]
