"""Every exercise says right to its reference, names each of its mistakes, and raises for nothing a student may write."""

import math
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from lass_lab.course.checks import Exercise, Verdict, Wrong, expect
from lass_lab.course.nb01.checks import valley_db

ROOT = Path(__file__).parents[2]
MODULES = [import_module(f"lass_lab.course.nb{number:02}.checks") for number in range(10)]
EXERCISES = {
    name: each for module in MODULES for name, each in vars(module).items() if isinstance(each, Exercise)
}  # fmt: skip
SOLUTIONS = sorted((ROOT / "notebooks" / "source" / "solutions").glob("*.py"))
MISTAKES = [(name, sentence) for name, each in EXERCISES.items() for sentence in each.mistakes]
FUNCTIONS = [name for name, each in EXERCISES.items() if callable(each.reference)]
# No exercise takes any of these for an answer.
RETURNED = (
    "violin", math.nan, math.inf, -3, True, 1j, [], {}, {1, 2}, object(), [1, "a"], [[1.0], [1.0, 2.0]],
    [[1, 2], [3, 4]], np.zeros((3, 4)), np.zeros(5, complex), np.full(64_000, np.nan), np.zeros(64_000),
    np.zeros((2, 2), "U1"), torch.ones(64_000, requires_grad=True), torch.zeros(2, 2),
)  # fmt: skip
each_exercise = pytest.mark.parametrize("name", EXERCISES)
each_function = pytest.mark.parametrize("name", FUNCTIONS)


@pytest.fixture
def told(capsys):
    """Judges an answer to an exercise, and gives the one line that was printed."""

    def judged(name: str, answer) -> str:
        verdict = EXERCISES[name](answer)
        line = capsys.readouterr().out
        assert isinstance(verdict, Verdict) and line == f"{verdict.sentence}\n" and line.count("\n") == 1
        assert bool(verdict) == line.startswith("Right: ")
        return verdict.sentence

    return judged


def raising(error: Exception):
    def stub(*_):
        raise error

    return stub


def test_every_notebook_has_exercises_of_at_most_five_mistakes():
    assert len(EXERCISES) == 21
    assert all(1 < len(each.mistakes) <= 5 for each in EXERCISES.values())


@each_exercise
def test_the_reference_is_right_also_where_gradients_are_switched_off(name, told):
    with torch.no_grad():
        assert told(name, EXERCISES[name].reference).startswith("Right: ")


@pytest.mark.parametrize(("name", "sentence"), MISTAKES)
def test_each_mistake_earns_its_own_sentence(name, sentence, told):
    assert told(name, EXERCISES[name].mistakes[sentence]) == f"Not yet: {sentence}"


@each_exercise
def test_a_stub_is_not_solved_yet(name, told):
    stubs = [None, ...] + [lambda *_: None, lambda *_: ..., raising(NotImplementedError())] * (name in FUNCTIONS)
    assert all(told(name, stub).startswith("Not solved yet: ") for stub in stubs)


@each_function
@pytest.mark.parametrize("returned", RETURNED, ids=range(len(RETURNED)))
def test_whatever_is_returned_is_told_in_one_sentence(name, returned, told):
    untouched = name == "check_freeze"  # which asks for nothing to be returned
    assert told(name, lambda *_: returned).startswith("Not solved yet: " if untouched else "Not yet: ")


@each_exercise
@pytest.mark.parametrize("answer", [3, "🎻", "x" * 10_000, np.zeros(3), object(), lambda: 0], ids=range(6))
def test_what_cannot_be_an_answer_is_told(name, answer, told):
    assert told(name, answer).startswith("Not yet: ")


@each_function
def test_a_function_that_stops_is_quoted(name, told):
    assert told(name, raising(ValueError("bad\nluck"))).endswith("stops with ValueError: bad luck")


@each_function
def test_tensors_and_lists_are_answers_too(name, told):
    reference = EXERCISES[name].reference

    def converted(kind):
        def answer(*case):
            result = reference(*case)
            return result if isinstance(result, (dict, torch.nn.Module)) else kind(np.asarray(result))

        return answer

    assert told(name, converted(np.ndarray.tolist)).startswith("Right: ")
    assert told(
        name, converted(lambda result: torch.tensor(result).requires_grad_(result.dtype.kind in "fc"))
    ).startswith("Right: ")


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_written_solutions_are_right(path):
    for cell in path.read_text().split("# %%"):
        if "assert check_" in cell and "check_gallery" not in cell:
            exec(
                compile(
                    "import numpy as np, torch\n" + "from lass_lab.signal import istft, stft\n" + cell, path, "exec"
                ),
                {},
            )


# The engine ----------------------------------------------------------------------------------------


@pytest.fixture
def double():
    return Exercise(
        reference=lambda values, factor: factor * values,
        cases=lambda: [(np.arange(3.0), 2.0), (np.arange(4.0), 3.0)],
        praise=lambda results: f"{len(results)} times.",
        mistakes={"it doubles, whatever the factor.": lambda values, factor: 2 * values},
    )


def test_a_mistake_is_known_where_it_shows_and_what_matches_none_is_measured(double, capsys):
    assert double(lambda values, factor: values * factor).sentence == "Right: 2 times."
    assert double(lambda values, factor: values + values).sentence == "Not yet: it doubles, whatever the factor."
    told = double(lambda values, factor: values * factor + [0.5, *0 * values[1:]]).sentence
    assert told == "Not yet: for (…, 2), 1 of 3 values are wrong, by up to 0.5."
    assert "values of shape (3,), and gives numbers of shape (2,)" in double(lambda values, factor: values[1:]).sentence


def test_a_student_cannot_spoil_the_cases(double):
    def in_place(values, factor):
        values *= factor
        return values

    assert double(in_place)


def test_a_verdict_is_shown_once(double, capsys):
    double(3)._ipython_display_()
    assert capsys.readouterr().out.count("\n") == 1


def test_what_is_expected_is_an_array_of_that_kind():
    assert expect([1, 2], np.zeros(2)).tolist() == [1, 2] and expect([[3]], 0.0).shape == ()
    for given, like, fault in (
        ([1], True, "one truth value, and gives one number"),
        (1j, 1.0, "one number, and gives one complex number"),
        ([1, math.inf], [1, 2], "divided by zero"),
    ):
        with pytest.raises(Wrong, match=fault):
            expect(given, like)


# What notebooks rely on besides ----------------------------------------------------------------------


def test_the_right_windows_resolve_real_tones_and_half_of_them_do_not():
    window = EXERCISES["check_window"].reference
    for apart in (9.0, 26.2, 37.0, 140.0, 300.0):
        assert valley_db(apart, window(apart)) > 2.9 > valley_db(apart, window(apart) // 2)


@pytest.mark.parametrize("name", ["check_swap", "check_gain", "check_mix", "check_si_sdri"])
def test_unseen_sources_sound(name):
    for case in EXERCISES[name].cases():
        assert all(len(sound) == 64_000 and np.mean(sound**2) > 1e-5 for sound in case if np.ndim(sound))


def test_any_order_of_whole_pieces_is_a_right_split(told):
    split = EXERCISES["check_split"].reference
    for seed in range(20):

        def shuffled(pieces, share, seed=seed):
            order = dict(zip(np.unique(pieces), np.random.default_rng(seed).permutation(len(set(pieces))), strict=True))
            return np.isin(pieces, [p for p in order if split(sorted(pieces, key=order.get), share)[0]])

        told("check_split", shuffled)
