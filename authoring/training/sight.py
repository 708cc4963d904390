"""The weights of notebook 10, which ship, and what each of its losses is worth."""

from dataclasses import replace
from pathlib import Path

import torch

from lass_lab.course.nb10.duets import Clips
from lass_lab.course.nb10.eye import train_eye
from lass_lab.course.nb10.looker import WEIGHTS, Looker, load, save
from lass_lab.course.nb10.training import Recipe, caption_clips, train
from lass_lab.models.sentence_encoder import SentenceEncoder
from lass_lab.signal.files import atomic_path

RECIPE = Recipe()
ARMS = {  # what ships is the first; the others leave out one thing
    "all four losses": RECIPE,
    "no condition": replace(RECIPE, blind=True),
    "without audio-language": replace(RECIPE, audio_language=0.0),
    "without text": replace(RECIPE, captioned=0.0),
    "without video": replace(RECIPE, captioned=1.0),
    "without tri-modal": replace(RECIPE, trimodal=0.0),
}


def train_arms(run: Path) -> dict[str, Looker]:
    """Train the eye, find the captions, then train each arm from one random start; those that are done stay."""
    clips, encoder = Clips("train"), SentenceEncoder().requires_grad_(False)
    torch.manual_seed(RECIPE.seed)
    start = Looker(len(clips.looks))
    if not (run / "start" / WEIGHTS).exists():
        start.eye.load_state_dict(train_eye(seed=RECIPE.seed).state_dict())
        caption_clips(start, clips, encoder)
        save(start, run / "start")
    arms = {}
    for name, recipe in ARMS.items():
        folder = run / name.replace(" ", "-")
        if not (folder / WEIGHTS).exists():
            looker = load(run / "start")
            history = train(looker, clips, recipe)
            with atomic_path(folder / "history.csv", force=True) as path:
                history.to_csv(path, index_label="step", float_format="%.5f")
            save(looker, folder)
        arms[name] = load(folder)
    return arms
