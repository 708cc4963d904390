"""Training by sight: mixtures of two films' sounds, asked for by what is seen or by a caption without words."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from lass_lab.course.nb10.duets import SAMPLE_RATE, Clips, scene
from lass_lab.course.nb10.eye import strongest
from lass_lab.course.nb10.looker import Looker
from lass_lab.course.nb10.losses import audio_language, mask_error, trimodal
from lass_lab.models.sentence_encoder import SentenceEncoder

FRAMES = 3  # of the film of a training item, as in VAST


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result of training by sight.

    Each source of a mixture is asked for once, by sight or by its caption, as chance will have it; VAST asks both ways
    each time, and weights the text, tri-modal and audio-language losses by 0.001.

    Attributes:
        steps, batch: of training, and mixtures in each.
        seconds: of a mixture.
        rate: the highest learning rate; it rises for a tenth of the steps and falls for the rest.
        captioned: share of the sources asked for by their caption; 0 leaves out the text loss, 1 the video loss.
        noise: length of a random vector that is added to each condition, whose own length is one; the sum is scaled to
            length one. Words lie beside pictures (the modality gap), and what is beside a condition should get the
            same answer: Nukrai et al., "Text-only training for image captioning using noise-injected CLIP" (2022).
        trimodal, audio_language: weights of these losses.
        blind: the condition is nothing at all, whatever is asked for.
        seed: of everything.
    """

    steps: int = 2500
    batch: int = 8
    seconds: float = 0.62
    rate: float = 4e-3
    captioned: float = 0.5
    noise: float = 2.0
    trimodal: float = 0.01
    audio_language: float = 0.01
    blind: bool = False
    seed: int = 0


def draw_batch(clips: Clips, recipe: Recipe, step: int) -> dict[str, Tensor]:
    """The mixtures of a step, each of two.

    Returns:
        `sources` `(batch, 2, samples)`; of each, pictures of a film with its player among idle things, `film`
        `(batch, 2, frames, 32, 32)`; the clip's number, `clip`; `captioned`, whether its caption asks for it; and the
        condition's `noise` `(batch, 2, size)`.
    """
    rng = np.random.default_rng((recipe.seed, step))
    samples = round(recipe.seconds * SAMPLE_RATE)
    moments = np.linspace(0, recipe.seconds, FRAMES)
    duets = [clips.duet(rng, samples) for _ in range(recipe.batch)]
    noise = rng.standard_normal((recipe.batch, 2, SentenceEncoder.size))
    return {
        "sources": torch.from_numpy(np.stack([[cut.samples for cut in duet] for duet in duets])),
        "film": torch.from_numpy(np.stack([[scene(rng, cut).draw(moments) for cut in duet] for duet in duets])),
        "clip": torch.tensor([[cut.clip for cut in duet] for duet in duets]),
        "captioned": torch.from_numpy(rng.random((recipe.batch, 2)) < recipe.captioned),
        "noise": recipe.noise * functional.normalize(torch.from_numpy(noise).float(), dim=-1),
    }


def losses(looker: Looker, batch: dict[str, Tensor], blind: bool = False) -> dict[str, Tensor]:
    """The four losses of a batch: video, text, trimodal, audio-language. Where nobody is asked for so, one is zero."""
    sources, samples = batch["sources"].flatten(0, 1), batch["sources"].shape[-1]
    with torch.no_grad():
        regions = looker.eye(batch["film"]).flatten(0, 1)
    own, captioned = batch["clip"].flatten(), batch["captioned"].flatten()
    caption = looker.captions[own]
    condition = torch.where(captioned[:, None], caption, strongest(regions)) + batch["noise"].flatten(0, 1)
    condition = functional.normalize(condition, dim=-1) * (not blind)
    mixture = looker.spectrum(batch["sources"].sum(1)).repeat_interleave(2, dim=0)
    mask = looker.mask(looker.bands(mixture), condition)
    error = mask_error(mask, looker.bands(mixture), looker.bands(looker.spectrum(sources)))
    heard = looker.ear(looker.masked(mask, mixture, samples))
    return {
        "video": (error * ~captioned).sum() / len(error),
        "text": (error * captioned).sum() / len(error),
        "trimodal": trimodal(regions, caption, heard),
        "audio-language": audio_language(heard, looker.captions, own),
    }


def train(looker: Looker, clips: Clips, recipe: Recipe, progress: bool = True) -> pd.DataFrame:
    """Train separation network and ear; the eye is frozen and the captions stay. Leaves them in eval mode.

    Returns:
        One row a step: each loss, unweighted.
    """
    learning = [*looker.network.parameters(), *looker.ear.parameters()]
    optimizer = torch.optim.AdamW(learning, lr=recipe.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=recipe.steps, pct_start=0.1)
    weights = {"trimodal": recipe.trimodal, "audio-language": recipe.audio_language}
    rows = []
    looker.train()
    for norm in looker.network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 0.05  # 0.01 is for long training: after 200 steps an eighth would be what it began with
    with torch.enable_grad():
        for step in tqdm(range(recipe.steps), desc="by sight", disable=not progress):
            found = losses(looker, draw_batch(clips, recipe, step), recipe.blind)
            optimizer.zero_grad()
            sum(weights.get(name, 1.0) * loss for name, loss in found.items()).backward()
            optimizer.step()
            schedule.step()
            rows.append({name: float(loss.detach()) for name, loss in found.items()})
    looker.eval()
    return pd.DataFrame(rows)
