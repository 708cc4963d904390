"""The study that chose the recipe: ways to pretrain that differ in one thing, each for equally long."""

import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lightning
import pandas as pd
import torch
from torch import Tensor, nn

from authoring.pages import write
from authoring.training.choosing import choose_by
from authoring.training.pretraining import PretrainingRecipe, pretrain
from lass_lab.commands.options import with_settings
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.datasets.mixing import MixtureDataset, SourceBank, Sources
from lass_lab.experiments.contrastive import train_contrastively
from lass_lab.experiments.evaluation import RANDOM_PAIRS, bootstrap
from lass_lab.experiments.training import at_rate
from lass_lab.models import LanguageSeparator, ResUNet
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.signal.metrics import sdr

STUDY = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
BASE: list[str] = STUDY["base"]
ARMS: dict[str, list[str]] = STUDY["arms"]
MANY_STEPS = 10**6
NUMBERS = "numbers.csv"
RENDERED_PAIRS = "random pairs, rendered"
SETTLED = 10  # steps, after which the clock begins: the first ones compile


@dataclass
class Allotted:
    """A `Schedule` over a share of the time in place of a share of the steps: what is `done`, from 0 to 1."""

    peak: float
    descent: float
    done: float = 0.0

    def __call__(self, step: int) -> float:
        return max(0.0, min(1.0, (step + 1) / 200, (1 - self.done) / self.descent))


class Clock(lightning.Callback):
    """Ends a run after so many seconds of the processor, and tells its schedule how much of them is done.

    The process's own seconds, all cores' together: whatever else the computer does, arms have equal shares.
    """

    def __init__(self, seconds: float, schedule: Allotted) -> None:
        self.seconds, self.schedule, self.begun, self.steps = seconds, schedule, 0.0, 0

    def on_train_batch_end(self, trainer: lightning.Trainer, *_) -> None:
        self.steps = trainer.global_step
        if self.steps <= SETTLED:
            self.begun = time.process_time()
        self.schedule.done = (time.process_time() - self.begun) / self.seconds
        trainer.should_stop = self.schedule.done >= 1


class DualPath(nn.Module):
    """The bottleneck, and after it recurrent layers over frequency and over time, each added to the features.

    Dual-path GRUs at a ResUNet's bottleneck won task 9 of DCASE 2024 (language-queried audio source separation).
    """

    def __init__(self, block: nn.Module, channels: int) -> None:
        super().__init__()
        self.block = block
        self.paths = nn.ModuleList(nn.GRU(channels, channels // 2, batch_first=True, bidirectional=True) for _ in "ft")

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        features = self.block(features, condition)
        batch, channels, frames, bins = features.shape
        over_bins = features.permute(0, 2, 3, 1).reshape(batch * frames, bins, channels)
        over_bins = over_bins + self.paths[0](over_bins)[0]
        over_frames = over_bins.view(batch, frames, bins, channels).transpose(1, 2).reshape(-1, frames, channels)
        over_frames = over_frames + self.paths[1](over_frames)[0]
        return over_frames.view(batch, bins, frames, channels).permute(0, 3, 2, 1)


def arms(
    names: Sequence[str], recipe: PretrainingRecipe, sources: Sources, run: Path, pack: Path, *, minutes: float
) -> pd.DataFrame:
    """Train each arm for so many minutes from a random start, and measure it at its own sample rate.

    All have one query network, trained first. Arms that are done already are not trained again.

    Args:
        names: of `ARMS`; "dual-path" also has the layers of `DualPath`.
        recipe: in which all arms change what `BASE` says, and each something more.
        sources: banks of sources.
        run: folder of the study.
        pack: folder of the pack of recordings, to choose by.
        minutes: of the processor, in training, counted from the tenth step.

    Returns:
        One row an answer: arm, steps (that fitted), trial, name, sdri (see `choose_by`).
    """
    recipe = with_settings(recipe, BASE)
    run.mkdir(parents=True, exist_ok=True)
    if not (first := run / "query.pt").exists():
        query_network = TinyQueryNet()
        train_contrastively(query_network, SourceBank(sources, "train", recipe.instruments), recipe.contrastive)
        torch.save(query_network.state_dict(), first)
    for name in names:
        if not (run / name / NUMBERS).exists():
            query_network = TinyQueryNet()
            query_network.load_state_dict(torch.load(first))
            _run_arm(name, recipe, sources, query_network, run, pack, minutes)
    return pd.concat([pd.read_csv(run / name / NUMBERS) for name in names], ignore_index=True)


def side_by_side(answers: pd.DataFrame) -> pd.DataFrame:
    """One row an arm: its steps, and of each trial the mean, with the 95% interval of its difference to the first arm.

    All arms answer for the same mixtures, so that differences are of pairs, and narrower than the arms' own intervals.
    """
    rows = []
    for (arm, steps), found in answers.groupby(["arm", "steps"], sort=False):
        rows.append({"arm": arm, "steps": steps})
        for trial, group in found.groupby("trial", sort=False):
            values = group["sdri"].to_numpy()
            first = answers[(answers["arm"] == answers["arm"].iloc[0]) & (answers["trial"] == trial)]["sdri"].to_numpy()
            low, high = bootstrap(values - first) if rows[1:] else (0, 0)
            rows[-1][trial] = f"{values.mean():.2f}" + (f" ({low:+.2f} to {high:+.2f})" if rows[1:] else "")
    return pd.DataFrame(rows)


def _run_arm(
    name: str,
    recipe: PretrainingRecipe,
    sources: Sources,
    query_network: TinyQueryNet,
    run: Path,
    pack: Path,
    minutes: float,
) -> None:
    recipe = replace(with_settings(recipe, ARMS[name]), steps=MANY_STEPS, full_rate_steps=0, contrastive=None)
    clock = Clock(60 * minutes, Allotted(recipe.peak_rate, recipe.descent))
    lightning.seed_everything(recipe.seed, verbose=False)
    start = LanguageSeparator(query_network, ResUNet(recipe.network))
    if name == "dual-path":
        start.network.bottleneck = DualPath(start.network.bottleneck, recipe.network.channels[-1])
    separator = pretrain(
        sources, run / name, recipe, start=start, callbacks=[clock], schedule=clock.schedule, prepared=run
    )
    torch.save(separator.network.state_dict(), run / name / "network.pt")
    found = [choose_by(separator, pack, sample_rate=recipe.sample_rate)]
    played = [each for each in recipe.instruments if each in INSTRUMENTS]
    bank = SourceBank(run / f"sources-{recipe.sample_rate}", "validation", played)
    gains = []
    with at_rate(separator, recipe.sample_rate):
        for item in MixtureDataset(bank, 200, 3.0, RANDOM_PAIRS, seed=2):
            mixture, target = item["mixture"][0].numpy(), item["target"][0].numpy()
            estimate = separator.separate(mixture, item["query"], progress=False)
            gains.append(sdr(target, estimate) - sdr(target, mixture))
    found.append(pd.DataFrame({"trial": RENDERED_PAIRS, "sdri": gains}))
    table = pd.concat(found, ignore_index=True).assign(arm=name, steps=clock.steps)
    write(run / name, {NUMBERS: table}, force=True)
