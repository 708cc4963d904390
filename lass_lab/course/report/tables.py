"""The tables of a report: its numbers as text, each with a caption, a heading a column and a heading a row."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lass_lab.course.report.numbers import SEEDS, Numbers, by_slice
from lass_lab.experiments.evaluation import DECIMALS, summarise
from lass_lab.experiments.paper_tables import METRICS, PAPER, PAPER_DECIMALS, paper_tables

NONE = "–"
HEADINGS = METRICS | {"SI-SDR": "SI-SDR (dB)"}
_PAPER_CHANGE = "after minus before"


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        caption: what it shows; every table has one.
        head: the columns' headings, that of the rows' headings first.
        groups: title ("" for none) -> rows, each beginning with its heading.
        words: its cells are words, not numbers.
    """

    caption: str
    head: tuple[str, ...]
    groups: dict[str, list[tuple[str, ...]]]
    words: bool = False


def number(value: float | None, metric: str, *, sign: bool = False, decimals: Mapping[str, int] = DECIMALS) -> str:
    """A value of a metric as it is written in every table; a dash where there is none."""
    if value is None or math.isnan(value):
        return NONE
    return f"{value:{'+' if sign else ''}z.{decimals.get(metric, 2)}f}"


def interval(row: Mapping[str, Any] | pd.Series, metric: str, *, mean: str = "mean", sign: bool = False) -> str:
    """A mean with its interval, "2.00 [1.50, 2.50]", or alone where it has none. It may break before the bracket."""
    text = number(row[mean], metric, sign=sign)
    if pd.isna(row["low"]):
        return text
    low, high = (number(row[end], metric, sign=sign) for end in ("low", "high"))
    return f"{text} [{low},\N{NO-BREAK SPACE}{high}]"


def beside_the_paper(numbers: Numbers) -> list[Table]:
    """A table a source, not by slices: the paper's rows, ours, and the floor and ceilings; a column a metric."""
    both = paper_tables(numbers.duets)
    first, last = numbers.ends
    tables = []
    for source in both.index.unique("source"):
        table = both.loc[source]
        others = [name for name in table.columns if name not in (*PAPER.values(), *numbers.stages)]
        before, after = (table[name] for name in PAPER.values())
        paper = [_row(name, table[name], decimals=PAPER_DECIMALS) for name in PAPER.values()]
        ours = [_row(name, table[name]) for name in numbers.stages]
        groups = {
            "The paper": [*paper, _row(_PAPER_CHANGE, after - before, sign=True, decimals=PAPER_DECIMALS)],
            "This run": [*ours, _row(f"{last} minus {first}", table[last] - table[first], sign=True)],
            "Floor and ceilings": [_row(name, table[name]) for name in others],
        }
        head = ("separator", *METRICS.values())
        tables.append(Table(f"The {source}: {_extent(numbers)}, beside the paper", head, groups))
    return tables


def _extent(numbers: Numbers) -> str:
    """What of each piece was measured as one."""
    return f"the first {numbers.longest:g} seconds of each piece" if numbers.longest else "whole pieces"


def slices(numbers: Numbers) -> list[Table]:
    """A table a piece and source: means over slices with 95% intervals, and what changed from first to last."""
    summary = summarise(numbers.duets, seed=SEEDS["bootstrap"])
    first, last = numbers.ends
    change = by_slice(numbers.duets, last, first)
    order = [name for name in summary["separator"].unique() if name not in numbers.stages]
    tables = []
    for (piece, source), rows in summary.groupby(["piece", "source"], sort=False):
        changed = change[(change["piece"] == piece) & (change["source"] == source)].set_index("metric")
        found = {
            name: [_means(each, rows[rows["separator"] == each].set_index("metric")) for each in names]
            for name, names in (("", list(numbers.stages)), ("Floor and ceilings", order))
        }
        change_row = {"Change, slice by slice": [_means(f"{last} minus {first}", changed, sign=True)]}
        groups = {"": found[""]} | change_row | {"Floor and ceilings": found["Floor and ceilings"]}
        caption = f"The {source} in {piece}: mean over {rows['slices'].max()} slices and its 95% interval"
        tables.append(Table(caption, ("separator", *HEADINGS.values()), groups))
    return tables


def changes(numbers: Numbers) -> list[dict[str, Any]]:
    """SDRi of each piece and source at the first stage and at the last, and the change between them by slice."""
    first, last = numbers.ends
    summary = summarise(numbers.duets, seed=SEEDS["bootstrap"]).query("metric == 'SDRi'")
    means = summary.set_index(["separator", "piece", "source"])["mean"]
    changed = by_slice(numbers.duets, last, first).query("metric == 'SDRi'")
    return [
        row | {"before": means[first, row["piece"], row["source"]], "after": means[last, row["piece"], row["source"]]}
        for row in changed.to_dict("records")
    ]


def probe_table(numbers: Numbers, probe: str, caption: str) -> Table:
    """A row a detail and a column a stage: the value and, where it has one, its interval."""
    rows = numbers.probes[numbers.probes["probe"] == probe]
    return _by_detail({name: rows[rows["separator"] == name] for name in numbers.stages}, caption)


def probe_values(numbers: Numbers, probe: str) -> dict[str, dict[str, float]]:
    """Detail -> stage -> value."""
    rows = numbers.probes[numbers.probes["probe"] == probe]
    return {detail: group.set_index("separator")["value"].to_dict() for detail, group in rows.groupby("detail")}


def times(numbers: Numbers) -> Table:
    """Steps and hours of each phase, and which weights each stage is."""
    rows = [(name, where, *_time(numbers.times.get(name))) for name, where in numbers.stages.items()]
    return Table("The stages, and how long each was trained", ("stage", "weights", "steps", "hours"), {"": rows})


