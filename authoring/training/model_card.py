"""MODEL_CARD.md beside the weights: every number in it is measured as it is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from authoring.pages import page, write
from authoring.recordings.bank import players_of
from authoring.recordings.pack import read_pack
from authoring.training.choosing import HEARD, NOWHERE, REAL, SPOKEN, choose_by, summary
from authoring.training.pretraining import PretrainingRecipe, others_of
from lass_lab.commands.tables import format_summary
from lass_lab.datasets.duets import list_pieces
from lass_lab.datasets.instruments import INSTRUMENTS, SINGER, TAUGHT
from lass_lab.datasets.mixing import MixtureRecipe, SourceBank
from lass_lab.experiments.contrastive import evaluate_retrieval
from lass_lab.experiments.evaluation import RANDOM_PAIRS, bootstrap, evaluate, evaluate_mixtures, summarise
from lass_lab.experiments.losses import FLOOR_DB
from lass_lab.experiments.run_facts import hardware, run_facts
from lass_lab.models import LanguageSeparator, load_separator

LOSSES = {
    "l1": "the mean absolute error of the waveform",
    "relative-l1": "the mean absolute error of the waveform over the mixture's mean magnitude",
    "decibels": f"the error's energy against the mixture's, in dB, with a floor at {FLOOR_DB:.0f} dB",
}
UNHEARD = "random pairs in a SoundFont that nothing was trained on, SDRi (dB)"
REAL_TRIALS = {
    REAL: "real performances, random pairs of different instruments, SDRi (dB)",
    SPOKEN: "recorded speech from music, SDRi (dB)",
    HEARD: "a recorded everyday sound from music, SDRi (dB)",
    NOWHERE: "an absent instrument among real performances, estimate under mixture (dB)",
}
LEVEL = "an absent instrument, estimate under mixture (dB)"
TRIALS = {
    "random pairs of taught instruments, SDRi (dB)": RANDOM_PAIRS,
    "the same, asked in phrasings of its training, SDRi (dB)": replace(RANDOM_PAIRS, heldout_captions=False),
    "the same, asked by a sound instead of words, SDRi (dB)": replace(RANDOM_PAIRS, sounds=1.0),
    "two voices of one score, SDRi (dB)": replace(RANDOM_PAIRS, aligned=1.0),
    LEVEL: replace(RANDOM_PAIRS, absent=1.0),
}


def write_card(
    folder: Path,
    sources: Sequence[Path],
    run: Path,
    recipe: PretrainingRecipe,
    *,
    unheard: Path | None = None,
    pack: Path | None = None,
    pairs: int = 200,
) -> str:
    """Measure the separator in `folder` and write what it is beside it: MODEL_CARD.md, numbers.csv, history.json.

    Args:
        folder: what `save_pretrained` wrote.
        sources: the banks it was trained on; the test split of the first, which was not trained on, is measured.
        run: the pretraining run's folder, for its steps and time.
        recipe: how it was trained.
        unheard: a bank rendered with a SoundFont that nothing was trained on, to be measured as well.
        pack: the folder of the pack of recordings, whose solos are measured as well: what recipes were chosen by.
        pairs: mixtures a trial.

    Returns:
        The card's text.

    Raises:
        InputError: no weights, no sources, or no finished run.
    """
    separator = load_separator(folder, device="auto")
    numbers = measure(separator, sources[0], pairs)
    if unheard:
        further = measure(separator, unheard, pairs, {UNHEARD: RANDOM_PAIRS})
        numbers = pd.concat([numbers, further], ignore_index=True)
    if pack:
        real = summary(choose_by(separator, pack, pairs=pairs))
        named = real.assign(trial=real["trial"].map(REAL_TRIALS), mixtures=real["answers"])
        share = f"{real.set_index('trial').at[REAL, 'above']:.0%} of answers above 0 dB"
        named.loc[real["trial"] == REAL, "trial"] += f"; {share}"
        numbers = pd.concat([numbers, named[numbers.columns].round(2)], ignore_index=True)
    bank, query_network = SourceBank(sources, "train", recipe.instruments), separator.query_network
    fonts = sorted(bank.clips.loc[~bank.clips["recorded"], "soundfont"].unique())
    recorded = read_pack("note", "phrase", "percussion", "voice", "everyday") if bank.clips["recorded"].any() else None
    known = {} if recorded is None else recorded.groupby("library", sort=True)["licence"].first().to_dict()
    players = sum(len(players_of(name)) for name in (*INSTRUMENTS, SINGER.name)) if known else 0
    parts = (separator.network, query_network.projection, query_network.audio_tower)
    duets = list_pieces("test") + list_pieces("out-of-domain")
    run_told = {"hardware": hardware(), **run_facts(run), "recipe": asdict(recipe)}
    card = page(
        "model_card.md",
        run=run_told,
        recipe=recipe,
        sizes=[sum(parameter.numel() for parameter in part.parameters()) for part in parts],
        bank=bank,
        soundfonts=fonts,
        recorded=bool(known),
        libraries=list(known),
        players=players,
        credits=[f"{name} ({of})" for name, of in known.items()],
        distractors=others_of(sources, recipe) if recipe.mixtures.distractors else [],
        loss=LOSSES[recipe.loss],
        retrieval=evaluate_retrieval(query_network, SourceBank(sources[0], "test", TAUGHT)),
        numbers=numbers,
        duets=format_summary(summarise(evaluate({"tiny": separator}, duets))),
    )
    history = json.dumps([run_told], indent=1) + "\n"
    write(folder, {"numbers.csv": numbers, "history.json": history, "MODEL_CARD.md": card}, force=True)
    return card


def measure(
    separator: LanguageSeparator, sources: Path, pairs: int, trials: Mapping[str, MixtureRecipe] = TRIALS
) -> pd.DataFrame:
    """Every trial on held-out sources: columns trial, mean, low, high (95% bootstrap), mixtures."""
    rows = []
    for trial, recipe in trials.items():
        table = evaluate_mixtures(separator, sources, pairs=pairs, recipe=recipe)
        values = table["level" if trial == LEVEL else "sdri"].to_numpy()
        rows.append((trial, values.mean(), *bootstrap(values), len(values)))
    return pd.DataFrame(rows, columns=["trial", "mean", "low", "high", "mixtures"]).round(2)
