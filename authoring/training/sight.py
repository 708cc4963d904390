"""The weights of notebook 10, which ship, and what each of its losses is worth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.nn import functional
from tqdm.auto import tqdm

from authoring.pages import page, write
from lass_lab.course.nb10.duets import HEARD, Clips
from lass_lab.course.nb10.eye import CAPTIONS, Eye, captions, latent_captions, practice_picture, strongest
from lass_lab.course.nb10.films import LOOKS, stage
from lass_lab.course.nb10.looker import WEIGHTS, Looker, load
from lass_lab.course.nb10.measuring import ASKS, answers, pairs, summary, trumpets, twins
from lass_lab.course.nb10.training import Recipe, train
from lass_lab.experiments.contrastive import TEMPERATURE, contrastive_loss
from lass_lab.models.sentence_encoder import SentenceEncoder
from lass_lab.models.separator import write_tensors
from lass_lab.signal.files import InputError, atomic_path, refuse_existing

BY_SIGHT = Recipe(captioned=0.0, trimodal=0.0, audio_language=0.0)  # the video loss alone: all arms begin so
START, NO_NOISE = "by sight alone", "by sight alone, without noise"  # their names in the tables
ALL_NO_NOISE = "all four losses, without noise"
RECIPE = Recipe(steps=200, rate=2e-3, seed=1)
ARMS = {  # what ships is the first; the others leave out one thing
    "all four losses": RECIPE,
    "no condition": replace(RECIPE, blind=True),
    "without audio-language": replace(RECIPE, audio_language=0.0),
    "without text": replace(RECIPE, captioned=0.0),
    "without video": replace(RECIPE, captioned=1.0),
    "without tri-modal": replace(RECIPE, trimodal=0.0),
}


def train_arms(run: Path, bank: Path) -> dict[str, Looker]:
    """Train the eye, find the captions, train by sight alone, then each arm from there; what is done stays.

    By sight alone it is trained twice, with noise on the condition and without; the arms go on from the first, and one
    with all losses, without noise, from the second.
    """
    clips, encoder = Clips("train", bank), SentenceEncoder().requires_grad_(False)
    torch.manual_seed(BY_SIGHT.seed)
    start = Looker(len(clips.looks))
    if not (run / "start" / WEIGHTS).exists():
        start.eye.load_state_dict(train_eye(seed=BY_SIGHT.seed).state_dict())
        caption_clips(start, clips, encoder)
        save(start, run / "start")
    arms = {}
    recipes = {START: BY_SIGHT, **ARMS}
    recipes |= {NO_NOISE: replace(BY_SIGHT, noise=0.0), ALL_NO_NOISE: replace(RECIPE, noise=0.0)}
    before = {START: "start", NO_NOISE: "start", ALL_NO_NOISE: _folder(NO_NOISE)}
    for name, recipe in recipes.items():
        folder = run / _folder(name)
        if not (folder / WEIGHTS).exists():
            looker = load(run / before.get(name, _folder(START)))
            history = train(looker, clips, recipe)
            with atomic_path(folder / "history.csv", force=True) as path:
                history.to_csv(path, index_label="step", float_format="%.5f")
            save(looker, folder)
        arms[name] = load(folder)
    return {name: arms[name] for name in [*ARMS, START, NO_NOISE, ALL_NO_NOISE]}


def train_eye(steps: int = 800, rate: float = 2e-3, seed: int = 0, progress: bool = True) -> Eye:
    """An eye trained contrastively; each batch holds a picture and a caption of every look."""
    torch.manual_seed(seed)
    rng, names = np.random.default_rng(seed), list(LOOKS)
    eye, encoder = Eye(), SentenceEncoder()
    with torch.no_grad():
        sentences = torch.stack([encoder(captions(name)) for name in names])
    optimizer = torch.optim.AdamW(eye.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for _ in tqdm(range(steps), desc="the eye", disable=not progress):
        pictures = torch.from_numpy(np.stack([practice_picture(rng, name) for name in names]))
        chosen = torch.from_numpy(rng.integers(len(CAPTIONS), size=len(names)))
        words = sentences[torch.arange(len(names)), chosen]
        seen = functional.normalize(eye(pictures).amax(-2), dim=-1)  # as a whole: the maximum over the regions
        loss = contrastive_loss(words, seen, TEMPERATURE)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return eye.eval().requires_grad_(False)


def caption_clips(looker: Looker, clips: Clips, encoder: SentenceEncoder, steps: int = 60) -> None:
    """Find each clip's caption without words, from some pictures of its film, and keep it."""
    rng = np.random.default_rng(0)
    moments = np.linspace(0, 12, 8, endpoint=False)
    films = [stage(rng, [look], [notes]).draw(moments) for look, notes in zip(clips.looks, clips.notes, strict=True)]
    with torch.no_grad():
        seen = strongest(looker.eye(torch.from_numpy(np.stack(films))))
    looker.captions.copy_(latent_captions(encoder, seen, steps)[0])


