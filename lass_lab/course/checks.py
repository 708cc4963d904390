"""Self-checks of the exercises: each tries the student's answer on unseen cases and says in one sentence how it is.

A check never raises for a wrong answer. It prints whether the answer is right, what is wrong with it, or that there
is none yet, and returns a `Verdict`, which is true for a right answer alone.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch

from lass_lab.datasets import Piece, list_pieces, load_piece


@dataclass(frozen=True)
class Verdict:
    """What a check found; true for a right answer. The sentence is printed by the check itself."""

    right: bool
    sentence: str

    def __bool__(self) -> bool:
        return self.right

    def _ipython_display_(self) -> None:
        """Show nothing more where the check is a cell's last line."""


class Unsolved(Exception):
    """The answer is still the stub."""


class Wrong(Exception):
    """The answer is wrong; the message is one sentence that says how."""


def judge(examine: Callable[[object], str], answer) -> Verdict:
    """Print and return the verdict of `examine`, which gives praise, or raises `Wrong` or `Unsolved`."""
    try:
        if answer is None or answer is ...:
            raise Unsolved
        verdict = Verdict(True, f"Right: {examine(answer)}")
    except Unsolved:
        verdict = Verdict(False, f"Not solved yet: {getattr(answer, '__name__', 'the answer')} gives nothing so far.")
    except Wrong as fault:
        verdict = Verdict(False, f"Not yet: {fault}")
    print(verdict.sentence)
    return verdict


def ask(function, *arguments):
    """Call the student's function; raises `Unsolved` for a stub, and `Wrong` where it is no function or stops."""
    if not callable(function):
        raise Wrong(f"the check takes the function itself, and was given {_kind(function)}.")
    try:
        given = function(*arguments)
    except NotImplementedError as error:
        raise Unsolved from error
    except Exception as error:
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        raise Wrong(f"{getattr(function, '__name__', 'it')} stops with {fault}") from error
    if given is None or given is ...:
        raise Unsolved
    return given


def expect(given, like) -> np.ndarray:
    """The answer as an array; raises `Wrong` where it is not of the kind and shape of `like`, or not finite."""
    given, like = _plain(given), _plain(like)
    if _kind(given) != _kind(like):
        raise Wrong(f"it should give {_kind(like)}, and gives {_kind(given)}.")
    if not np.isfinite(given).all():
        raise Wrong("some of what it gives is nan or infinite: is something divided by zero?")
    return given


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """An exercise; called with the student's answer, it prints and returns the `Verdict`.

    Attributes:
        reference: a right answer.
        cases: makes the arguments to try answers with, unseen by the student, whose function gets copies.
        mistakes: what to say -> the wrong answer that earns it, by giving the same wherever the student's is wrong.
        praise: what to say of a right answer, or what makes it of the results, one a case.
        asks: gets the result of a case from an answer and the arguments: a number, an array, or a few words that name
            a fault. It is right where it is like the reference's.
        atol: how far from the right ones numbers may be.
    """

    reference: object
    cases: Callable[[], Sequence[tuple]]
    mistakes: Mapping[str, object]
    praise: str | Callable[[list], str] = "it gives what it should, wherever it was tried."
    asks: Callable = ask
    atol: float = 1e-5

    def __call__(self, answer) -> Verdict:
        """Judge the student's answer."""
        with torch.enable_grad():
            return judge(self._examine, answer)

    def _examine(self, answer) -> str:
        cases, right = self._solved
        given = [self._result(answer, case) for case in cases]
        wrong = [place for place, results in enumerate(zip(given, right, strict=True)) if not self._alike(*results)]
        if not wrong:
            return self.praise if isinstance(self.praise, str) else self.praise(given)
        for sentence, mistake in self.mistakes.items():
            if all(self._alike(given[place], self._result(mistake, cases[place])) for place in wrong):
                raise Wrong(sentence)
        case, given, right = (each[wrong[0]] for each in (cases, given, right))
        if isinstance(given, str) and isinstance(right, str):
            raise Wrong(f"{given}.")
        given, told = expect(given, right), ", ".join(f"{each:g}" if np.isscalar(each) else "…" for each in case)
        if right.size == 1:
            raise Wrong(f"for ({told}) it gives {given:.6g}, and {right:.6g} is right.")
        number, most = np.sum(~np.isclose(given, right, atol=self.atol)), np.abs(1 * given - 1 * right).max()
        raise Wrong(f"for ({told}), {number:,} of {right.size:,} values are wrong, by up to {most:.3g}.")

    @cached_property
    def _solved(self) -> tuple[Sequence[tuple], list]:
        """The cases, made once, and the right result of each."""
        cases = self.cases()
        return cases, [self._result(self.reference, case) for case in cases]

    def _result(self, answer, case: tuple):
        return _plain(self.asks(answer, *deepcopy(case)))

    def _alike(self, given, right) -> bool:
        if isinstance(given, str) and isinstance(right, str):
            return given == right
        return _kind(given) == _kind(right) and np.allclose(given, right, rtol=1e-4, atol=self.atol)


@cache
def unseen(piece: int, start: float) -> Piece:
    """Two seconds of a training piece, from `start` seconds on."""
    return load_piece(list_pieces("train")[piece]).slice(start, 2.0)


def normal(*shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """An array of normally distributed numbers for each shape, the same at every call."""
    generator = np.random.default_rng(0)
    return tuple(generator.normal(size=shape) for shape in shapes)


def _plain(given):
    """Numbers, sequences and tensors as arrays, `()` for one number; anything else as it is."""
    try:
        values = np.asarray(given.detach().cpu() if isinstance(given, torch.Tensor) else given)
    except (TypeError, ValueError, RuntimeError):
        return given
    if values.dtype.kind not in "biufc":
        return given
    return values.reshape(()) if values.size == 1 else values


def _kind(given) -> str:
    given = _plain(given)
    if not isinstance(given, np.ndarray):
        return f"{type(given).__name__} ({' '.join(str(given).split())[:40]})"
    noun = {"b": "truth value", "c": "complex number"}.get(given.dtype.kind, "number")
    return f"{noun}s of shape {given.shape}" if given.shape else f"one {noun}"
