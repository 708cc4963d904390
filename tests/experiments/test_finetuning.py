"""Fine-tuning in two phases: what moves in each, what is frozen, what is stored, and a run that can be killed."""

import dataclasses
import json
import os
import shutil
import signal
from functools import partial, partialmethod

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Subset

from lass_lab.commands.stopping import StopWhenAsked
from lass_lab.datasets import duets, training_captions
from lass_lab.datasets.duet_mixing import DuetRecipe
from lass_lab.datasets.mixing import SourceBank, collate
from lass_lab.experiments import finetune
from lass_lab.experiments.finetuning import FinetuningData, FinetuningTask, average
from lass_lab.experiments.recipes import RECIPES, FinetuningRecipe, Phase, described
from lass_lab.experiments.training import SeparationTask
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.audiosep.clap import ClapQueryNet
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.signal.files import InputError, RunStopped
from tests import made_runs
from tests.made_duets import made_duets
from tests.made_sources import made_bank
from tests.models.made_clap import write_clap_folder

SMALL = ResUNetConfig(channels=(4, 6), n_fft=256, hop=85)
RECIPE = dataclasses.replace(made_runs.RECIPE, batch=4, validate_every=1)


@pytest.fixture(scope="module", autouse=True)
def brief():
    """A slice of each piece to validate on: with all six, validating would take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duets, "VALIDATION_S", 5.0)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    torch.manual_seed(0)
    LanguageSeparator(TinyQueryNet(), ResUNet(SMALL)).save_pretrained(folder / "start")
    return {"start": folder / "start", "data": made_duets(folder / "data", 17.0), "bank": made_bank(folder / "bank")}


@pytest.fixture(scope="module")
def tuned(made, tmp_path_factory):
    run = tmp_path_factory.mktemp("tuned")
    return run, finetune(run=run, recipe=RECIPE, progress=False, **made)


def state(separator, part=""):
    return {key: value for key, value in separator.state_dict().items() if key.startswith(part)}


def changed(before, after):
    """Keys whose values differ; what peft adapts keeps its name."""
    after = {key.replace(".base_layer.", "."): value for key, value in after.items()}
    return {key for key in before if not torch.equal(before[key], after[key.replace(".base_layer.", ".")])}


def test_phase_1_leaves_the_query_network_bit_identical_and_moves_the_separation_network(made, tuned):
    start, first = (LanguageSeparator.from_folder(folder) for folder in (made["start"], tuned[0] / "phase1"))
    assert changed(state(start, "query_network"), state(first, "query_network")) == set()
    moved = changed(state(start, "network"), state(first, "network"))
    assert {"network.head.conv.weight", "network.encoder.0.conv1.weight", "network.bottleneck.conv2.weight"} <= moved
    assert first.network.config.head == "preserving"
    again = finetune(run=tuned[0], recipe=RECIPE, phases=["phase1"], progress=False, **made)  # phase 2 is there
    assert changed(state(first), state(again)) == set()


def test_phase_2_moves_words_and_leaves_sounds(tuned):
    run, last = tuned
    first = LanguageSeparator.from_folder(run / "phase1")
    moved = changed(state(first, "query_network"), state(last, "query_network"))
    assert moved == {f"query_network.projection.{part}" for part in ("0.weight", "0.bias", "2.weight", "2.bias")}
    assert any("lora_B" in key and value.any() for key, value in state(last, "query_network").items())
    assert not torch.allclose(first.query_network(["violin"]), last.query_network(["violin"]), atol=1e-5)


def test_batch_norms_keep_their_statistics_unless_asked_to_follow(made, tuned, tmp_path):
    def statistics(separator):
        return {key: value for key, value in state(separator).items() if "running_" in key}

    start = statistics(LanguageSeparator.from_folder(made["start"]))
    assert changed(start, statistics(tuned[1])) == set()
    recipe = dataclasses.replace(RECIPE, freeze_norms=False, phase2=Phase(epochs=0, rate=0.0))
    followed = statistics(finetune(run=tmp_path, recipe=recipe, progress=False, **made))
    assert changed(start, followed) == set(start) - {key for key in start if "audio_tower" in key}


def test_a_checkpoint_holds_what_training_changed(tuned):
    checkpoint = torch.load(tuned[0] / "phase2" / "last.ckpt", weights_only=False)
    kept = [key for key in checkpoint["state_dict"] if ".query_network.encoder." in key]
    assert len(kept) == 24 and all("lora_" in key for key in kept)


def test_a_run_leaves_logs_and_its_recipe(tuned):
    run = tuned[0]
    told = json.loads((run / "recipe.json").read_text())["recipe"]
    assert told["head"] == "preserving" and told["phase2"]["query_rate"] == 1e-3
    for phase in ("phase1", "phase2"):
        header = (run / phase / "log" / "version_0" / "metrics.csv").read_text().splitlines()[0]
        assert {"loss", "validation_sdri", "step"} <= set(header.split(","))
        assert list((run / phase / "log").glob("version_*/events.out.tfevents.*"))


class Killed(BaseException):
    pass


@pytest.mark.parametrize("fatal", [3, 6])
def test_a_killed_run_resumes_to_the_weights_of_an_unbroken_one(made, tuned, tmp_path, monkeypatch, fatal):
    """Killed in the midst of either phase; compared bit by bit."""
    step, done = SeparationTask.training_step, []

    def dies(task, batch, index):
        if len(done) == fatal:
            done.append("dead")
            raise Killed
        done.append(index)
        return step(task, batch, index)

    monkeypatch.setattr(SeparationTask, "training_step", dies)
    with pytest.raises(Killed):
        finetune(run=tmp_path, recipe=RECIPE, progress=False, **made)
    resumed = finetune(run=tmp_path, recipe=RECIPE, progress=False, **made)
    assert changed(state(tuned[1]), state(resumed)) == set()


def test_frozen_blocks_keep_their_weights_and_norms(made, tmp_path):
    recipe = dataclasses.replace(RECIPE, frozen_blocks=1, freeze_norms=False, phase2=Phase(epochs=0, rate=0.0))
    after = finetune(run=tmp_path, recipe=recipe, progress=False, **made)
    moved = changed(state(LanguageSeparator.from_folder(made["start"])), state(after))
    still = ("network.input_", "network.encoder.0.")
    assert moved and not any(key.startswith(still) for key in moved)
    assert any(key.startswith("network.encoder.1.") for key in moved)


def test_distillation_rehearses_towards_what_was_answered_before(made):
    """The teacher's answer takes the place of the true source where the bank plays, and nowhere else."""
    separator, teacher = (LanguageSeparator.from_folder(made["start"]) for _ in range(2))
    task = FinetuningTask(separator, RECIPE, RECIPE.phase1, 4, teacher)
    data = FinetuningData(RECIPE, made["data"], SourceBank(made["bank"], "train"))
    data.trainer = type("Trainer", (), {"current_epoch": 0, "world_size": 1, "global_rank": 0})()
    batch = next(iter(data.train_dataloader()))
    places = [place for place, rehearsed in enumerate(batch["rehearsed"]) if rehearsed]
    after = task.on_after_batch_transfer(batch, 0)
    with torch.no_grad():
        answers = teacher(batch["mixture"], batch["query"])
    for place in range(len(batch["rehearsed"])):
        wanted = answers[place] if place in places else batch["target"][place]
        torch.testing.assert_close(after["target"][place], wanted, atol=1e-6, rtol=0)
    assert 0 < len(places) < 4 and not any("teacher" in key for key in task.state_dict())


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_averaging_is_linear_between_before_and_after(made, tuned, share):
    before, after = LanguageSeparator.from_folder(made["start"]), LanguageSeparator.from_folder(tuned[0] / "phase2")
    own = {key: value.clone() for key, value in state(after).items()}
    averaged = average(after, before, share)
    for key in ("network.head.conv.weight", "query_network.projection.0.bias"):
        wanted = share * own[key] + (1 - share) * before.state_dict()[key]
        torch.testing.assert_close(averaged.state_dict()[key], wanted, atol=1e-6, rtol=0)
    if share == 0:
        mixture = torch.randn(1, 1, 4000)
        torch.testing.assert_close(averaged(mixture, ["violin"]), before(mixture, ["violin"]), atol=1e-5, rtol=0)


