"""The study of ways to pretrain: arms of equal time, judged on real sounds; those that are done stay."""

import numpy as np
import pandas as pd
import pytest

from authoring.training import arms, choosing, pretraining
from authoring.training.pretraining import PretrainingRecipe
from lass_lab.commands.options import with_settings
from lass_lab.datasets.mixing import MixtureRecipe
from lass_lab.experiments.contrastive import ContrastiveRecipe
from lass_lab.models import ResUNetConfig
from tests.made_sources import TONES, made_bank

RECIPE = PretrainingRecipe(
    batch=2,
    seconds=0.3,
    network=ResUNetConfig(channels=(4, 6), n_fft=256, hop=64),
    sample_rate=16_000,
    mixtures=MixtureRecipe(),
    contrastive=ContrastiveRecipe(steps=2, seconds=0.5),
)


@pytest.fixture
def real_sounds(monkeypatch):
    """Tones in place of the pack's performances, speech and everyday sounds."""
    time = np.arange(32_000) / 32_000

    def sounds(pitches):
        return [choosing.Real(name, name, 0.1 * np.sin(hertz * time).astype("f")) for name, hertz in pitches.items()]

    for kind, pitches in {"_performances": TONES, "_speech": {"speech": 900.0}, "_everyday": {"rain": 3000.0}}.items():
        monkeypatch.setattr(choosing, kind, lambda pack, pitches=pitches: sounds(pitches))


def test_arms_are_trained_for_equally_long_measured_and_kept(tmp_path, monkeypatch, real_sounds):
    monkeypatch.setattr(pretraining, "VALIDATION_PAIRS", 2)
    monkeypatch.setattr(pretraining, "STEPS_AN_EPOCH", 50)
    monkeypatch.setattr(arms, "BASE", [])
    monkeypatch.setattr(arms, "ARMS", {"one": [], "other": ["loss=l1"]})
    sources = made_bank(tmp_path / "bank")
    table = arms.arms(["one", "other"], RECIPE, sources, tmp_path / "run", tmp_path, minutes=0.02)
    assert table.groupby("arm", sort=False)["trial"].nunique().to_dict() == {"one": 5, "other": 5}
    assert (table["steps"] > arms.SETTLED).all() and (table["steps"] < 10_000).all()
    shown = arms.side_by_side(table)
    assert list(shown["arm"]) == ["one", "other"] and choosing.REAL in shown
    monkeypatch.setattr(arms, "pretrain", None)  # nothing is trained again
    pd.testing.assert_frame_equal(
        arms.arms(["one", "other"], RECIPE, sources, tmp_path / "run", tmp_path, minutes=1), table
    )


def test_every_arm_is_a_recipe():
    recipes = [with_settings(PretrainingRecipe(), [*arms.BASE, *settings]) for settings in arms.ARMS.values()]
    assert len(recipes) >= 5 and all(recipe.batch for recipe in recipes)
