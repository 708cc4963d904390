"""The page of a report: one run, or two side by side, as HTML that needs no other file and no network."""

import math
from collections.abc import Mapping
from itertools import count, cycle
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure

from lass_lab.course.figures import figure_html, put_into_words
from lass_lab.course.live import running_mean
from lass_lab.course.players import player_html, player_script
from lass_lab.course.plots import COLOURS, compare_spectrograms
from lass_lab.course.report.numbers import Curve, Numbers
from lass_lab.datasets.duets import Piece
from lass_lab.experiments.evaluation import DECIMALS, FLOOR, ORACLES, SUBTRACTION, summarise
from lass_lab.experiments.paper_tables import METRICS, NOTE, PAPER, PAPER_DECIMALS, paper_tables
from lass_lab.models import LanguageSeparator

EXCERPT_S = 10.0  # of the figures and the players
_HEADINGS = METRICS | {"SI-SDR": "SI-SDR (dB)"}
_CHANGE = "change"  # how the names of what is a difference end: it is written with its sign
_PRINTED = (*PAPER.values(), f"paper's {_CHANGE}")
_KEYS = ["piece", "split", "source", "query", "extent", "start_s", "metric"]

Groups = dict[str, pd.DataFrame]  # a table of text: title of a group of rows, "" for none -> its rows


def report_page(
    numbers: Numbers, piece: Piece, separators: Mapping[str, LanguageSeparator], ledger: pd.DataFrame
) -> str:
    """The HTML of one report, with an excerpt of a piece to see and hear, and with what the notebooks recorded."""
    excerpt, where = find_excerpt(piece)
    sounds = {source: {"mixture": excerpt.mixture, f"true {source}": each} for source, each in excerpt.sources.items()}
    for name, separator in separators.items():
        estimates = separator.separate(excerpt.mixture, list(sounds), progress=False)
        for (source, known), estimate in zip(sounds.items(), estimates, strict=True):
            known[f"{name}: “{source}”"] = estimate
    recorded = {name: rows.set_index("name").drop(columns="notebook") for name, rows in ledger.groupby("notebook")}
    probed = numbers.probes.pivot(index="detail", columns="separator", values="value").to_dict("index")
    return make_page({numbers.name: numbers}, sounds=sounds, excerpt=where, ledger=recorded, probed=probed)


def find_excerpt(piece: Piece) -> tuple[Piece, str]:
    """The ten seconds in which the quieter of the sources is loudest, so that all of them play, and where that is."""
    rate, seconds = piece.sample_rate, min(EXCERPT_S, piece.seconds)
    size = round(seconds * rate)
    starts = range(0, len(piece.mixture) - size + 1, rate)
    quieter = [min(np.linalg.norm(each[start : start + size]) for each in piece.sources.values()) for start in starts]
    start = int(np.argmax(quieter))
    return piece.slice(start, seconds), f"{piece.title}, {seconds:g} seconds from {start // 60}:{start % 60:02d} on"


def make_page(runs: Mapping[str, Numbers], **single: Any) -> str:
    """The HTML of two runs side by side, measured on the same music, or of one, with what only that has (`single`)."""
    numbers, *others = runs.values()
    paper, slices, gains = _scores(runs)
    last = {run: each.probes[each.probes["separator"] == each.ends[1]] for run, each in runs.items()}
    probes = pd.concat(rows.assign(separator=run) for run, rows in last.items()) if others else numbers.probes
    loader = FileSystemLoader(Path(__file__).parent)
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    figure = count(1)
    return page.get_template("page.html.jinja").render(
        several=bool(others),
        runs=runs,
        numbers=numbers,
        note=NOTE,
        paper=paper,
        slices=slices,
        gains=gains,
        probes=dict(iter(probes.groupby("probe"))),
        curves={run: each.curves for run, each in runs.items() if each.curves},
        times={run if others else "": _times(each) for run, each in runs.items()},
        made={
            "The recipe": _settings({run: each.recipe or {} for run, each in runs.items()}),
            "The report": _settings({run: each.setup for run, each in runs.items()}),
        },
        figure=lambda plot, caption: figure_html(plot, f"Figure {next(figure)}. {caption}"),
        spectrograms=_spectrograms,
        player_html=player_html,
        player_script=player_script,
        show_training=show_training,
        by_detail=_by_detail,
        **single,
    )


