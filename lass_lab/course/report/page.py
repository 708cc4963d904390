"""The page of a report: what its template is filled with, and how it is filled."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lass_lab.course.figures import figure_html
from lass_lab.course.players import players
from lass_lab.course.plots import compare_spectrograms
from lass_lab.course.report import tables as report_tables
from lass_lab.course.report.numbers import SEEDS, Numbers
from lass_lab.course.report.plots import show_details, show_training
from lass_lab.course.runs import SHIPPED_STAGES
from lass_lab.datasets.duets import Piece
from lass_lab.experiments.paper_tables import NOTE
from lass_lab.models import LanguageSeparator

EXCERPT_S = 10.0  # seen in the figures and heard in the players
MAX_KHZ = 8
_HEADINGS = {
    "short": "In short",
    "music": "What was measured, and on what",
    "tables": "Beside the paper",
    "figures": "Figures 1 and 2",
    "listen": "Listen",
    "training": "How training went",
    "words": "Other words",
    "others": "What was kept of other instruments",
    "made": "How this was made",
    "ledger": "The ledger",
}
_COMPARED = ("music", "tables", "training", "words", "others", "made")


def report_page(
    numbers: Numbers, piece: Piece, separators: Mapping[str, LanguageSeparator], ledger: pd.DataFrame
) -> str:
    """The HTML of one report.

    Args:
        numbers: of the run.
        piece: what to see and hear an excerpt of.
        separators: stage -> separator, as they were measured.
        ledger: as `lass_lab.course.ledger.read` gives it.
    """
    first, last = numbers.ends
    words, others = (report_tables.probe_values(numbers, probe) for probe in ("paraphrases", "forgetting"))
    excerpt, where = find_excerpt(piece)
    figures, sounds = _seen_and_heard(excerpt, separators)
    recipe = report_tables.settings(numbers.recipe) if numbers.recipe else None
    return _render(
        "report.html.jinja",
        title=f"the run {numbers.name}" if numbers.recipe else "the separator that ships",
        contents=_HEADINGS,
        numbers=numbers,
        first=first,
        last=last,
        shipped=any(SHIPPED_STAGES.get(name) == where for name, where in numbers.stages.items() if name != first),
        changes=report_tables.changes(numbers),
        words_kept={
            source: {kind: words[f"{source}: {kind} of the held-out"] for kind in ("mean", "worst")}
            for source in excerpt.sources
        },
        kept=others["mean"],
        note=NOTE,
        paper=report_tables.beside_the_paper(numbers),
        slices=report_tables.slices(numbers),
        excerpt=where,
        spectrograms=figures,
        players=sounds,
        training=_training({numbers.name: numbers.curves}, 3),
        times=report_tables.times(numbers),
        paraphrases=_dots(
            numbers.probes.query("probe == 'paraphrases' and n == 1"),
            "Figure 4. SDRi of each stage by the plain word and by phrasings that no training asks for.",
        ),
        paraphrase_table=report_tables.probe_table(numbers, "paraphrases", "SDRi (dB) by phrasing and stage"),
        forgetting=_dots(
            numbers.probes.query("probe == 'forgetting'"),
            "Figure 5. SDRi of each stage for instruments that no duet holds.",
        ),
        forgetting_table=report_tables.probe_table(numbers, "forgetting", "SDRi (dB) by instrument and stage"),
        recipe=recipe and report_tables.plain_table("The recipe", ("setting", "value"), recipe),
        setup=report_tables.plain_table("Where and by what this was measured", ("what", "value"), _setup(numbers)),
        ledger=report_tables.ledger_table(ledger) if len(ledger) else None,
    )


def comparison_page(runs: Mapping[str, Numbers]) -> str:
    """The HTML of runs side by side, all measured on the same music."""
    one = next(iter(runs.values()))
    paraphrases, forgetting = (report_tables.last_stages(runs, probe) for probe in ("paraphrases", "forgetting"))
    return _render(
        "comparison.html.jinja",
        contents={name: _HEADINGS[name] for name in _COMPARED},
        runs=list(runs),
        longest=one.longest,
        pairs=one.pairs,
        data=one.setup["data"],
        note=NOTE,
        tables=report_tables.side_by_side(runs),
        training=_training({name: numbers.curves for name, numbers in runs.items()}, 1),
        times=report_tables.compared_times(runs),
        paraphrases=_dots(
            paraphrases.query("n == 1"),
            "Figure 2. SDRi of each run by the plain word and by phrasings that no training asks for.",
        ),
        paraphrase_table=report_tables.compared_probe(runs, "paraphrases", "SDRi (dB) by phrasing and run"),
        forgetting=_dots(forgetting, "Figure 3. SDRi of each run for instruments that no duet holds."),
        forgetting_table=report_tables.compared_probe(runs, "forgetting", "SDRi (dB) by instrument and run"),
        recipes=report_tables.compared(
            "Where the recipes differ",
            {name: report_tables.settings(numbers.recipe or {}) for name, numbers in runs.items()},
        ),
        setups=report_tables.compared(
            "Where the reports' own versions, hardware or time differ",
            {name: _setup(numbers) for name, numbers in runs.items()},
        ),
    )


def find_excerpt(piece: Piece) -> tuple[Piece, str]:
    """The ten seconds in which the quieter of the sources is loudest, so that all of them play, and where that is."""
    rate, seconds = piece.sample_rate, min(EXCERPT_S, piece.seconds)
    size = round(seconds * rate)
    starts = np.arange(0, len(piece.mixture) - size + 1, rate)
    sums = [np.concatenate([[0.0], np.cumsum(np.square(each, dtype=np.float64))]) for each in piece.sources.values()]
    quieter = np.min([total[starts + size] - total[starts] for total in sums], axis=0)
    start = int(starts[quieter.argmax()]) // rate
    told = f"{piece.title}, {seconds:g} seconds from {start // 60}:{start % 60:02d} on"
    return piece.slice(start, seconds), told


def _seen_and_heard(excerpt: Piece, separators: Mapping[str, LanguageSeparator]) -> tuple[list[str], dict[str, str]]:
    """A figure of spectrograms a source, and source -> its row of players."""
    sources = list(excerpt.sources)
    estimates = {name: each.separate(excerpt.mixture, sources, progress=False) for name, each in separators.items()}
    figures, sounds = [], {}
    for place, source in enumerate(sources):
        known = {"mixture": excerpt.mixture, f"true {source}": excerpt.sources[source]}
        found = {name: of_stage[place] for name, of_stage in estimates.items()}
        figure = compare_spectrograms(known | found, max_khz=MAX_KHZ, db_range=60)
        figure.set_size_inches(12, 3.2)
        caption = f"Figure {place + 1}. The {source}: mixture, target, and each stage's estimate for “{source}”."
        figures.append(figure_html(figure, caption).data)
        asked = {f"{name}, asked for “{source}”": estimate for name, estimate in found.items()}
        sounds[source] = players(known | asked).data
    return figures, sounds


def _training(runs: Mapping[str, Any], figure: int) -> str | None:
    if not any(runs.values()):
        return None
    caption = (
        f"Figure {figure}. Above, the loss: a dot an entry of the log, a line their running mean. Below, SDRi on the "
        "validation slices, the last 30 seconds of each training piece."
    )
    return figure_html(show_training({name: curves for name, curves in runs.items() if curves}), caption).data


def _dots(table: pd.DataFrame, caption: str) -> str:
    return figure_html(show_details(table), caption).data


def _setup(numbers: Numbers) -> dict[str, str]:
    return {
        "written (UTC)": numbers.setup["written"][:16].replace("T", " "),
        "git commit of the code": numbers.setup["commit"] or "none: no git here",
        "hardware": numbers.setup["hardware"],
        **{f"seed of the {name}": str(seed) for name, seed in SEEDS.items()},
        **numbers.setup["versions"],
    }


def _render(template: str, **context: Any) -> str:
    """A template of `templates/`, filled; what it does not call safe is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**context)
