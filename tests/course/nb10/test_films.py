"""Films are seeded, and what moves in them moves with the notes that sound."""

import numpy as np
import pytest

from lass_lab.course.nb10.duets import HEARD, SAMPLE_RATE, Clips
from lass_lab.course.nb10.films import CELL, GRID, IDLE, LOOKS, Player, Scene, stage


@pytest.fixture(scope="module")
def clips():
    return Clips("test")


def of_cell(pictures: np.ndarray, cell: int) -> np.ndarray:
    top, left = CELL * (cell // GRID), CELL * (cell % GRID)
    return pictures[:, top : top + CELL, left : left + CELL]


def test_everybody_has_a_cell_to_himself():
    for seed in range(20):
        acted = stage(np.random.default_rng(seed), list(LOOKS)[:2], [np.zeros((0, 3))] * 2)
        cells = [player.cell for player in acted.players] + [cell for _, cell in acted.things]
        assert len(set(cells)) == len(cells) == 5


def test_a_player_flashes_at_an_onset_glows_while_a_note_lasts_and_stands_as_high_as_its_pitch():
    notes = np.array([[0.5, 1.0, 60], [1.0, 1.4, 72], [2.0, 2.2, 66]])
    player = Player("flute", 5, notes)
    before, onset, during, after = player.glow(np.array([0.2, 0.5, 0.95, 1.9]))
    assert before == IDLE < after < during < onset
    assert list(player.height(np.array([0.7, 1.2, 2.1]))) == [0, 2, 1]
    rows = [np.flatnonzero(of_cell(Scene((player,), (), 0).draw([time]), 5)[0].mean(1) > 0.3)[0] for time in (0.7, 1.2)]
    assert rows[1] == rows[0] - 2  # two pixels higher


def test_a_late_film_shows_later_what_the_other_shows():
    acted = Scene((Player("violin", 0, np.array([[0.5, 0.9, 60]])),), (), 0)
    glow = [of_cell(acted.film(3.0, shift), 0).mean((1, 2)).argmax() for shift in (0.0, 1.0)]
    assert glow == [4, 12]


def test_the_notes_begin_when_the_sound_does(clips):
    """Where onsets flash, the sound gains energy: more so than a third of a second before or after."""
    rises = []
    for look in HEARD:
        cut = clips.cut(np.random.default_rng(4), look, 8 * SAMPLE_RATE)
        energy = np.convolve(cut.samples**2, np.ones(400), "same")
        onsets = cut.notes[(cut.notes[:, 0] > 0.5) & (cut.notes[:, 0] < 7.4), 0]
        log = np.log(energy + 1e-6)
        rises.append(
            [
                np.mean([log[int((t + lag + 0.06) * 8000)] - log[int((t + lag - 0.03) * 8000)] for t in onsets])
                for lag in (-0.35, 0.0, 0.35)
            ]
        )
    early, right, late = np.mean(rises, axis=0)
    assert right > 0.3 and right > 3 * max(early, late)


def test_faster_clips_have_their_notes_sooner():
    training = Clips("train")
    for seed in range(6):
        cut = training.cut(np.random.default_rng(seed), "clarinet", 4 * SAMPLE_RATE)
        told = training.notes[cut.clip][:, 0]
        spacing = np.diff(cut.notes[:, 0]).sum() / np.diff(told).sum()
        assert min(abs(spacing - speed) for speed in (0.8, 8 / 9, 1.0, 10 / 9, 1.25)) < 1e-6
