"""Each exercise says right to its reference, names each of its mistakes, and raises for nothing a student may write."""

import math
import runpy
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torchaudio.functional import melscale_fbanks

from lass_lab.course.checks import Exercise, Wrong, expect
from lass_lab.course.nb01.checks import valley_db

MODULES = [import_module(f"lass_lab.course.nb{number:02}.checks") for number in range(11)]
EXERCISES = {name: each for module in MODULES for name, each in vars(module).items() if isinstance(each, Exercise)}
MISTAKES = [(name, sentence) for name, each in EXERCISES.items() for sentence in each.mistakes]
SOLUTIONS = sorted((Path(__file__).parents[2] / "notebooks" / "source" / "solutions").glob("*.py"))
# No exercise takes any of these for an answer.
RETURNED = (
    "violin", math.nan, math.inf, -3, True, 1j, [], {}, {1, 2}, object(), [1, "a"], [[1.0], [1.0, 2.0]],
    [[1, 2], [3, 4]], np.zeros((3, 4)), np.zeros(5, complex), np.full(64_000, np.nan), np.zeros(64_000),
    np.zeros((2, 2), "U1"), torch.ones(64_000, requires_grad=True), torch.zeros(2, 2),
)  # fmt: skip
each_exercise = pytest.mark.parametrize("name", EXERCISES)
each_function = pytest.mark.parametrize("name", [name for name, each in EXERCISES.items() if callable(each.reference)])


@pytest.fixture
def told(capsys):
    """Judges an answer to an exercise, and gives the one line that was printed."""

    def judged(name: str, answer) -> str:
        verdict = EXERCISES[name](answer)
        verdict._ipython_display_()  # which shows nothing more
        line = capsys.readouterr().out
        assert line == f"{verdict.sentence}\n" and line.count("\n") == 1
        assert bool(verdict) == line.startswith("Right: ")
        return verdict.sentence

    return judged


def raising(error: Exception):
    def stub(*_):
        raise error

    return stub


def test_every_exercise_is_found_and_has_at_most_five_mistakes():
    assert len(EXERCISES) == 28
    assert all(1 < len(each.mistakes) <= 5 for each in EXERCISES.values())


@each_exercise
def test_the_reference_is_right_also_where_gradients_are_switched_off(name, told):
    with torch.no_grad():
        assert told(name, EXERCISES[name].reference).startswith("Right: ")


@pytest.mark.parametrize(("name", "sentence"), MISTAKES)
def test_each_mistake_earns_its_own_sentence(name, sentence, told):
    assert told(name, EXERCISES[name].mistakes[sentence]) == f"Not yet: {sentence}"


@each_exercise
def test_dots_are_not_solved_yet(name, told):
    assert all(told(name, stub).startswith("Not solved yet: ") for stub in (None, ...))


@each_function
def test_a_stub_is_not_solved_yet(name, told):
    for stub in (lambda *_: None, lambda *_: ..., raising(NotImplementedError())):
        assert told(name, stub).startswith("Not solved yet: ")


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
def test_lists_and_tensors_are_answers_too(name, told):
    for kind in (np.ndarray.tolist, lambda array: torch.tensor(array).requires_grad_(array.dtype.kind == "f")):

        def converted(*case, kind=kind):
            result = EXERCISES[name].reference(*case)
            return result if isinstance(result, (dict, torch.nn.Module)) else kind(np.asarray(result))

        assert told(name, converted).startswith("Right: ")


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_written_solutions_are_right(path):
    runpy.run_path(str(path))


# The engine -------------------------------------------------------------------------------------------


@pytest.fixture
def scaled():
    return Exercise(
        reference=lambda values, factor: factor * values,
        cases=lambda: [(np.arange(3.0), 2.0), (np.arange(4.0), 3.0)],
        praise=lambda results: f"{len(results)} times.",
        mistakes={"it doubles, whatever the factor.": lambda values, factor: 2 * values},
    )


def test_a_mistake_is_known_where_it_shows_and_what_matches_none_is_measured(scaled):
    assert scaled(lambda values, factor: values * factor).sentence == "Right: 2 times."
    assert scaled(lambda values, factor: values + values).sentence == "Not yet: it doubles, whatever the factor."
    off = scaled(lambda values, factor: values * factor + (values == 1) / 2).sentence
    assert off == "Not yet: for (…, 2), 1 of 3 values are wrong, by up to 0.5."


def test_a_student_cannot_spoil_the_cases(scaled):
    assert scaled(lambda values, factor: np.multiply(values, factor, out=values))


@pytest.mark.parametrize(
    ("given", "like", "fault"),
    [
        ([1, 2], [1, 2, 3], r"numbers of shape \(3,\), and gives numbers of shape \(2,\)"),
        ([1], True, "one truth value, and gives one number"),
        (1j, 1.0, "one number, and gives one complex number"),
        ("a\nb", 1.0, r"gives str \(a b\)"),
        ([1, math.inf], [1, 2], "divided by zero"),
    ],
)
def test_what_is_of_another_kind_is_told(given, like, fault):
    with pytest.raises(Wrong, match=fault):
        expect(given, like)


# What the declarations cannot say ---------------------------------------------------------------------


def test_the_right_windows_resolve_real_tones_and_half_of_them_do_not():
    window = EXERCISES["check_window"].reference
    for apart in (9.0, 26.2, 37.0, 140.0, 300.0):
        assert valley_db(apart, window(apart)) > 2.9 > valley_db(apart, window(apart) // 2)


def test_the_right_mel_filters_are_those_of_torchaudio():
    hertz = np.linspace(0, 16_000, 1025)
    theirs = melscale_fbanks(1025, 50.0, 16_000.0, 64, 32_000, norm=None, mel_scale="htk")
    assert np.allclose(EXERCISES["check_mel"].reference(hertz, 64, 50.0, 16_000.0), theirs, atol=1e-4)


@pytest.mark.parametrize("name", ["check_swap", "check_gain", "check_mix", "check_si_sdri"])
def test_unseen_sources_sound(name):
    for case in EXERCISES[name].cases():
        assert all(len(sound) == 64_000 and np.mean(sound**2) > 1e-5 for sound in case if np.ndim(sound))


def test_any_order_of_whole_pieces_is_a_right_split(told):
    for seed in range(20):

        def shuffled(pieces, share, seed=seed):
            order = np.random.default_rng(seed).permutation(np.unique(pieces))
            number = next(n for n in range(1, len(order)) if np.isin(pieces, order[:n]).mean() >= share)
            return np.isin(pieces, order[:number])

        assert told("check_split", shuffled).startswith("Right: ")


def test_networks_that_are_changed_or_incomplete_are_told(told):
    def in_place(before, after, share):
        return {name: value.lerp_(after[name], share) for name, value in before.items()}

    assert "make new tensors" in told("check_between", in_place)
    assert "the same names" in told("check_between", lambda before, after, share: {"norm": before["norm"]})


def test_a_part_that_is_frozen_only_in_part_is_told(told):
    def weights_alone(part):
        part.eval()
        for name, parameter in part.named_parameters():
            parameter.requires_grad_("bias" in name)

    def all_but_batch_norm(part):
        part.requires_grad_(False).eval()
        part[1].train()

    assert "requires_grad is still true" in told("check_freeze", weights_alone)
    assert "a batch norm follows the data" in told("check_freeze", all_but_batch_norm)


def test_words_that_are_no_query_are_told(told):
    assert "is empty" in told("check_words", "  ") and "of type list" in told("check_words", ["bowed strings"])