def settings(told: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """A recipe of any depth as flat names, `phase1.epochs` for instance, and texts."""
    flat: dict[str, str] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            flat |= settings(value, "" if name == "recipe" else f"{prefix}{name}.")
        else:
            flat[prefix + name] = str(value)
    return flat


def plain_table(caption: str, head: tuple[str, str], rows: Mapping[str, str]) -> Table:
    """Names and texts."""
    return Table(caption, head, {"": list(rows.items())}, words=True)


def ledger_table(ledger: pd.DataFrame) -> Table:
    """What the notebooks recorded, a group a notebook."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for row in ledger.to_dict("records"):
        value = f"{row['value']:.4g}" if isinstance(row["value"], float) else str(row["value"])
        cells = (row["name"], value, row["unit"], row["profile"], row["time"][:16].replace("T", " "))
        groups.setdefault(row["notebook"], []).append(cells)
    head = ("result", "value", "unit", "profile", "time (UTC)")
    return Table("What the notebooks recorded", head, groups, words=True)


def side_by_side(runs: Mapping[str, Numbers]) -> list[Table]:
    """A table a source, a column a run beside the paper's; and by slices, each run against the first."""
    both = {name: paper_tables(numbers.duets) for name, numbers in runs.items()}
    one, *others = runs
    stages = list(dict.fromkeys(stage for numbers in runs.values() for stage in numbers.stages))
    printed = dict(zip((stages[0], stages[-1]), PAPER.values(), strict=True))
    tables = []
    for source in both[one].index.unique("source"):
        groups = {}
        for stage in stages:
            differences = [_against(runs[one], runs[other], stage, source) for other in others]
            groups[stage] = [
                (
                    HEADINGS[metric],
                    number(both[one].loc[source, metric].get(printed.get(stage)), metric, decimals=PAPER_DECIMALS),
                    *(number(table.loc[source, metric].get(stage), metric) for table in both.values()),
                    *(each.get(metric, NONE) for each in differences),
                )
                for metric in METRICS
            ]
        extra = (f"{other} minus {one}, by slices [95%]" for other in others)
        caption = f"The {source}: {_extent(runs[one])}, a column a run"
        tables.append(Table(caption, ("metric", "the paper", *runs, *extra), groups))
    return tables


def last_stages(runs: Mapping[str, Numbers], probe: str) -> pd.DataFrame:
    """A probe of the last stage of each run, each under its run's name."""
    tables = []
    for name, numbers in runs.items():
        rows = numbers.probes[(numbers.probes["probe"] == probe) & (numbers.probes["separator"] == numbers.ends[1])]
        tables.append(rows.assign(separator=name))
    return pd.concat(tables, ignore_index=True)


def compared_probe(runs: Mapping[str, Numbers], probe: str, caption: str) -> Table:
    """A row a detail and a column a run, of their last stages."""
    rows = last_stages(runs, probe)
    return _by_detail({name: rows[rows["separator"] == name] for name in runs}, caption)


def compared(caption: str, texts: Mapping[str, Mapping[str, str]]) -> Table:
    """The names whose texts differ from run to run, a column a run."""
    names = dict.fromkeys(name for told in texts.values() for name in told)
    rows = [(name, *(told.get(name, NONE) for told in texts.values())) for name in names]
    differing = [row for row in rows if len(set(row[1:])) > 1]
    return Table(caption, ("setting", *texts), {"": differing}, words=True)


def compared_times(runs: Mapping[str, Numbers]) -> Table:
    """Steps and hours of every phase of every run, and what each run is measured by."""
    groups = {}
    for name, numbers in runs.items():
        rows = [(phase, *_time(told)) for phase, told in numbers.times.items()]
        groups[name] = rows or [(NONE, NONE, NONE)]
    return Table("How long each phase was trained", ("phase", "steps", "hours"), groups)


def _row(name: str, values: pd.Series, **how: Any) -> tuple[str, ...]:
    return (name, *(number(values[metric], metric, **how) for metric in METRICS))


def _means(name: str, rows: pd.DataFrame, *, sign: bool = False) -> tuple[str, ...]:
    return (name, *(interval(rows.loc[metric], metric, sign=sign) for metric in HEADINGS))


def _by_detail(columns: Mapping[str, pd.DataFrame], caption: str) -> Table:
    details: Iterable[str] = dict.fromkeys(detail for rows in columns.values() for detail in rows["detail"])
    found = {name: rows.set_index("detail") for name, rows in columns.items()}
    rows = [
        (detail, *(interval(each.loc[detail], "SDRi", mean="value") if detail in each.index else NONE
                   for each in found.values()))
        for detail in details
    ]  # fmt: skip
    return Table(caption, ("query", *columns), {"": rows})


def _time(told: Mapping[str, float] | None) -> tuple[str, str]:
    return (f"{told['steps']:,.0f}", f"{told['hours']:.2f}") if told else (NONE, NONE)


def _against(one: Numbers, other: Numbers, stage: str, source: str) -> dict[str, str]:
    """Metric -> what the other has more than the one, over all slices; nothing where one lacks the stage."""
    if stage not in one.stages or stage not in other.stages:
        return {}
    parts = []
    for name, numbers in (("one", one), ("other", other)):
        rows = numbers.duets.query("separator == @stage and source == @source")
        places = rows["piece"] + " " + rows["start_s"].astype(str)  # of several pieces, all slices count alike
        parts.append(rows.assign(separator=name, piece="", start_s=places))
    change = by_slice(pd.concat(parts, ignore_index=True), "other", "one")
    return {row["metric"]: interval(row, row["metric"], sign=True) for row in change.to_dict("records")}