def test_two_processes_train_as_one_with_the_doubled_batch(made, tmp_path, monkeypatch):
    """The same items a step and the same losses, to what rounding leaves (DDP over gloo).

    AdamW's first step is as long for a gradient that is mostly rounding as for any other: a low rate keeps it short.
    """
    monkeypatch.setattr(duets, "VALIDATION_S", 30.0)  # as in the processes
    made = made | {"data": made_duets(tmp_path / "data", 42.0)}
    one_phase = dataclasses.replace(RECIPE, phase1=Phase(epochs=1, rate=1e-4), phase2=Phase(epochs=0, rate=0.0))
    finetune(run=tmp_path / "alone", recipe=one_phase, progress=False, **made)
    halved = dataclasses.replace(one_phase, batch=RECIPE.batch // 2)
    finetune(run=tmp_path / "together", recipe=halved, devices=2, progress=False, **made)
    losses = [
        pd.read_csv(tmp_path / run / "phase1" / "log" / "version_0" / "metrics.csv")["loss"].dropna()
        for run in ("alone", "together")
    ]
    assert len(losses[0]) == 2
    np.testing.assert_allclose(*losses, rtol=0.01)


def test_the_full_size_network_takes_the_same_recipe(made, tmp_path, monkeypatch):
    """AudioSep's own sizes, with made weights: both phases, a few steps each, judged by one slice."""
    write_clap_folder(tmp_path / "cache" / "clap", monkeypatch)
    monkeypatch.setenv("LASS_LAB_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)
    start = LanguageSeparator(ClapQueryNet(), ResUNet(ResUNetConfig.audiosep()))
    start.save_pretrained(tmp_path / "start")
    data = made_duets(tmp_path / "data", seconds=10.2, splits={"one": "train"})
    # Made weights have no statistics of their own: with frozen norms, they would explode over the depth.
    recipe = dataclasses.replace(RECIPE, items=DuetRecipe(seconds=0.3), batch=2, validate_every=2, freeze_norms=False)
    where = {"start": tmp_path / "start", "data": data, "bank": made["bank"]}
    one_slice = partialmethod(lambda module: DataLoader(Subset(module.validation, [0]), collate_fn=collate))
    monkeypatch.setattr(FinetuningData, "val_dataloader", one_slice)
    after = finetune(run=tmp_path / "run", recipe=recipe, progress=False, **where)
    moved = changed(state(start), state(after))
    assert {"network.encoder.0.conv1.weight", "query_network.projection.2.bias"} <= moved
    assert not any("roberta" in key or "audio_tower" in key for key in moved)
    assert any("lora_B" in key and value.any() for key, value in state(after).items())


def test_a_phase_is_judged_in_the_words_that_it_teaches(made):
    """By the plain word alone, the best weights of a phase over all phrasings could be those that learnt none."""
    data = FinetuningData(RECIPE, made["data"], SourceBank(made["bank"], "train"))
    plain = [query for batch in data.val_dataloader() for query in batch["query"]]
    data.recipe = dataclasses.replace(RECIPE, items=dataclasses.replace(RECIPE.items, captions=True))
    heard = [query for batch in data.val_dataloader() for query in batch["query"]]
    assert set(plain) == {"violin", "trumpet"} and len(set(heard)) > 2
    assert len(heard) == 3 * len(plain)
    asked = [word for word in plain for _ in range(3)]
    assert all(query in training_captions(word) for query, word in zip(heard, asked, strict=True))


def test_sigterm_stops_at_the_next_checkpoint_and_the_same_call_goes_on(made, tuned, tmp_path, monkeypatch):
    step, handler = SeparationTask.training_step, signal.getsignal(signal.SIGTERM)

    def asked_to_stop(task, batch, index):
        if task.global_step == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(task, batch, index)

    with monkeypatch.context() as patch:
        patch.setattr(SeparationTask, "training_step", asked_to_stop)
        with pytest.raises(RunStopped, match="phase1: stopped after 2 of 4 steps"):
            finetune(run=tmp_path, recipe=RECIPE, callbacks=[StopWhenAsked()], progress=False, **made)
    assert signal.getsignal(signal.SIGTERM) == handler
    resumed = finetune(run=tmp_path, recipe=RECIPE, progress=False, **made)
    assert changed(state(tuned[1]), state(resumed)) == set()


def test_a_folder_takes_no_other_run(made, tuned, tmp_path):
    """Nor the same one from other weights: a course that was updated ships others under the same name."""
    with pytest.raises(InputError, match="holds a run that differs in sources"):
        finetune(run=tuned[0], recipe=RECIPE, progress=False, **(made | {"bank": [made["bank"], made["bank"]]}))
    with pytest.raises(InputError, match="holds a run that differs in processes"):
        finetune(run=tuned[0], recipe=RECIPE, devices=2, progress=False, **made)
    shutil.copytree(made["data"], tmp_path / "data")
    with (tmp_path / "data" / "manifest.csv").open("a") as manifest:
        manifest.write("\n")
    with pytest.raises(InputError, match="holds a run that differs in data"):
        finetune(run=tuned[0], recipe=RECIPE, progress=False, **(made | {"data": tmp_path / "data"}))
    begun = partial(finetune, run=tmp_path / "run", recipe=RECIPE, phases=(), **(made | {"start": tmp_path / "start"}))
    LanguageSeparator(TinyQueryNet(), ResUNet(SMALL)).save_pretrained(tmp_path / "start")
    begun()
    begun()
    LanguageSeparator(TinyQueryNet(), ResUNet(SMALL)).save_pretrained(tmp_path / "start")
    with pytest.raises(InputError, match="holds a run that differs in weights"):
        begun()


def test_the_named_recipes_are_the_course_s_and_the_paper_s():
    assert RECIPES["preserving"] == FinetuningRecipe()
    paper = RECIPES["paper"]
    assert (paper.head, paper.items.rehearsal, paper.average, paper.phase1.query_rate) == ("paper", 0.0, 1.0, 0.0)
    assert paper.phase1.epochs == paper.phase2.epochs == 75
    assert (paper.items.seconds, paper.sample_rate, paper.loss) == (5.0, 32_000, "l1")
    assert (paper.batch, paper.phase1.rate, paper.descent, paper.phase2.encoder) == (12, 1e-3, 0.0, "whole")
    assert described("tiny", "", paper, "a bank") == described("tiny", "", paper), "it uses no bank"


def test_a_loss_that_is_not_finite_ends_the_run(made, tmp_path):
    recipe = dataclasses.replace(RECIPE, phase1=Phase(epochs=4, rate=1e30, warmup=1))
    with pytest.raises(InputError, match=r"training: stopped, the loss is (nan|inf) at step \d+"):
        finetune(run=tmp_path / "run", recipe=recipe, progress=False, **made)
    assert not (tmp_path / "run" / "phase1" / "config.json").exists()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda path, state: path.write_bytes(path.read_bytes()[:5_000]), "cannot be gone on from ("),
        (
            lambda path, state: torch.save({"state_dict": state["state_dict"]}, path),
            "cannot be gone on from (KeyError)",
        ),
        (lambda path, state: torch.save(state | {"state_dict": {"other": torch.ones(1)}}, path), "is of another run"),
        (lambda path, state: torch.save(state | {"state_dict": nan(state)}, path), "holds NaN or infinite numbers"),
    ],
    ids=["cut", "weights alone", "foreign", "NaN"],
)
def test_a_checkpoint_that_cannot_be_gone_on_from_is_named(made, tuned, tmp_path, change, fault):
    shutil.copytree(tuned[0], tmp_path / "run")
    (tmp_path / "run" / "phase2" / "config.json").unlink()
    checkpoint = tmp_path / "run" / "phase2" / "last.ckpt"
    change(checkpoint, torch.load(checkpoint, weights_only=False))
    with pytest.raises(InputError) as caught:
        finetune(run=tmp_path / "run", recipe=RECIPE, progress=False, **made)
    assert str(caught.value).startswith(f"{checkpoint}: {fault}")
    assert str(caught.value).endswith("; remove it, and its steps are done again")


def nan(checkpoint):
    return {key: value * torch.nan for key, value in checkpoint["state_dict"].items()}
