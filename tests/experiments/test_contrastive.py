"""Contrastive training: the loss in closed form, and words that find their sounds."""

import math

import pytest
import torch

from lass_lab.datasets.mixing import SourceBank
from lass_lab.experiments.contrastive import (
    ContrastiveRecipe,
    contrastive_loss,
    evaluate_retrieval,
    train_contrastively,
)
from lass_lab.models.querynet import TinyQueryNet
from tests.made_sources import made_bank


def test_orthogonal_pairs_have_a_closed_form():
    """Each row of the likeness holds one 1 / t and n - 1 zeros."""
    pairs = torch.eye(6, dtype=torch.float64)
    for temperature in (1.0, 0.1):
        expected = math.log(math.exp(1 / temperature) + 5) - 1 / temperature
        assert float(contrastive_loss(pairs, pairs, temperature)) == pytest.approx(expected, rel=1e-5)


def test_vectors_that_are_all_alike_are_at_chance():
    alike = torch.ones(7, 3) / math.sqrt(3)
    assert float(contrastive_loss(alike, alike, 0.07)) == pytest.approx(math.log(7), rel=1e-5)


def test_words_and_sounds_are_treated_alike():
    words, sounds = torch.nn.functional.normalize(torch.randn(2, 5, 8, generator=torch.manual_seed(0)), dim=-1)
    assert torch.equal(contrastive_loss(words, sounds, 0.1), contrastive_loss(sounds, words, 0.1))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = made_bank(tmp_path_factory.mktemp("bank"))
    torch.manual_seed(0)
    network = TinyQueryNet()
    log = train_contrastively(
        network, SourceBank(folder, "train"), ContrastiveRecipe(steps=60, seconds=0.5), progress=False
    )
    return folder, network, log


def test_training_lowers_the_loss_and_learns_the_temperature(trained):
    log = trained[2]
    assert log["loss"].tail(10).mean() < 0.3 * math.log(3)
    assert log["temperature"].nunique() > 10


def test_heldout_words_find_heldout_sounds(trained):
    folder, network, _ = trained
    table = evaluate_retrieval(network, SourceBank(folder, "test"), cuts=3).set_index("measure")
    assert (table["contrastive"][:2] > 2 * table["chance"][:2]).all()
    assert (table["contrastive"] >= table["chance"]).all()
    assert table["queries"].tolist()[:2] == [9, 9]
