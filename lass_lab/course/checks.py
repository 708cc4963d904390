"""Self-checks of the exercises: each takes the student's answer, tries it where it was not seen, says one sentence.

A check never raises for a wrong answer. It prints whether the answer is right, what is wrong with it, or that there
is none yet, and returns a `Verdict`, which is true for a right answer alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps

import numpy as np


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


def self_check(examine: Callable[[object], str]) -> Callable[[object], Verdict]:
    """Make a check from a function that gives praise for a right answer and raises `Wrong` for a wrong one."""

    @wraps(examine)
    def check(answer) -> Verdict:
        name = getattr(answer, "__name__", "the answer")
        try:
            if answer is None or answer is ...:
                raise Unsolved
            verdict = Verdict(True, f"Right: {examine(answer)}")
        except Unsolved:
            verdict = Verdict(False, f"Not solved yet: {name} gives nothing so far.")
        except Wrong as fault:
            verdict = Verdict(False, f"Not yet: {fault}")
        print(verdict.sentence)
        return verdict

    return check


def ask(function, *arguments):
    """Call the student's function with copies of the arguments.

    Raises:
        Unsolved: it gives None or `...`, or raises NotImplementedError.
        Wrong: it is no function, or raises anything else.
    """
    if not callable(function):
        raise Wrong(f"the check takes the function itself, and was given {_kind(function)}.")
    copies = [value.copy() if isinstance(value, np.ndarray) else value for value in arguments]
    try:
        given = function(*copies)
    except NotImplementedError as error:
        raise Unsolved from error
    except Exception as error:
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        raise Wrong(f"{getattr(function, '__name__', 'it')} stops with {fault}") from error
    if given is None or given is ...:
        raise Unsolved
    return given


def number(given, what: str) -> float:
    """The answer as one real number; raises `Wrong` where it is none."""
    value = _array(given)
    if value is None or value.size != 1 or np.iscomplexobj(value) or value.dtype == bool:
        raise Wrong(f"it should give {what}, one number, and gives {_kind(given)}.")
    if not np.isfinite(value).all():
        raise Wrong(f"it should give {what}, and gives {value.item()}.")
    return float(value.item())


def waveform(given, samples: int) -> np.ndarray:
    """The answer as a waveform `(samples,)`; raises `Wrong` where it is none."""
    values = _array(given)
    if values is None or not values.size:
        raise Wrong(f"it should give a waveform, and gives {_kind(given)}.")
    if np.iscomplexobj(values) or values.ndim > 1:
        raise Wrong(f"it gives a spectrogram of shape {values.shape}; istft makes a waveform of it.")
    if values.shape != (samples,):
        raise Wrong(
            f"it gives {values.size:,} samples for {samples:,}; istft takes the length, and the hop of the stft."
        )
    if not np.isfinite(values).all():
        raise Wrong("some of its samples are not finite: is something divided by zero?")
    return values.astype(np.float64)


def numbers(given, what: str, kinds: str = "fiu") -> np.ndarray:
    """The answer as an array of numbers, real ones unless `kinds` has a "c"; raises `Wrong` where it is none."""
    values = _array(given)
    if values is None or values.dtype.kind not in kinds:
        raise Wrong(f"it should give {what}, and gives {_kind(given)}.")
    return values


def truths(given, count: int, each: str, true_for: str) -> np.ndarray:
    """The answer as `count` truth values, one for each of something; raises `Wrong` where it is none.

    Args:
        each: what there is one for, in the singular.
        true_for: which of them should be true.
    """
    values = _array(given)
    if values is None or values.shape != (count,):
        raise Wrong(f"it should give {count} truth values, one for each {each}, and gives {_kind(given)}.")
    if values.dtype != bool:
        raise Wrong(f"it should give truth values, True for {true_for} and False for the others.")
    return values


def tell_mistake(is_like: Callable[[object], bool], mistakes: Mapping[str, Callable[[], object]]) -> None:
    """Raise `Wrong` with the first sentence whose wrong answer is like the one given."""
    for sentence, make in mistakes.items():
        if is_like(make()):
            raise Wrong(sentence)


def _array(given) -> np.ndarray | None:
    """A number, a sequence, an array or a tensor as an array of numbers; None where it is none of these."""
    try:
        given = given.detach().cpu().numpy() if hasattr(given, "detach") else np.asarray(given)
    except (TypeError, ValueError, RuntimeError):
        return None
    return given if isinstance(given, np.ndarray) and given.dtype.kind in "biufc" else None


def _kind(given) -> str:
    values = _array(given)
    shaped = values is not None and values.ndim
    return (
        f"an array of shape {values.shape}"
        if shaped
        else f"{type(given).__name__} ({' '.join(str(given).split())[:40]})"
    )
