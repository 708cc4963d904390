"""The card beside pretrained weights: what was measured, and the run that made them."""

import json
from dataclasses import asdict

import pandas as pd

from authoring.training import pretraining
from authoring.training.model_card import UNHEARD, write_card
from authoring.training.pretraining import PretrainingRecipe, pretrain
from lass_lab.datasets.mixing import MixtureRecipe
from lass_lab.models import ResUNetConfig
from tests.made_duets import made_duets
from tests.made_sources import made_bank

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64)
RECIPE = PretrainingRecipe(
    steps=2, batch=2, seconds=0.3, network=SMALL, mixtures=MixtureRecipe(sounds=0.1), contrastive=None
)


def test_a_card_tells_what_was_measured_and_how_it_was_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "VALIDATION_PAIRS", 2)
    monkeypatch.setenv("LASS_LAB_DATA", str(made_duets(tmp_path / "data", seconds=6.0, splits={"three": "test"})))
    sources = made_bank(tmp_path / "bank", seconds=6.0)
    pretrain([sources], tmp_path / "run", RECIPE).save_pretrained(tmp_path / "out")
    card = write_card(tmp_path / "out", [sources], tmp_path / "run", RECIPE, unheard=sources, pairs=2)
    assert (tmp_path / "out" / "MODEL_CARD.md").read_text() == card
    numbers = pd.read_csv(tmp_path / "out" / "numbers.csv")
    assert len(numbers) == 6 and numbers["trial"].iloc[-1] == UNHEARD
    rows = [f"| {row.trial} | {row.mean:.2f} | {row.low:.2f} to {row.high:.2f} | 2 |" for row in numbers.itertuples()]
    assert all(row in card for row in rows)
    assert "\n- 2 steps of 2 mixtures of 0.3 s at 32.0 kHz from a random start, 0.0" in card
    (told,) = json.loads((tmp_path / "out" / "history.json").read_text())
    assert told["steps"] == 2
    assert told["recipe"] == json.loads(json.dumps(asdict(RECIPE))) and json.dumps(told["recipe"]) in card
