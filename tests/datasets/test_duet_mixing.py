"""Items for fine-tuning: repeatable item by item, nothing from where it must not be, and what the recipe says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lass_lab.datasets import load_piece, training_captions
from lass_lab.datasets.augmentation import augment
from lass_lab.datasets.duet_mixing import DuetRecipe, FinetuningDataset, epoch_items, training_starts
from lass_lab.datasets.mixing import SourceBank
from lass_lab.signal import SAMPLE_RATE, sdr
from lass_lab.signal.files import InputError
from tests.made_duets import made_duets
from tests.made_sources import made_bank

PLAIN = DuetRecipe(remixed=0.0, substitutes=0.0, rehearsal=0.0, augmented=0.0, level_db=0.0)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    folder = made_duets(tmp_path_factory.mktemp("data"))
    return [load_piece(name, folder) for name in ("one", "two")]


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return SourceBank(made_bank(tmp_path_factory.mktemp("bank")), "train")


def same(one, other):
    return all(torch.equal(one[key], other[key]) for key in ("mixture", "target")) and one["query"] == other["query"]


def test_an_item_depends_on_its_seed_and_index_alone(pieces, bank):
    recipe = DuetRecipe(seconds=1.0)
    everything = FinetuningDataset(pieces, bank, recipe, range(40))
    later = FinetuningDataset(pieces, bank, recipe, range(17, 40))
    assert all(same(later[index - 17], everything[index]) for index in (39, 17, 25))
    assert not any(
        same(FinetuningDataset(pieces, bank, recipe, range(40), seed=1)[index], everything[index])
        for index in range(0, 40, 2)
    )


def test_an_epoch_goes_once_through_every_slice_of_the_training_part(pieces):
    """In the plain recipe, an item is a slice as it stands in the piece, and no two epochs have one order."""
    slices = [(piece, start) for piece in pieces for start in training_starts(piece)]
    assert len(slices) == 4 and epoch_items(4, 0.0) == 8 and epoch_items(4, 0.5) == 16
    known = {piece.slice(start).mixture.tobytes(): (piece.name, start) for piece, start in slices}
    items = FinetuningDataset(pieces, None, PLAIN, range(48))
    orders = []
    for epoch in range(6):
        heard = [known[items[index]["mixture"][0].numpy().tobytes()] for index in range(8 * epoch, 8 * epoch + 8, 2)]
        assert sorted(heard) == sorted(known.values())
        orders.append(heard)
    assert any(order != orders[0] for order in orders)


def test_nothing_is_taken_of_the_last_thirty_seconds(pieces, bank):
    """Sources that are silent from there on: whatever is drawn has sound in it from end to end."""
    cut = []
    for piece in pieces:
        border = round((piece.seconds - 30) * SAMPLE_RATE)
        sources = {name: np.where(np.arange(len(wave)) < border, 0.1, 0).astype(np.float32)
                   for name, wave in piece.sources.items()}  # fmt: skip
        cut.append(replace(piece, sources=sources, mixture=sum(sources.values())))
    items = FinetuningDataset(cut, bank, replace(DuetRecipe(seconds=2.0, remixed=1.0), augmented=0.0), range(200))
    for item in (items[index] for index in range(200)):
        assert item["rehearsed"] or item["instrument"] not in ("violin", "trumpet") or item["target"].all()


@pytest.mark.parametrize("share", [0.0, 0.25, 0.8])
def test_rehearsal_has_its_share_evenly_spread(pieces, bank, share):
    items = FinetuningDataset(pieces, bank, replace(PLAIN, seconds=0.5, rehearsal=share), range(80))
    rehearsed = np.array([items[index]["rehearsed"] for index in range(80)])
    assert np.array_equal(rehearsed[::2], rehearsed[1::2])
    assert all(abs(rehearsed[:stop].mean() - share) <= 2 / stop for stop in range(10, 81, 10))


def test_substitutes_play_and_are_asked_for(pieces, bank):
    items = FinetuningDataset(pieces, bank, replace(PLAIN, remixed=1.0, substitutes=1.0, seconds=1.0), range(40))
    names = [{items[index]["instrument"], items[index + 1]["instrument"]} for index in range(0, 40, 2)]
    assert all(len(pair) == 2 and pair & {"violin", "trumpet"} for pair in names)
    assert set().union(*names) == {"violin", "trumpet", "flute", "cello"}


def test_captions_are_for_training_only(pieces, bank):
    recipe = replace(PLAIN, seconds=0.5, captions=True)
    items = [FinetuningDataset(pieces, bank, recipe, range(200))[index] for index in range(200)]
    assert all(item["query"] in training_captions(item["instrument"]) for item in items)
    assert len({item["query"] for item in items}) > 20


def test_augmentation_is_repeatable_mild_and_leaves_silence_and_the_runs_seed_alone():
    tone = np.sin(2 * np.pi * 440 * np.arange(32_000) / SAMPLE_RATE).astype(np.float32) * 0.3
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    changed = [augment(tone, np.random.default_rng(seed)) for seed in range(12)]
    assert np.array_equal(before, np.random.get_state()[1])
    assert all(np.array_equal(changed[seed], augment(tone, np.random.default_rng(seed))) for seed in range(12))
    assert all(wave.shape == tone.shape and wave.dtype == np.float32 and np.isfinite(wave).all() for wave in changed)
    assert sum(sdr(tone, wave) < 40 for wave in changed) >= 6
    pitches = [np.argmax(np.abs(np.fft.rfft(wave))) for wave in changed]  # one second: bins are Hz
    assert max(abs(12 * np.log2(pitch / 440)) for pitch in pitches) < 0.6
    assert not augment(np.zeros(1000, np.float32), np.random.default_rng(0)).any()


def test_what_cannot_be_drawn_is_named(pieces, bank):
    with pytest.raises(InputError, match="needs a bank of sources"):
        FinetuningDataset(pieces, None, DuetRecipe(), range(2))
    short = replace(pieces[0], mixture=pieces[0].mixture[: 3 * SAMPLE_RATE])
    with pytest.raises(InputError, match="piece one: lasts 3.0 s; to train, 5 s are needed"):
        FinetuningDataset([short], bank, DuetRecipe(), range(2))
    alone = replace(pieces[0], sources={"violin": pieces[0].sources["violin"]})
    with pytest.raises(InputError, match="piece one: has one source"):
        FinetuningDataset([alone], bank, DuetRecipe(), range(2))
