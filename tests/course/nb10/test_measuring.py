"""What is measured is asked of the right players, and a mask of ones gives the mixture back."""

import numpy as np
import pytest
import torch

from lass_lab.course.nb10.duets import Clips
from lass_lab.course.nb10.looker import Looker, load
from lass_lab.course.nb10.measuring import ASKS, answers, pairs, summaries, trumpets, twins
from lass_lab.course.nb10.plots import show_film, show_pointing
from lass_lab.models.sentence_encoder import SentenceEncoder


@pytest.fixture(scope="module")
def clips():
    return Clips("test")


def test_a_mask_of_ones_gives_the_mixture_back_and_bands_of_a_flat_spectrum_are_flat():
    looker, mixture = Looker(1), torch.randn(1, 4960)
    spectrum = looker.spectrum(mixture)
    whole = looker.masked(torch.ones_like(looker.bands(spectrum)), spectrum, 4960)
    assert torch.allclose(whole, mixture, atol=1e-5)
    assert torch.allclose(looker.bands(torch.ones(1, 2, 257)), torch.ones(1, 2, 129), atol=1e-5)


def test_duets_are_of_whom_they_should_be_and_equally_loud(clips):
    assert all(first.look != second.look for first, second in pairs(clips, 5))
    assert all(first.look == second.look and first.clip != second.clip for first, second in twins(clips, 5))
    for first, second in trumpets(clips, 3):
        assert (first.look, second.look) == ("trumpet", "violin")
        assert np.mean(first.samples**2) == pytest.approx(np.mean(second.samples**2), rel=0.01)


def test_what_ships_separates_by_sight_and_by_name_and_a_late_film_changes_nothing(clips):
    table = answers(load(), SentenceEncoder(), pairs(clips, 6, seed=5))
    assert list(table["ask"].unique()) == list(ASKS) and len(table) == 6 * 2 * len(ASKS)
    found = summaries(table)["mean"]
    assert found["by sight"] > 3 and found["by name"] > max(3, found["by nothing"] + 1)
    assert found["film a second late"] == pytest.approx(found["by sight"], abs=0.3)


def test_pictures_say_in_words_what_they_show(clips):
    from lass_lab.course.nb10.duets import scene
    from lass_lab.course.plots import describe

    rng = np.random.default_rng(0)
    acted = scene(rng, *clips.duet(rng, 8000, ["violin", "clarinet"]))
    row, column = divmod(acted.players[0].cell, 4)
    assert f"violin in row {row + 1}, column {column + 1}; clarinet" in show_film(acted.film(1.0), acted).data
    share = np.full(16, 0.02)
    share[acted.players[1].cell] = 0.7
    row, column = divmod(acted.players[1].cell, 4)
    told = describe(show_pointing(acted.film(1.0), {"“clarinet”": share}))
    assert f"“clarinet” points to row {row + 1}, column {column + 1}, with 70%" in told
