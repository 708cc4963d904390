"""What every self-check of an exercise owes a student; a test module subclasses these for its own."""

import math

import numpy as np
import torch

STUBS = (None, ..., lambda *_: None, lambda *_: ...)
# No check takes any of these for an answer.
RETURNED = (
    "violin", math.nan, math.inf, -3, True, 1j, [], {}, {1, 2}, object(), [1, "a"], [[1.0], [1.0, 2.0]],
    [[1, 2], [3, 4]], np.zeros((3, 4)), np.zeros(5, complex), np.full(64_000, np.nan), np.zeros(64_000),
    np.zeros((2, 2), "U1"), torch.ones(64_000, requires_grad=True), torch.zeros(2, 2),
)  # fmt: skip


def one_line(capsys) -> str:
    """What the check printed, which is one line."""
    told = capsys.readouterr().out
    assert told.endswith("\n") and told.count("\n") == 1
    return told.removesuffix("\n")


class NothingRaises:
    """Of whatever a student may write, a check makes one sentence.

    Attributes:
        CHECKS: the checks.
    """

    CHECKS = ()

    def pytest_generate_tests(self, metafunc):
        if "check" in metafunc.fixturenames and "answer" not in metafunc.fixturenames:
            metafunc.parametrize("check", self.CHECKS, ids=lambda check: check.__name__)
        if "returned" in metafunc.fixturenames:
            metafunc.parametrize("returned", RETURNED, ids=[str(place) for place in range(len(RETURNED))])

    def test_a_stub_is_not_solved_yet(self, check, capsys):
        for stub in STUBS:
            assert not check(stub)
            assert one_line(capsys).startswith("Not solved yet: ")

    def test_whatever_is_returned_is_told_in_one_sentence(self, check, returned, capsys):
        assert not check(lambda *_: returned)
        told = one_line(capsys)
        assert told.startswith("Not yet: ") and told.endswith((".", "?"))

    def test_what_is_no_function_or_takes_nothing_is_told(self, check, capsys):
        for answer in (3, "loss", lambda: 0):
            assert not check(answer)
            assert one_line(capsys).startswith("Not yet: ")


class RightAndWrong:
    """Right answers are praised, and typical mistakes named.

    Attributes:
        RIGHT: pairs of a check and a right answer.
        WRONG: a check, a wrong answer, and words of the sentence that names the mistake.
    """

    RIGHT, WRONG = (), ()

    def pytest_generate_tests(self, metafunc):
        if "words" in metafunc.fixturenames:
            metafunc.parametrize(("check", "answer", "words"), self.WRONG, ids=[words for *_, words in self.WRONG])
        elif "answer" in metafunc.fixturenames:
            metafunc.parametrize(("check", "answer"), self.RIGHT, ids=lambda value: getattr(value, "__name__", ""))

    def test_right_is_right(self, check, answer, capsys):
        assert check(answer)
        assert one_line(capsys).startswith("Right: ")

    def test_the_typical_mistake_is_named(self, check, answer, words, capsys):
        assert not check(answer)
        told = one_line(capsys)
        assert told.startswith("Not yet: ") and words in told