def save(looker: Looker, folder: Path) -> None:
    """Write its weights in float16 to `folder`."""
    write_tensors(
        {
            key: value.half().contiguous() if value.is_floating_point() else value
            for key, value in looker.state_dict().items()
        },
        folder / WEIGHTS,
    )


def _folder(arm: str) -> str:
    return arm.replace(", ", "-").replace(" ", "-")


def with_shipped_captions(looker: Looker) -> Looker:
    """The same looker with captions of the clips that ship, with which notebook 10 trains it further."""
    clips = Clips("train")
    shipped = Looker(len(clips.looks))
    shipped.load_state_dict({**looker.state_dict(), "captions": shipped.captions})
    caption_clips(shipped, clips, SentenceEncoder().requires_grad_(False))
    return shipped


def measure(arms: dict[str, Looker], duets: int) -> pd.DataFrame:
    """Every arm on the same duets of two instruments; the first also on two of a kind, and on the trumpet.

    Returns:
        One row for each arm, trial, source where that matters, way of asking and measure (SDRi in dB; points, a share):
        mean, low, high; behind, behind_low, behind_high, by how much the arm is behind the first one on the same duets.
    """
    clips, encoder, first, rows = Clips("test"), SentenceEncoder().requires_grad_(False), next(iter(arms)), []
    trials = {
        "two instruments": pairs(clips, duets),
        "two of a kind": twins(clips, duets),
        "trumpet": trumpets(clips, duets),
    }
    best = {}
    for arm, looker in arms.items():
        for trial, drawn in trials.items() if arm == first else list(trials.items())[:1]:
            table = answers(looker, encoder, drawn)
            parts = {"both": table} if trial != "trumpet" else dict(list(table.groupby("look")))
            for look, part in parts.items():
                for ask in ASKS:
                    blind = arm in ARMS and ARMS[arm].blind  # it knows no condition but that
                    asked = part[part["ask"] == ("by nothing" if blind else ask)].reset_index(drop=True)
                    for name in ("SDRi", "points"):
                        values = asked[name].astype(float)
                        behind = best.setdefault((trial, look, ask, name), values) - values
                        numbers = (*summary(values, asked["duet"]), *summary(behind, asked["duet"]))
                        rows.append((arm, trial, look, ask, name, *(round(number, 3) for number in numbers), duets))
    names = ("arm", "trial", "source", "ask", "measure", "mean", "low", "high")
    return pd.DataFrame(rows, columns=[*names, "behind", "behind_low", "behind_high", "duets"])


def write_card(out: Path, run: Path, bank: Path, duets: int = 60, force: bool = False) -> None:
    """Train what is not trained yet, measure it, and write the weights, their numbers and their card to `out`."""
    refuse_existing([out / name for name in ("README.md", "numbers.csv", WEIGHTS)], force)  # not after the training
    if not (bank / "notes.csv").is_file():
        raise InputError(f"{bank}: has no notes.csv; make it with: python -m authoring render notes --excerpts {bank}")
    arms = train_arms(run, bank)
    numbers = measure(arms, duets)
    histories = {name: pd.read_csv(run / _folder(name) / "history.csv") for name in arms}
    ends = pd.DataFrame({name: history.tail(50).mean() for name, history in histories.items()}).T.drop(columns="step")
    tables = {
        "by_arm": laid_out(numbers[numbers["trial"] == "two instruments"], "arm"),
        "shipped": laid_out(
            numbers[numbers["arm"] == next(iter(arms))].query("measure == 'SDRi'"), ["trial", "source"]
        ),
        "ends": ends.round(4).rename_axis("arm").reset_index(),
    }
    size = sum(parameter.numel() for parameter in next(iter(arms.values())).parameters())
    text = page(
        "sight.md",
        start=BY_SIGHT,
        recipe=RECIPE,
        clips=len(arms["no condition"].captions),
        bank=bank,
        size=size,
        duets=duets,
        heard=HEARD,
        **tables,
    )
    write(out, {"README.md": text, "numbers.csv": numbers}, force)
    save(with_shipped_captions(next(iter(arms.values()))), out)


def laid_out(numbers: pd.DataFrame, rows: str | list[str]) -> pd.DataFrame:
    """Means with their intervals as text, a column for each way of asking, and for pointing where it is there."""
    points = numbers["measure"] == "points"
    kept = numbers[~points | (numbers["ask"] == "by name")].copy()
    kept["column"] = kept["ask"].where(kept["measure"] == "SDRi", "points to its player")
    shown = kept.assign(
        text=[f"{row.mean:.2f} [{row.low:.2f}, {row.high:.2f}]" for row in kept[["mean", "low", "high"]].itertuples()]
    )
    order = [*ASKS, "points to its player"]
    table = shown.pivot(index=rows, columns="column", values="text")
    table = table.loc[shown.set_index(rows).index.unique(), [name for name in order if name in table]]
    return table.reset_index()
