"""MODEL_CARD.md beside the weights: every number in it is measured as it is written."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

from lass_lab.datasets.duets import list_pieces
from lass_lab.datasets.instruments import TAUGHT
from lass_lab.datasets.mixing import MixtureRecipe, SourceBank
from lass_lab.experiments.evaluation import bootstrap, evaluate, evaluate_mixtures, format_summary, summarise
from lass_lab.experiments.pretraining import PretrainingRecipe
from lass_lab.models import LanguageSeparator, load_separator
from lass_lab.signal.files import InputError, atomic_path

HELD_OUT = {"third": 0.0, "level_db": 0.0, "heldout_captions": True}
TRIALS = {
    "random pairs of taught instruments, SDRi (dB)": (
        "sdri",
        MixtureRecipe(aligned=0.0, absent=0.0, **HELD_OUT),
    ),
    "two voices of one score, SDRi (dB)": ("sdri", MixtureRecipe(aligned=1.0, absent=0.0, **HELD_OUT)),
    "an absent instrument, estimate under mixture (dB)": (
        "level",
        MixtureRecipe(aligned=0.0, absent=1.0, **HELD_OUT),
    ),
}


def write_card(
    folder: str | Path,
    sources: str | Path,
    run: str | Path,
    recipe: PretrainingRecipe,
    *,
    pairs: int = 200,
    progress: bool = True,
) -> str:
    """Measure the separator in `folder` and write what it is to MODEL_CARD.md and numbers.csv beside it.

    Args:
        folder: what `save_pretrained` wrote.
        sources: the bank it was trained on; the test split, which it never heard, is measured.
        run: the pretraining run's folder, for its steps and time.
        recipe: how it was trained.
        pairs: mixtures a trial.

    Returns:
        The card's text.

    Raises:
        InputError: no weights, no sources, or no finished run.
    """
    folder, run = Path(folder), Path(run)
    separator = load_separator(folder, device="auto")
    numbers = measure(separator, sources, pairs, progress)
    duets = summarise(
        evaluate({"tiny": separator}, list_pieces("test") + list_pieces("out-of-domain"), progress=progress)
    )
    told = run_facts(run)
    with atomic_path(folder / "numbers.csv", force=True) as path:
        numbers.to_csv(path, index=False)
    text = _card(separator, numbers, format_summary(duets), told, recipe, Path(sources))
    with atomic_path(folder / "MODEL_CARD.md", force=True) as path:
        path.write_text(text)
    return text


def measure(separator: LanguageSeparator, sources: str | Path, pairs: int, progress: bool = True) -> pd.DataFrame:
    """Every trial on held-out sources and phrasings: columns trial, mean, low, high (95% bootstrap), mixtures."""
    rows = []
    for trial, (column, recipe) in TRIALS.items():
        values = evaluate_mixtures(separator, sources, pairs=pairs, recipe=recipe, progress=progress)[column]
        rows.append((trial, values.mean(), *bootstrap(values.to_numpy()), len(values)))
    return pd.DataFrame(rows, columns=["trial", "mean", "low", "high", "mixtures"]).round(2)


def run_facts(run: Path) -> dict[str, float]:
    """Steps done and hours taken, from the run's last checkpoint; those of all its parts where it was resumed."""
    checkpoint = run / "last.ckpt"
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint}: no such file; the card tells a finished run")
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)  # written by our own run
    elapsed = state["callbacks"]["Timer"]["time_elapsed"]
    return {"steps": state["global_step"], "hours": (elapsed["train"] + elapsed["validate"]) / 3600}


def _card(
    separator: LanguageSeparator,
    numbers: pd.DataFrame,
    duets: str,
    told: dict[str, float],
    recipe: PretrainingRecipe,
    sources: Path,
) -> str:
    bank = SourceBank(sources, "train", TAUGHT)
    hours = bank.clips["seconds"].sum() / 3600
    fonts = sorted(bank.clips["soundfont"].unique())
    learnt = [p for p in (*separator.network.parameters(), *separator.query_network.projection.parameters())]
    trials = "\n".join(_row(row) for row in numbers.itertuples(index=False))
    return f"""# tiny: the separator this course starts from

A ResUNet of AudioSep's layout ({sum(p.numel() for p in learnt):,} trained parameters, the query network's projection
included), told by MiniLM sentence vectors what to keep. It was never taught the trumpet: that is the course's work.

Written by `lass-lab pretrain`; every number below was measured by that command.

## Training

- {told["steps"]:,} steps of {recipe.batch} mixtures of {recipe.seconds:g} s, {told["hours"]:.2f} hours on
  {_hardware()}.
- Mixtures made on the fly from {hours:.1f} hours of rendered sources, {len(bank.clips):,} clips of
  {len(bank.instruments)} General MIDI instruments in {len(fonts)} SoundFonts
  ({", ".join(fonts)}): {", ".join(bank.instruments)}.
- Before it the query network's projection, on the phrasings of its {len(bank.instruments)} instruments alone:
  contrastively, each phrasing to find another of its own instrument among all. Then it stands still. Three phrasings
  of each instrument are held out throughout.
- AdamW at {recipe.peak_rate:g}, warmed up, held, then lowered to zero; mean absolute error of the waveform;
  seed {recipe.seed}.
- The whole recipe: `{json.dumps(asdict(recipe))}`

## What it was measured to do

On music of the test split (scores it never heard) and phrasings held out from training; 95% bootstrap intervals
over mixtures.

| | mean | 95% interval | mixtures |
|---|---|---|---|
{trials}

On the held-out duet, and on one rendered with a SoundFont that nothing was trained on. The same numbers:
`lass-lab evaluate --piece NAME`. SDR is the plain energy ratio, AudioSep's definition.

```
{duets}
```

## What it cannot do

- It has heard samplers only: no number here says how it does on recordings of players in a room.
- It knows the instruments named above. Speech, noises, voices and the trumpet are foreign to it.
- It separates by kind, not by player: of two violins, it gives both.
- Everything is mono at 32 kHz.

Licence: MIT for the code, CC BY 4.0 for the weights; sources by Frank Wen's FluidR3 and MuseScore_General (both MIT).
"""


def _row(row: Sequence) -> str:
    return f"| {row.trial} | {row.mean:.2f} | {row.low:.2f} to {row.high:.2f} | {row.mixtures} |"


def _hardware() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} CPU threads ({platform.machine()})"
