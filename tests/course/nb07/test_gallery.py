"""Each exhibit of the failure gallery shows its own fault in its numbers, and neither page nor table names one."""

import re

import numpy as np
import pytest

from lass_lab.course.nb07.checks import check_gallery
from lass_lab.course.nb07.gallery import FAULTS, SECONDS, hang_gallery
from lass_lab.datasets import load_piece
from lass_lab.signal import oracle_estimate


class Masks:
    """Knows both halves of a piece: separates a source by its ideal mask, with some of the rest."""

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


def hung(seed):
    piece = load_piece("auld-lang-syne").slice(20, 2 * SECONDS)
    return hang_gallery(Masks(piece), piece, 0, [load_piece("joy").slice(10, 2)], seed=seed)


@pytest.fixture(scope="module")
def gallery():
    return hung(1)


def answers(gallery):
    return {letter: next(f for f in FAULTS if gallery.is_right(letter, f)) for letter in gallery.exhibits}


def test_every_fault_is_there_once_in_an_order_that_the_seed_decides(gallery):
    assert list(gallery.exhibits) == ["A", "B", "C", "D"]
    assert sorted(answers(gallery).values()) == sorted(FAULTS)
    assert answers(hung(2)) != answers(gallery)


def test_each_fault_shows_in_its_own_numbers_alone(gallery):
    found = {fault: gallery.exhibits[letter].numbers for letter, fault in answers(gallery).items()}
    slow, clipped, leaked, constant = (found[fault] for fault in FAULTS)
    control = gallery.control.numbers
    assert control["mean"] < control["ceiling"] - 1 and abs(control["later"] - control["mean"]) < 4
    assert slow["length"] == pytest.approx(SECONDS * 44_100 / 32_000, abs=1e-4)
    assert all(each["length"] == SECONDS for each in (control, clipped, leaked, constant))
    assert clipped["flat"] > 3 and all(each["flat"] < 0.1 for each in (control, slow, leaked, constant))
    assert clipped["rest"] > -40 and all(each["rest"] == -100 for each in (control, slow, leaked, constant))
    assert leaked["mean"] == pytest.approx(leaked["ceiling"], abs=0.1) and leaked["later"] < leaked["mean"] - 3
    assert constant["correlation"] == pytest.approx(1)
    assert all(each["correlation"] < 0.99 for each in (control, leaked, clipped))
    assert min(constant["violin"], constant["trumpet"]) < 0 < max(constant["violin"], constant["trumpet"])


def test_neither_page_nor_table_names_a_fault(gallery):
    table = gallery.table()
    assert list(table.columns) == ["control", "A", "B", "C", "D"] and np.isfinite(table.to_numpy()).all()
    assert "SDRi, violin (dB)" in table.index and "correlation of the two estimates" in table.index
    page = "".join(each.players().data for each in gallery.exhibits.values())
    told = re.sub(r'src="[^"]*"', "", page) + table.to_string() + repr(gallery)
    assert not any(fault in told for fault in FAULTS)
    assert page.count("<audio") == 20


def test_the_check_says_of_each_exhibit_what_gives_it_away_or_why_it_is_something_else(gallery, capsys):
    right = answers(gallery)
    assert check_gallery(gallery, right)
    told = capsys.readouterr().out
    for clue in ("44,100 samples a second", "stand at its very peak", "by heart", "the answer is the same"):
        assert clue in told
    assert not check_gallery(gallery, dict(zip("ABCD", (*list(right.values())[1:], right["A"]), strict=True)))
    told = capsys.readouterr().out
    for words in ("it would not last", "sum of its sources", "had it leaked", "both queries would get one"):
        assert words in told
