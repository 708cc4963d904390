"""Each exhibit of the failure gallery shows its own fault in its numbers, and the check says what gives it away."""

import re

import numpy as np
import pytest

from lass_lab.course.nb07.checks import check_gallery
from lass_lab.course.nb07.gallery import FAULTS, hang_gallery
from lass_lab.datasets import load_piece
from lass_lab.signal import InputError, oracle_estimate

SECONDS = 2.0


class Masks:
    """Knows both halves of a piece: hears a source through its ideal mask, with some of the rest."""

    def __init__(self, piece):
        self.piece = piece

    def separate(self, mixture, queries, *, progress):
        size, half = len(mixture), len(self.piece.mixture) // 2
        if size != half:  # at another rate it recognises nothing
            return np.stack([mixture / 2] * len(queries))
        first = np.abs(self.piece.mixture[:half] - mixture).sum() < np.abs(self.piece.mixture[half:] - mixture).sum()
        place = slice(0, half) if first else slice(half, 2 * half)
        ideal = (oracle_estimate(mixture, self.piece.sources[query][place]) for query in queries)
        return np.stack([0.7 * each + 0.3 * mixture for each in ideal])


@pytest.fixture(scope="module")
def gallery():
    piece = load_piece("auld-lang-syne").slice(20, 2 * SECONDS)
    study = [load_piece("joy").slice(10, 2)]
    return hang_gallery(Masks(piece), piece, 0, study, seconds=SECONDS, seed=1)


@pytest.fixture
def answers(gallery):
    return {letter: next(f for f in FAULTS if gallery.is_right(letter, f)) for letter in gallery.exhibits}


def exhibit(gallery, fault):
    return next(each for letter, each in gallery.exhibits.items() if gallery.is_right(letter, fault))


def test_every_fault_hangs_once(gallery, answers):
    assert list(gallery.exhibits) == ["A", "B", "C", "D"]
    assert sorted(answers.values()) == sorted(FAULTS)


def test_the_order_is_a_matter_of_the_seed():
    piece = load_piece("auld-lang-syne").slice(20, 1)
    orders = [
        [next(f for f in FAULTS if gallery.is_right(letter, f)) for letter in "ABCD"]
        for gallery in (hang_gallery(Masks(piece), piece, 0, [], seconds=0.5, seed=seed) for seed in (1, 1, 2, 3))
    ]
    assert orders[0] == orders[1] and len({tuple(order) for order in orders}) > 1


def test_the_control_shows_no_fault(gallery):
    control = gallery.control
    assert control.length == SECONDS and control.flat < 0.001 and control.rest == -100
    assert control.later == pytest.approx(control.mean, abs=4) and control.mean < control.ceiling - 1
    assert control.alike < 0.99


def test_each_fault_shows_in_its_own_numbers_alone(gallery):
    slow, clipped, leaked, deaf = (exhibit(gallery, fault) for fault in FAULTS)
    assert slow.length == pytest.approx(SECONDS * 44_100 / 32_000)
    assert all(each.length == SECONDS for each in (clipped, leaked, deaf))
    assert clipped.flat > 0.03 and all(each.flat < 0.001 for each in (slow, leaked, deaf))
    assert clipped.rest > -40 and all(each.rest == -100 for each in (slow, leaked, deaf))
    assert leaked.mean == pytest.approx(leaked.ceiling, abs=0.1) and leaked.later < leaked.mean - 3
    assert deaf.alike == pytest.approx(1) and leaked.alike < 0.99 and clipped.alike < 0.99
    assert min(deaf.gains.values()) < 0 < max(deaf.gains.values())


def test_the_table_has_a_column_for_each_and_the_control(gallery):
    table = gallery.table()
    assert list(table.columns) == ["control", "A", "B", "C", "D"]
    assert np.isfinite(table.to_numpy()).all()


def test_neither_page_nor_table_names_a_fault(gallery):
    page = "".join(each.players().data for each in gallery.exhibits.values())
    told = re.sub(r'src="[^"]*"', "", page) + gallery.table().to_string() + repr(gallery)
    assert not any(fault in told for fault in FAULTS)
    assert page.count("<audio") == 20


def test_all_found_is_right_and_says_what_gave_each_away(gallery, answers, capsys):
    assert check_gallery(gallery, answers)
    told = capsys.readouterr().out
    assert told.startswith("Right: all 4 are found")
    for clue in ("44,100 samples a second", "stand at its very peak", "by heart", "the answer is the same"):
        assert clue in told


def test_a_wrong_name_is_refuted_with_the_exhibits_own_numbers(gallery, answers, capsys):
    letters = list(answers)
    rotated = dict(zip(letters, [*list(answers.values())[1:], answers["A"]], strict=True))
    assert not check_gallery(gallery, rotated)
    told = capsys.readouterr().out
    assert told.startswith("Not yet: 0 of 4 are found") and told.count("is not it: ") == 4
    for words in ("it would not last", "sum of its sources", "had it leaked", "both queries would get one"):
        assert words in told


def test_some_may_be_left_open(gallery, answers, capsys):
    assert not check_gallery(gallery, {"A": answers["A"], "B": ...})
    told = capsys.readouterr().out
    assert "1 of 4" in told and told.count("not named yet") == 3 and "A is right" in told


@pytest.mark.parametrize("stub", [None, ..., {}, {"A": ..., "B": ..., "C": ..., "D": ...}])
def test_a_stub_is_not_solved_yet(gallery, stub, capsys):
    assert not check_gallery(gallery, stub)
    assert capsys.readouterr().out.startswith("Not solved yet: ")


@pytest.mark.parametrize(
    ("junk", "fault"),
    [
        (3, "should be a dictionary"),
        ({"E": FAULTS[0]}, "no exhibit 'E'"),
        ({"A": "clipping"}, "none of the faults; they are: wrong sample rate"),
        ({"A": ["leaked slice"]}, "none of the faults"),
    ],
)
def test_what_is_no_answer_is_said_in_one_line(gallery, junk, fault, capsys):
    assert not check_gallery(gallery, junk)
    told = capsys.readouterr().out
    assert fault in told and told.count("\n") == 1


def test_the_slice_after_must_fit():
    piece = load_piece("auld-lang-syne").slice(20, 3)
    with pytest.raises(InputError, match="do not fit"):
        hang_gallery(Masks(piece), piece, 0, [], seconds=SECONDS)
