"""The card beside pretrained weights: what was measured, and which runs made them."""

import dataclasses
import json

import pandas as pd
import pytest

from authoring.training import pretraining
from authoring.training.model_card import write_card
from authoring.training.pretraining import HISTORY, PretrainingRecipe, pretrain
from lass_lab.datasets.mixing import MixtureRecipe
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.querynet import TinyQueryNet
from tests.made_duets import made_duets
from tests.made_sources import made_bank

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=64)
RECIPE = PretrainingRecipe(steps=2, batch=2, seconds=0.3, network=SMALL, mixtures=MixtureRecipe())


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return made_bank(tmp_path_factory.mktemp("bank"), seconds=6.0)


@pytest.fixture
def made(monkeypatch, tmp_path, sources):
    """Weights that three runs made, earlier ones, which the first of them made, and those of another run."""
    monkeypatch.setattr(pretraining, "VALIDATION_PAIRS", 2)
    monkeypatch.setenv("LASS_LAB_DATA", str(made_duets(tmp_path, seconds=6.0, splits={"three": "test"})))
    for name, runs, steps in (("start", 3, 7), ("earlier", 1, 7), ("foreign", 1, 8)):
        LanguageSeparator(TinyQueryNet(), ResUNet(SMALL)).save_pretrained(tmp_path / name)
        past = [{"steps": steps, "hours": 0.1, "hardware": "a laptop", "recipe": dataclasses.asdict(RECIPE)}] * runs
        (tmp_path / name / HISTORY).write_text(json.dumps(past))
    return tmp_path


@pytest.mark.parametrize(
    ("earlier", "whose"),
    [
        (None, "those after run 3"),
        ("earlier", "those after run 1"),
        ("foreign", "weights that none of these runs made"),
    ],
)
def test_a_card_tells_what_was_measured_and_what_was_averaged_with_what(made, sources, earlier, whose):
    recipe = dataclasses.replace(RECIPE, contrastive=None, average=0.6)
    earlier = earlier and made / earlier
    separator = pretrain([sources], made / "run", recipe, start=made / "start", earlier=earlier, progress=False)
    separator.save_pretrained(made / "out")
    card = write_card(made / "out", [sources], made / "run", recipe, earlier=earlier, pairs=2, progress=False)
    assert (made / "out" / "MODEL_CARD.md").read_text() == card
    assert f"The result is 60% of its weights and 40% of {whose}." in card
    assert "\n4. 2 steps of 2 mixtures of 0.3 s" in card and "\n3. 7 steps" in card
    numbers = pd.read_csv(made / "out" / "numbers.csv")
    assert len(numbers) == 5 and all(f"| {row.mean:.2f} | {row.low:.2f} to" in card for row in numbers.itertuples())
    history = json.loads((made / "out" / HISTORY).read_text())
    assert [entry["steps"] for entry in history] == [7, 7, 7, 2]
    assert history[-1]["recipe"]["network"] == json.loads(json.dumps(dataclasses.asdict(SMALL)))
