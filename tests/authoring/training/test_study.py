"""Studies of one choice at a time, and the card of a run that is kept."""

import dataclasses
import json
from functools import partial

import pandas as pd
import pytest
import torch

from authoring.training import study as ablation
from authoring.training.finetune_card import keep
from lass_lab.datasets import load_piece
from lass_lab.datasets.duet_mixing import DuetRecipe
from lass_lab.experiments import evaluation, finetune, probes
from lass_lab.experiments.recipes import FinetuningRecipe, Phase
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig, load_separator
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.signal.files import InputError
from tests.made_duets import made_duets
from tests.made_sources import made_bank

RECIPE = FinetuningRecipe(
    phase1=Phase(epochs=1, rate=1e-2, warmup=2),
    phase2=Phase(epochs=1, rate=1e-3, query_rate=1e-3, captions=True, warmup=2),
    items=DuetRecipe(seconds=0.4),
    batch=4,
    checkpoint_every=2,
    validate_every=1,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    torch.manual_seed(0)
    small = ResUNet(ResUNetConfig(channels=(4, 6), n_fft=256, hop=85))
    LanguageSeparator(TinyQueryNet(), small).save_pretrained(folder / "start")
    return {"start": folder / "start", "data": made_duets(folder / "data"), "bank": made_bank(folder / "bank")}


@pytest.fixture(scope="module")
def tuned(made, tmp_path_factory):
    run = tmp_path_factory.mktemp("tuned")
    return run, finetune(run=run, recipe=RECIPE, progress=False, **made)


def test_a_study_sets_variants_side_by_side(made, tmp_path, monkeypatch):
    """What the random head forgets at step 0 the preserving one keeps, and nothing is measured on the test piece."""
    monkeypatch.setattr(probes, "forgetting", partial(probes.forgetting, instruments=("flute", "cello")))
    opened = []
    monkeypatch.setattr(evaluation, "load_piece", lambda name, data: opened.append(name) or load_piece(name, data))
    heads = ablation.STUDIES["heads"]
    few = {head: heads.variants[head] for head in ("paper-complex", "preserving")}
    monkeypatch.setitem(ablation.STUDIES, "heads", dataclasses.replace(heads, variants=few))
    where = made | {"start": str(made["start"])}
    one_phase = dataclasses.replace(RECIPE, phase2=Phase(epochs=0, rate=0.0))
    table = ablation.study("heads", one_phase, tmp_path, pairs=2, progress=False, **where).set_index("variant")
    assert list(table.index) == [where["start"], "paper-complex", "preserving"]
    start = table.loc[where["start"]]
    for source in ("violin", "trumpet"):
        assert table.at["preserving", f"{source} at step 0"] == pytest.approx(start[source], abs=1e-3)
        assert abs(table.at["paper-complex", f"{source} at step 0"] - start[source]) > 1e-2
    assert (table.drop(where["start"])["minutes"] > 0).all() and (table["stored"].dropna() < 16).all()
    assert opened == ["one", "two"]
    page = ablation.page({"heads": table.reset_index()}, one_phase, "python -m authoring study heads")
    assert "\n## What does replacing the output layer cost" in page and "violin at step 0, dB" in page
    kept = f"| preserving | {table.at['preserving', 'violin']:.2f} | {table.at['preserving', 'trumpet']:.2f} |"
    assert kept in page and "nan" not in page and f"`{json.dumps(dataclasses.asdict(one_phase))}`" in page
    with pytest.raises(InputError, match="study 'hats'"):
        ablation.study("hats", RECIPE, tmp_path)


def test_studies_in_one_folder_train_nothing_twice(tmp_path):
    """The same recipe is the same run, and what differs after phase 1 goes on from there."""

    def told(**changes):
        return {"start": "tiny", "recipe": dataclasses.asdict(dataclasses.replace(RECIPE, **changes))}

    other_phase2 = told(phase2=Phase(epochs=9, rate=0.1), average=0.5)
    other_phase1 = told(phase1=Phase(epochs=9, rate=0.1))
    done = tmp_path / "rehearsal"
    (done / "phase1").mkdir(parents=True)
    (done / "recipe.json").write_text(json.dumps(told()))
    assert ablation._folder(tmp_path, "decibels", told()) == done
    assert ablation._folder(tmp_path, "too early", other_phase2) == tmp_path / "too_early"
    assert not (tmp_path / "too_early").exists()
    (done / "phase1" / "config.json").write_text("{}")
    assert ablation._folder(tmp_path, "top", other_phase2) == tmp_path / "top"
    assert (tmp_path / "top" / "phase1").resolve() == (done / "phase1").resolve()
    assert not (ablation._folder(tmp_path, "slow", other_phase1) / "phase1").exists()
    for key, value in {"start": "audiosep", "weights": "0123", "sources": ["a bank"]}.items():
        assert not (ablation._folder(tmp_path, f"another {key}", other_phase2 | {key: value}) / "phase1").exists()


def test_a_run_is_kept_with_a_card_of_what_was_measured(tuned, tmp_path):
    run, out = tuned[0], tmp_path / "kept"
    card = keep(run, out, phase1=tmp_path / "first", pairs=2, longest=6, progress=False)
    weights = (tmp_path / "first" / "model.safetensors").read_bytes()
    assert weights == (run / "phase1" / "model.safetensors").read_bytes() and load_separator(tmp_path / "first")
    assert (out / "model.safetensors").read_bytes() == (run / "phase2" / "model.safetensors").read_bytes()
    assert (out / "MODEL_CARD.md").read_text() == card
    told = json.loads((run / "recipe.json").read_text())
    assert told["start"] in card and json.dumps(told["recipe"]) in card and "The first 6 seconds" in card
    assert told["sources"] and all(f"`{folder}`" in card for folder in told["sources"])
    numbers = pd.read_csv(out / "numbers.csv")
    rows = numbers.query("extent == 'piece' and metric == 'SDR' and separator == 'phase 2'")
    assert len(rows) == 2 and all(f"{value:.2f}" in card for value in rows["value"])
    assert load_separator(out).network.config == tuned[1].network.config
    with pytest.raises(InputError, match="exists already; pass --force"):
        keep(run, out, progress=False)
    with pytest.raises(InputError, match="holds no finished phase"):
        keep(tmp_path, tmp_path / "other")
