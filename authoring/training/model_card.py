"""MODEL_CARD.md beside the weights: every number in it is measured as it is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from authoring.training.pretraining import HISTORY, PretrainingRecipe, read_history
from lass_lab.datasets.duets import list_pieces
from lass_lab.datasets.instruments import RENDERED, TAUGHT
from lass_lab.datasets.mixing import MixtureRecipe, SourceBank
from lass_lab.experiments.contrastive import evaluate_retrieval
from lass_lab.experiments.evaluation import (
    RANDOM_PAIRS,
    bootstrap,
    evaluate,
    evaluate_mixtures,
    format_summary,
    summarise,
)
from lass_lab.experiments.losses import IN_WORDS
from lass_lab.experiments.trainer import hardware, run_facts
from lass_lab.models import LanguageSeparator, load_separator
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import atomic_path

CREDITS = {  # folders of SoundFonts, as the commands that make them call them
    "recorded-notes": "the notes of tonejs-instruments (CC BY 3.0)",  # python -m authoring render notes
    "freepats": "the patches of FreePats (GPL 2 or later, with its exception for what is rendered)",  # render patches
}
HELD_OUT = {"level_db": 0.0, "heldout_captions": True}
UNHEARD = "random pairs in a SoundFont that nothing was trained on, SDRi (dB)"
TRIALS = {
    "random pairs of taught instruments, SDRi (dB)": (
        "sdri",
        MixtureRecipe(aligned=0.0, absent=0.0, **HELD_OUT),
    ),
    "the same, asked in phrasings of its training, SDRi (dB)": (
        "sdri",
        MixtureRecipe(aligned=0.0, absent=0.0, **HELD_OUT | {"heldout_captions": False}),
    ),
    "the same, asked by a sound instead of words, SDRi (dB)": (
        "sdri",
        MixtureRecipe(aligned=0.0, absent=0.0, sounds=1.0, **HELD_OUT),
    ),
    "two voices of one score, SDRi (dB)": ("sdri", MixtureRecipe(aligned=1.0, absent=0.0, **HELD_OUT)),
    "an absent instrument, estimate under mixture (dB)": (
        "level",
        MixtureRecipe(aligned=0.0, absent=1.0, **HELD_OUT),
    ),
}


def write_card(
    folder: str | Path,
    sources: Sequence[str | Path],
    run: str | Path,
    recipe: PretrainingRecipe,
    *,
    earlier: str | Path | None = None,
    unheard: str | Path | None = None,
    pairs: int = 200,
    progress: bool = True,
) -> str:
    """Measure the separator in `folder` and write what it is beside it: MODEL_CARD.md, numbers.csv, history.json.

    Args:
        folder: what `save_pretrained` wrote.
        sources: the banks it was trained on; the test split of the first, which it never heard, is measured.
        run: the pretraining run's folder, for its steps and time.
        recipe: how it was trained.
        earlier: the separator that it was averaged with, where the recipe does; that of its start unless told.
        unheard: a bank rendered with a SoundFont that nothing was trained on, to be measured as well.
        pairs: mixtures a trial.

    Returns:
        The card's text.

    Raises:
        InputError: no weights, no sources, or no finished run.
    """
    folder, run = Path(folder), Path(run)
    separator = load_separator(folder, device="auto")
    numbers = measure(separator, sources[0], pairs, progress, unheard=unheard)
    retrieval = evaluate_retrieval(separator.query_network, SourceBank(sources[0], "test", TAUGHT))
    duets = summarise(
        evaluate({"tiny": separator}, list_pieces("test") + list_pieces("out-of-domain"), progress=progress)
    )
    history = read_history(run)
    told = asdict(replace(recipe, network=separator.network.config))
    facts = run_facts(run) | {"hardware": hardware(), "recipe": told}
    if recipe.average < 1:
        theirs = read_history(Path(earlier)) if earlier else history
        ours, theirs = ([(entry["steps"], entry["hours"]) for entry in each] for each in (history, theirs))
        facts["averaged_with"] = len(theirs) if theirs == ours[: len(theirs)] else 0  # 0: of another lineage
    history.append(facts)
    with atomic_path(folder / "numbers.csv", force=True) as path:
        numbers.to_csv(path, index=False)
    with atomic_path(folder / HISTORY, force=True) as path:
        path.write_text(json.dumps(history, indent=1) + "\n")
    text = _card(separator, numbers, retrieval, format_summary(duets), history, sources)
    with atomic_path(folder / "MODEL_CARD.md", force=True) as path:
        path.write_text(text)
    return text


def measure(
    separator: LanguageSeparator,
    sources: str | Path,
    pairs: int,
    progress: bool = True,
    *,
    unheard: str | Path | None = None,
    trials: Mapping[str, tuple[str, MixtureRecipe]] = TRIALS,
    instruments: Sequence[str] = TAUGHT,
) -> pd.DataFrame:
    """Every trial on held-out sources of the instruments: columns trial, mean, low, high (95% bootstrap), mixtures."""
    trials = [(trial, sources, *how) for trial, how in trials.items()]
    if unheard:
        trials.append((UNHEARD, unheard, "sdri", RANDOM_PAIRS))
    rows = []
    for trial, folder, column, recipe in trials:
        values = evaluate_mixtures(
            separator, folder, instruments=instruments, pairs=pairs, recipe=recipe, progress=progress
        )[column]
        rows.append((trial, values.mean(), *bootstrap(values.to_numpy()), len(values)))
    return pd.DataFrame(rows, columns=["trial", "mean", "low", "high", "mixtures"]).round(2)


def _card(
    separator: LanguageSeparator,
    numbers: pd.DataFrame,
    retrieval: pd.DataFrame,
    duets: str,
    history: Sequence[Mapping[str, Any]],
    sources: Sequence[str | Path],
) -> str:
    bank = SourceBank(sources, "train", TAUGHT)
    hours = bank.clips["seconds"].sum() / 3600
    fonts = sorted(bank.clips["soundfont"].unique())
    network, query_network = separator.network, separator.query_network
    parts = (network, query_network.projection, query_network.audio_tower)
    unet, projection, tower = (sum(p.numel() for p in part.parameters()) for part in parts)
    runs = "\n".join(_run(number, entry) for number, entry in enumerate(history, 1))
    trials = "\n".join(_row(row) for row in numbers.itertuples(index=False))
    found = "\n".join(
        f"| {row.measure} | {row.contrastive:.1%} | {row.low:.1%} to {row.high:.1%} | {row.untrained:.1%} "
        f"| {row.chance:.1%} | {row.queries} |"
        for row in retrieval.itertuples(index=False)
    )
    details = "".join(f"\n- {detail}" for detail in _details(history))
    credits = "; ".join(
        ["Frank Wen's FluidR3 and MuseScore_General (both MIT)", *(CREDITS[font] for font in fonts if font in CREDITS)]
    )
    return f"""# tiny: the separator this course starts from

