"""The line from LASS-Net: systems that differ in what they say they do, trained and measured by one recipe."""

import json
from dataclasses import replace

import pandas as pd
import pytest
import torch

from authoring.training import lineage, pretraining
from lass_lab.course.nb03.lass_net import TransformerQueryNet
from lass_lab.datasets.instruments import TAUGHT
from lass_lab.models import ResUNetConfig, load_separator
from lass_lab.signal import read_audio
from tests.made_sources import DISTRACTORS, TONES, made_bank


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """All systems after two steps on tones."""
    bank = made_bank(tmp_path_factory.mktemp("bank"), seconds=6.0, tones=TONES | DISTRACTORS)
    run, out = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("out")
    small = replace(
        lineage.RECIPE,
        steps=2,
        batch=2,
        seconds=0.3,
        network=ResUNetConfig((4, 6), 256, 64),
        instruments=TAUGHT,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lineage, "RECIPE", small)
        patch.setattr(pretraining, "STEPS_AN_EPOCH", 2)
        patch.setattr(pretraining, "VALIDATION_PAIRS", 2)
        table = lineage.lineage(bank, run, out, pairs=2)
    return table, run, out


def test_each_system_changes_one_thing_of_the_one_before():
    recipes = [system.recipe() for system in lineage.SYSTEMS]
    first, second, third = recipes
    assert replace(second, query_rate=first.query_rate) == first
    assert replace(third, network=second.network) == second and third.network.head == "audiosep"


def test_every_system_is_measured_in_every_trial_and_heard(shown):
    table, _, out = shown
    assert table.groupby("system", sort=False).size().to_dict() == dict.fromkeys(
        [*(system.name for system in lineage.SYSTEMS), lineage.UNTURNED], len(lineage.TRIALS) + 1
    )
    assert table["mean"].between(table["low"], table["high"]).all()
    pd.testing.assert_frame_equal(pd.read_csv(out / lineage.NUMBERS), table)
    for number in range(len(lineage.SYSTEMS)):
        assert len(read_audio(out / f"system-{number}.ogg")) == pytest.approx(6.0 * 32_000, abs=1)
    assert [entry["steps"] for entry in json.loads((out / lineage.HISTORY).read_text())] == [2, 2, 2]


def test_the_last_row_is_the_third_system_without_its_turn(shown):
    table = shown[0].set_index("system")["mean"]
    assert (table[lineage.UNTURNED].to_numpy() != table[lineage.SYSTEMS[-1].name].to_numpy()).any()


def test_the_first_system_learns_its_words_along_from_a_random_start(shown):
    _, run, _ = shown
    words = load_separator(run / "system-0").query_network
    torch.manual_seed(0)  # as the run's
    start = TransformerQueryNet().state_dict()
    for key in ("encoder.bert.embeddings.word_embeddings.weight", "projection.0.weight"):
        moved = (words.state_dict()[key] - start[key].half().float()).abs().max()
        assert 0 < moved < 0.01, key


@pytest.mark.parametrize("number", [1, 2])
def test_the_others_keep_the_words_that_ship(shown, number):
    _, run, _ = shown
    words, shipped = (load_separator(where).query_network.state_dict() for where in (run / f"system-{number}", "tiny"))
    assert words.keys() == shipped.keys() and all(torch.equal(words[key], shipped[key]) for key in words)