def _scores(runs: Mapping[str, Numbers]) -> tuple[dict[str, Groups], dict[str, Groups], list[tuple]]:
    """Caption -> table beside the paper's; caption -> table by slices; and of SDRi by slices, four rows a source.

    Those are before, after, the change, and after by subtraction: where that was not measured, there are three.

    Changes within a run, and differences of two runs, are taken number by number, and so slice by slice. They stand in
    `evaluate`'s table as further separators, to be summed up as all others are.
    """
    found: dict[str, pd.Series] = {}  # separator -> its numbers
    groups: dict[str, dict[str, str]] = {}  # title -> what a row is called -> its separator
    for run, numbers in runs.items():
        for name, rows in numbers.duets.set_index(_KEYS).groupby("separator", sort=False):
            found[f"{run}: {name}"] = rows["value"]
        first, last = numbers.ends
        found[f"{run}: {_CHANGE}"] = found[f"{run}: {last}"] - found[f"{run}: {first}"]
        rows = [name for stage in numbers.stages for name in (stage, stage + SUBTRACTION)]
        groups[run] = {name: f"{run}: {name}" for name in rows if f"{run}: {name}" in found}
        groups[run][f"{last} minus {first}"] = f"{run}: {_CHANGE}"
    (one, numbers), *others = runs.items()
    for other, more in others:
        title = f"{other} minus {one}"
        groups[title] = {stage: f"{title}: {stage} {_CHANGE}" for stage in numbers.stages if stage in more.stages}
        found |= {name: found[f"{other}: {stage}"] - found[f"{one}: {stage}"] for stage, name in groups[title].items()}
    groups["Floor and ceilings"] = {name: f"{one}: {name}" for name in (FLOOR, *ORACLES)}
    table = pd.concat(found, names=["separator"]).rename("value").reset_index()

    extent = f"the first {numbers.longest:g} seconds of each piece" if numbers.longest else "whole pieces"
    paper, both = {}, paper_tables(table)
    both[_PRINTED[2]] = both[_PRINTED[1]] - both[_PRINTED[0]]
    printed = {"The paper": dict(zip((*_PRINTED[:2], "after minus before"), _PRINTED, strict=True))}
    for source, wide in both.groupby("source", sort=False):
        cells = wide.droplevel("source").apply(lambda column: [_text(column.name, *cell) for cell in column.items()])
        paper[f"The {source}: {extent}, beside the paper"] = _grouped(cells, printed | groups, METRICS)

    slices, summary = {}, summarise(table)
    summary["text"] = [_text(row.separator, row.metric, row.mean, row.low, row.high) for row in summary.itertuples()]
    for (piece, source), rows in summary.groupby(["piece", "source"], sort=False):
        cells = rows.pivot(index="metric", columns="separator", values="text")
        caption = f"The {source} in {piece}: mean over {rows['slices'].max()} slices and its 95% interval"
        slices[caption] = _grouped(cells, groups, _HEADINGS)
    gains = summary[summary["metric"] == "SDRi"].set_index("separator")
    names = [f"{one}: {name}" for name in (*numbers.ends, _CHANGE, numbers.ends[1] + SUBTRACTION)]
    told = [gains.loc[[name]].to_dict("records") for name in names if name in found]
    return paper, slices, list(zip(*told, strict=True))


def _grouped(cells: pd.DataFrame, groups: Mapping[str, Mapping[str, str]], headings: Mapping[str, str]) -> Groups:
    """Texts, a row a metric and a column a separator, as a table: a row a separator and a column a metric."""
    table = cells.loc[list(headings)].rename(headings).T
    return {
        title: table.loc[list(names.values())].set_axis(pd.Index(names, name="separator"))
        for title, names in groups.items()
    }


