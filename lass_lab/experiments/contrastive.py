"""A CLAP in miniature: words and sounds of one instrument drawn together, those of two pushed apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from lass_lab.datasets.captions import heldout_captions, training_captions
from lass_lab.datasets.mixing import SourceBank
from lass_lab.experiments.evaluation import SECONDS, bootstrap
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.signal.audio import SAMPLE_RATE

TEMPERATURE = 0.07  # where CLIP (Radford et al., 2021) starts, too
COLDEST = 0.01
MEASURES = ("text to audio, recall@1", "audio to text, recall@1", "instrument from the words alone")


@dataclass(frozen=True)
class ContrastiveRecipe:
    """Everything that decides the result of contrastive training. A batch holds every instrument once."""

    steps: int = 800
    seconds: float = 2.54
    rate: float = 1e-3
    weight_decay: float = 0.01
    seed: int = 0


def contrastive_loss(words: Tensor, sounds: Tensor, temperature: Tensor | float) -> Tensor:
    """Symmetric cross-entropy over a batch of pairs, each `(batch, size)` of unit vectors.

    Each text must find its own sound among all of the batch, and each sound its text (Radford et al., "CLIP", 2021,
    figure 3; Wu et al., "Large-scale contrastive language-audio pretraining", 2023, equation 1). Chance is
    `log(batch)`.
    """
    likeness = words @ sounds.T / temperature
    pairs = torch.arange(len(words), device=words.device)
    return (functional.cross_entropy(likeness, pairs) + functional.cross_entropy(likeness.T, pairs)) / 2


def train_contrastively(
    query_network: TinyQueryNet, bank: SourceBank, recipe: ContrastiveRecipe | None = None, *, progress: bool = True
) -> pd.DataFrame:
    """Train the words' projection and the audio tower together; the sentence encoder is frozen.

    Args:
        query_network: trained in place, left in eval mode.
        bank: the sounds, each instrument of which appears once in every batch.
        recipe: how.
        progress: show a progress bar.

    Returns:
        One row a step: loss, and the temperature, which is learnt.
    """
    recipe = recipe or ContrastiveRecipe()
    samples = round(recipe.seconds * SAMPLE_RATE)
    log_temperature = nn.Parameter(torch.tensor(float(np.log(TEMPERATURE))))
    towers = [*query_network.projection.parameters(), *query_network.audio_tower.parameters()]
    optimizer = torch.optim.AdamW(
        [{"params": towers, "weight_decay": recipe.weight_decay}, {"params": [log_temperature], "weight_decay": 0.0}],
        lr=recipe.rate,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=recipe.steps, pct_start=0.1)
    rows = []
    query_network.train()
    for step in tqdm(range(recipe.steps), desc="words and sounds", disable=not progress):
        rng = np.random.default_rng((recipe.seed, step))
        words = [str(rng.choice(training_captions(name))) for name in bank.instruments]
        sounds = [bank.cut(rng, name, samples) for name in bank.instruments]
        temperature = log_temperature.exp().clamp_min(COLDEST)
        loss = contrastive_loss(query_network(words), query_network(sounds), temperature)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        rows.append((float(loss.detach()), float(temperature.detach())))
    query_network.eval()
    return pd.DataFrame(rows, columns=["loss", "temperature"])


def evaluate_retrieval(query_network: TinyQueryNet, bank: SourceBank, *, cuts: int = 8) -> pd.DataFrame:
    """How well held-out words find held-out sounds, and how well they name their instrument, with and without training.

    Recall@1 is the share of queries whose nearest neighbour in the other modality is of their instrument. Instrument
    accuracy from the query alone: the nearest of the instruments' mean training phrasings is the right one.

    Args:
        query_network: the trained one.
        bank: sounds that training never used (split "test").
        cuts: for each instrument, of five seconds.

    Returns:
        One row a measure: `measure`, `contrastive` with `low` and `high` (shares of 1, 95% bootstrap over queries),
        `untrained` (sentence vectors, and towers at their random start), `chance`, and `queries`, their number.
    """
    rng = np.random.default_rng(3)
    names = bank.instruments
    sounds = [bank.cut(rng, name, round(SECONDS * SAMPLE_RATE)) for name in names for _ in range(cuts)]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        untrained = TinyQueryNet(encoder=query_network.encoder).eval()
    with torch.inference_mode():
        trained = _hits(query_network.eval(), names, sounds, query_network)
        before = _hits(untrained, names, sounds, query_network.encoder)
    rows = [
        (measure, hits.mean(), *bootstrap(hits), plain.mean(), 1 / len(names), len(hits))
        for measure, hits, plain in zip(MEASURES, trained, before, strict=True)
    ]
    return pd.DataFrame(rows, columns=["measure", "contrastive", "low", "high", "untrained", "chance", "queries"])


def _hits(
    network: TinyQueryNet, names: Sequence[str], sounds: Sequence[np.ndarray], sentences: nn.Module
) -> list[np.ndarray]:
    """For each of `MEASURES`, 1 where a query found its instrument, else 0."""
    heldout = [phrase for name in names for phrase in heldout_captions(name)]
    asked, played = (torch.arange(len(names)).repeat_interleave(len(each) // len(names)) for each in (heldout, sounds))
    likeness = (network(heldout) @ network(sounds).T).cpu()
    prototypes = torch.stack([sentences(list(training_captions(name))).mean(0).cpu() for name in names])
    vectors, prototypes = (functional.normalize(each, dim=-1) for each in (sentences(heldout).cpu(), prototypes))
    named = (vectors @ prototypes.T).argmax(1)
    found = (played[likeness.argmax(1)] == asked, asked[likeness.argmax(0)] == played, named == asked)
    return [hits.double().numpy() for hits in found]
