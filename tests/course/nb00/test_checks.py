"""The checks of notebook 00 say right to what is right, and name the typical mistake."""

import numpy as np
import pytest

from lass_lab.course.nb00.checks import check_the_other, check_words
from tests.checking import NothingRaises, RightAndWrong, one_line

RIGHT = [(check_the_other, lambda mixture, violin: mixture - violin), (check_words, "a fiddle tune")]
WRONG = [
    (check_the_other, lambda mixture, violin: violin - mixture, "upside down"),
    (check_the_other, lambda mixture, violin: mixture + violin, "the violin is in it twice"),
    (check_the_other, lambda mixture, violin: violin, "the violin itself"),
    (check_the_other, lambda mixture, violin: mixture, "the mixture itself"),
    (check_the_other, lambda mixture, violin: 0.5 * (mixture - violin), "sample by sample; it does not"),
    (check_the_other, lambda mixture, violin: (mixture - violin)[1:], "samples for"),
    (check_words, "a Violin", "the word itself"),
    (check_words, "trumpet", "something else"),
    (check_words, "  ", "is empty"),
    (check_words, ["bowed strings"], "of type list"),
]


class TestRightAndWrong(RightAndWrong):
    RIGHT, WRONG = RIGHT, WRONG


class TestNothingRaises(NothingRaises):
    CHECKS = (check_the_other,)


@pytest.mark.parametrize("stub", [None, ...])
def test_words_that_are_not_there_yet(stub, capsys):
    assert not check_words(stub)
    assert one_line(capsys).startswith("Not solved yet: ")


@pytest.mark.parametrize("answer", [3, np.zeros(3), object(), lambda: "violin", "\ud800", "🎻", "小提琴", "x" * 10_000])
def test_whatever_the_words_are_one_sentence_comes_back(answer, capsys):
    check_words(answer)
    assert one_line(capsys).startswith(("Right: ", "Not yet: "))