def _text(name: str, metric: str, value: float, low: float = math.nan, high: float = math.nan) -> str:
    """A separator's number, with its interval where it has one: "2.00 [1.50, 2.50]"."""
    if math.isnan(value):
        return "–"
    decimals = (PAPER_DECIMALS if name in _PRINTED else DECIMALS)[metric]
    write = f"{{:{'+' if name.endswith(_CHANGE) else ''}z.{decimals}f}}".format
    return write(value) if math.isnan(low) else f"{write(value)} [{write(low)},\N{NO-BREAK SPACE}{write(high)}]"


def _by_detail(rows: pd.DataFrame) -> Groups:
    """A probe's rows as a table: a row a detail and a column a separator."""
    texts = [_text("", row.metric, row.value, row.low, row.high) for row in rows.itertuples()]
    wide = rows.assign(text=texts).pivot_table("text", "detail", "separator", aggfunc="first", sort=False)
    return {"": wide.rename_axis("query")}


def _spectrograms(sounds: Mapping[str, np.ndarray]) -> Figure:
    figure = compare_spectrograms(sounds, max_khz=8, db_range=60)
    figure.set_size_inches(12, 3.2)
    return figure


def _times(numbers: Numbers) -> pd.DataFrame:
    """The weights of each stage, and steps and hours of each phase."""
    rows = {name: {"weights": where} | (numbers.times.get(name) or {}) for name, where in numbers.stages.items()}
    return pd.DataFrame(rows, ["weights", "steps", "hours"], dtype=object).T.rename_axis("stage")


def _settings(told: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Settings of any depth as text, a row a setting and a column a run; of two runs, what differs."""
    flat = [pd.json_normalize([dict(each)]).astype(str) for each in told.values()]
    table = pd.concat(flat, ignore_index=True).fillna("–").T.set_axis(list(told), axis=1).rename_axis("setting")
    table.index = table.index.str.removeprefix("recipe.").str.removeprefix("versions.")
    return table if len(told) == 1 else table[table.nunique(axis=1) > 1]


def show_training(runs: Mapping[str, Mapping[str, Mapping[str, Curve]]]) -> Figure:
    """Loss and validation SDRi of every run by optimiser step, a column a phase, all on common axes.

    Args:
        runs: run -> what `Numbers.curves` holds; at least one run has a curve.
    """
    phases = sorted({phase for curves in runs.values() for phase in curves})
    shared = {"sharex": "col", "sharey": "row", "squeeze": False}
    figure, axes = plt.subplots(2, len(phases), figsize=(10, 4.8), layout="constrained", **shared)
    for (kind, label), row in zip((("loss", "loss"), ("gain", "SDRi (dB)")), axes, strict=True):
        for phase, ax in zip(phases, row, strict=True):
            words = []
            for (run, curves), colour, line in zip(runs.items(), cycle(COLOURS), cycle(("-", "--")), strict=False):
                steps, values = np.reshape(curves.get(phase, {}).get(kind, ()), (-1, 2)).T
                if kind == "loss":
                    ax.plot(steps, values, ".", color=colour, alpha=0.4, markersize=4)
                    values = running_mean(values)
                ax.plot(steps, values, line, color=colour, label=run, marker="o" if kind == "gain" else None, ms=3)
                if len(values):
                    words.append(f"{run} from {values[0]:.3g} to {values[-1]:.3g}, {len(values)} points")
            ax.spines[["top", "right"]].set_visible(False)
            ax.set(title=phase, xlabel="optimiser step", ylabel=label)
            ax.label_outer()
            put_into_words(ax, f"{phase}, {label} by optimiser step: {'; '.join(words) or 'no log'}")
    if all(ax.dataLim.y0 >= 0 for ax in axes[0]):  # a loss in decibels may be negative
        axes[0, 0].set_ylim(0, None)
    figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False)
    return figure
