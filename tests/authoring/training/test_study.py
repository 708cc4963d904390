"""Fine-tuning runs set side by side, and one that is kept."""

import json
from dataclasses import asdict, replace

import pandas as pd
import pytest

from authoring.training import study
from authoring.training.finetune_card import keep
from lass_lab.experiments.recipes import Phase
from lass_lab.models import load_separator
from lass_lab.signal.files import InputError
from tests.made_runs import RECIPE, made_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with made_run(tmp_path_factory.mktemp("made")) as run:
        yield run


def test_a_study_sets_variants_side_by_side(run, tmp_path, monkeypatch):
    """What the random head forgets at step 0 the preserving one keeps."""
    variants = study.STUDIES["heads"]["variants"]
    few = {head: variants[head] for head in ("paper-complex", "preserving")}
    monkeypatch.setitem(study.STUDIES["heads"], "variants", few)
    start, one_phase = str(run.parent / "start"), replace(RECIPE, phase2=Phase(epochs=0, rate=0.0))
    rows = study.study("heads", one_phase, tmp_path, start=start, pairs=2)
    table = rows.set_index("variant")
    assert list(table.index) == [start, "paper-complex", "preserving"]
    for source in ("violin", "trumpet"):
        assert table.at["preserving", f"{source} at step 0"] == pytest.approx(table.at[start, source], abs=1e-3)
        assert abs(table.at["paper-complex", f"{source} at step 0"] - table.at[start, source]) > 1e-2
    assert (table.drop(start)["minutes"] > 0).all() and (table["stored"].dropna() < 16).all()
    page = study.studies_page({"heads": rows}, one_phase)
    assert "\n## What does replacing the output layer cost" in page and "violin at step 0, dB" in page
    kept = f"| preserving | {table.at['preserving', 'violin']:.2f} | {table.at['preserving', 'trumpet']:.2f} |"
    assert kept in page and "nan" not in page and f"`{json.dumps(asdict(one_phase))}`" in page


def test_every_variant_is_a_recipe():
    recipes = {
        variant: study.varied(RECIPE, settings)
        for each in study.STUDIES.values()
        for variant, settings in each["variants"].items()
    }
    assert len(set(recipes.values())) > 15


def test_studies_in_one_folder_train_nothing_twice(tmp_path):
    """Equal runs are one run, and those that differ after phase 1 share that phase."""

    def told(**changes):
        return {"start": "tiny", "recipe": asdict(replace(RECIPE, **changes))}

    other_phase2 = told(phase2=Phase(epochs=9, rate=0.1), average=0.5)
    folders = [study._folder(tmp_path, each) for each in (told(), told(), other_phase2)]
    assert folders[0] == folders[1] != folders[2]
    phase1 = {(folder / "phase1").resolve() for folder in folders}
    assert len(phase1) == 1
    others = [told(phase1=Phase(epochs=9, rate=0.1))]
    others += [other_phase2 | {key: "another"} for key in ("start", "weights", "sources")]
    assert all((study._folder(tmp_path, each) / "phase1").resolve() not in phase1 for each in others)


def test_a_run_is_kept_with_a_card_of_what_was_measured(run, tmp_path):
    path, out = run / "recipe.json", tmp_path / "kept"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sources": ["runs/one", "runs/two"]}))
    card = keep(run, out, phase1=tmp_path / "first", pairs=2)
    for folder, phase in ((tmp_path / "first", "phase1"), (out, "phase2")):
        weights = (run / phase / "model.safetensors").read_bytes()
        assert (folder / "model.safetensors").read_bytes() == weights and load_separator(folder)
    assert (out / "MODEL_CARD.md").read_text() == card
    told = json.loads(path.read_text())
    assert told["start"] in card and json.dumps(told["recipe"]) in card
    assert "- Rehearsed with `runs/one`, `runs/two`:" in card
    numbers = pd.read_csv(out / "numbers.csv")
    rows = numbers.query("extent == 'piece' and metric == 'SDR' and separator == 'phase 2'")
    assert len(rows) == 2 and all(f"{value:.2f}" in card for value in rows["value"])
    with pytest.raises(InputError, match="exists already; pass --force"):
        keep(run, out)
    with pytest.raises(InputError, match="holds no finished phase"):
        keep(tmp_path, tmp_path / "other")