A ResUNet of AudioSep's layout ({unet:,} parameters) is told by a query network what to keep. The query network is a
CLAP in miniature: MiniLM sentence vectors and a projection ({projection:,} parameters) for words, a small log-mel audio
tower ({tower:,}) for sounds. It was never taught the trumpet: that is the course's work.

Written by `python -m authoring pretrain`; every number below was measured by that command.

## Training

- Rendered sources: {hours:.1f} hours, {len(bank.clips):,} clips of {len(bank.instruments)} General MIDI instruments
  in {len(fonts)} SoundFonts ({", ".join(fonts)}): {", ".join(bank.instruments)}.
- The query network first, contrastively: each phrasing to find a clip of its instrument among all of a batch, and each
  clip a phrasing (symmetric cross-entropy, learned temperature). Then it stands still. Three phrasings of each
  instrument are held out throughout.
- Then the separation network, on mixtures made on the fly and asked for by words or by a sound. AdamW; its rate
  warmed up, held, then lowered to zero.
- Loss: {_losses(history)}.{details}

{runs}

## The query network: do words find their sounds?

Phrasings and clips held out from training. Untrained: plain sentence vectors for the last row, towers at their random
start for the others. 95% bootstrap intervals over queries.

| | contrastive | 95% interval | untrained | chance | queries |
|---|---|---|---|---|---|
{found}

## The separator

On music of the test split (scores it never heard) and, unless told, phrasings held out from training; 95% bootstrap
intervals over mixtures.

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

Licence: MIT for the code, CC BY 4.0 for the weights; sources by {credits}.
"""


def _details(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """What only some recipes do, in words."""
    recipes = [entry["recipe"] for entry in history]
    details = []
    if any(recipe["mixtures"].get("distractors") for recipe in recipes):
        others = ", ".join(name for name in RENDERED if name not in TAUGHT)
        details.append(
            f"So that it learns to reject, some mixtures hold an instrument that is never asked for: {others}."
        )
    if share := max(recipe["mixtures"].get("equalised", 0) for recipe in recipes):
        details.append(
            f"So that no sampler is learnt by heart, {share:.0%} of the sources are filtered (see `equalise`)."
        )
    if max(recipe.get("lean", 0) for recipe in recipes):
        details.append("To bear unheard words: half of the conditions lean towards another instrument's (see `lean`).")
    return details


def _losses(history: Sequence[Mapping[str, Any]]) -> str:
    """What was lowered, in words: in the first run, and from where on something else."""
    told: dict[int, str] = {}
    for number, entry in enumerate(history):
        name = entry["recipe"].get("loss", "relative-l1")  # the first runs, which had no choice, do not say
        if name not in list(told.values())[-1:]:
            told[number] = name
    parts = [f"{f'from run {number + 1} on ' if number else ''}{IN_WORDS[name]}" for number, name in told.items()]
    return "; ".join(parts)


def _run(number: int, entry: Mapping[str, Any]) -> str:
    recipe = entry["recipe"]
    size = f"{recipe['batch']} mixtures of {recipe['seconds']:g} s"
    if (rate := recipe.get("sample_rate", SAMPLE_RATE)) != SAMPLE_RATE:
        size += f" at {rate / 1000:g} kHz (the bins below {rate / 2000:g} kHz, to save time)"
    told = f"{number}. {entry['steps']:,} steps of {size}, {entry['hours']:.2f} hours on {entry['hardware']}."
    if "averaged_with" in entry:
        share, run = recipe["average"], entry["averaged_with"]
        whose = f"those after run {run}" if run else "weights that none of these runs made"
        told += f" The result is {share:.0%} of its weights and {1 - share:.0%} of {whose}."
    return f"{told} The whole recipe: `{json.dumps(recipe)}`"


def _row(row: Sequence) -> str:
    return f"| {row.trial} | {row.mean:.2f} | {row.low:.2f} to {row.high:.2f} | {row.mixtures} |"
