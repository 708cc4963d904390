"""Pretraining: what a run from a given separator keeps, and settings that change its recipe."""

import copy
from dataclasses import replace

import pytest
import torch

from authoring.training import pretraining
from authoring.training.pretraining import PretrainingRecipe, pretrain
from lass_lab.commands.options import with_settings
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.signal.files import InputError
from tests.made_sources import DISTRACTORS, TONES, made_bank

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64)


def test_a_given_separator_is_trained_and_leaves_the_query_network_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "STEPS_AN_EPOCH", 2)
    monkeypatch.setattr(pretraining, "VALIDATION_PAIRS", 2)
    sources = made_bank(tmp_path / "bank", tones=TONES | DISTRACTORS)
    start = LanguageSeparator(TinyQueryNet(), ResUNet(SMALL))
    before = copy.deepcopy(start)
    recipe = PretrainingRecipe(steps=2, batch=2, seconds=0.3, network=SMALL, contrastive=None)
    after = pretrain(sources, tmp_path / "run", recipe, start=start)
    kept = after.query_network.state_dict()
    assert all(torch.equal(kept[key], value) for key, value in before.query_network.state_dict().items())
    assert not torch.equal(after.network.input_conv.weight, before.network.input_conv.weight)


def test_settings_change_fields_and_fields_of_fields():
    recipe = PretrainingRecipe()
    changed = with_settings(recipe, ["steps=9", "loss=l1", "mixtures.sounds=0.3"])
    assert changed == replace(recipe, steps=9, loss="l1", mixtures=replace(recipe.mixtures, sounds=0.3))
    with pytest.raises(InputError, match="no field .mixtures.sonds.; choose one of mixtures.aligned"):
        with_settings(recipe, ["mixtures.sonds=0.3"])
