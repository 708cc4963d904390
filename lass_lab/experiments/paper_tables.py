"""The two tables of the paper this course follows, one a source, with our own columns beside the paper's."""

from textwrap import wrap

import pandas as pd

from lass_lab.experiments.evaluation import DECIMALS, FLOOR, ORACLES
from lass_lab.experiments.published import paper_results
from lass_lab.experiments.text_tables import aligned
from lass_lab.signal.files import InputError

PAPER = {"pretrained": "paper before", "fine-tuned": "paper after"}  # the paper's stages as columns
METRICS = {"SDR": "SDR (dB)", "SDRi": "SDRi (dB)", "correlation": "correlation", "MSE": "MSE"}
NOTE = (
    "The paper measured other recordings and does not say of what its correlation and MSE are: compare directions.\n"
    "SDR minus SDRi is the mixture's own SDR, the same for every separator that heard the same recording."
)
PAPER_DECIMALS = DECIMALS | {"MSE": 4}  # as printed there
_HEADING = 10  # characters a line of a column's heading, where its words allow


def paper_tables(table: pd.DataFrame) -> pd.DataFrame:
    """The paper's tables with our columns: `.loc["violin"]` is the one, `.loc["trumpet"]` the other.

    Args:
        table: what `evaluate` gives, for the stages of a fine-tuning run or for any separators. Only whole pieces
            count; where a source was measured on several pieces or by several queries, their plain mean does.

    Returns:
        Rows (source, metric): "SDR", "SDRi" (dB), "correlation" and "MSE" of the violin and the trumpet. Columns "paper
        before", "paper after"; then the separators in the table's order; then those of the floor ("mixture") and the
        ceilings ("ideal ratio mask", "phase-sensitive mask") that the table has.

    Raises:
        InputError: the table lacks a column, or has no whole piece with one of the two sources.
    """
    if missing := {"separator", "source", "extent", "metric", "value"} - set(table.columns):
        raise InputError(f"table: lacks the column {sorted(missing)[0]}; `evaluate` gives one that has it")
    paper = paper_results()
    whole = table[(table["extent"] == "piece") & table["metric"].isin(METRICS)]
    if absent := set(paper["source"]) - set(whole["source"]):
        raise InputError(f"table: has no whole piece with a {sorted(absent)[0]}, and the paper's tables are about it")
    published = paper.assign(separator=paper["stage"].map(PAPER))
    both = pd.concat([part[["separator", "source", "metric", "value"]] for part in (published, whole)])
    wide = both.groupby(["source", "metric", "separator"])["value"].mean().unstack("separator")
    rows = pd.MultiIndex.from_product([paper["source"].unique(), METRICS], names=["source", "metric"])
    last = [name for name in (FLOOR, *ORACLES) if name in wide]
    ours = [name for name in both["separator"].unique() if name not in last]  # the paper's own come first
    return wide.loc[rows, [*ours, *last]].rename_axis(columns=None)


def format_paper_tables(tables: pd.DataFrame) -> str:
    """What `paper_tables` gives as text: a table a source, headings on several lines, and how to read them.

    Seven separators beside the paper's two columns fit into 120 characters.
    """
    headings = {name: wrap(name, _HEADING, break_long_words=False) for name in tables.columns}
    height = max(map(len, headings.values()))
    rows: list[tuple[str, ...]] = []
    for source, table in tables.groupby(level="source", sort=False):
        columns = [[""] * (height - 1) + [source] + [METRICS[metric] for _, metric in table.index]]
        for name, lines in headings.items():
            decimals = PAPER_DECIMALS if name in PAPER.values() else DECIMALS
            numbers = [f"{value:.{decimals[metric]}f}" for (_, metric), value in table[name].items()]
            columns.append([""] * (height - len(lines)) + lines + numbers)
        rows += [*zip(*columns, strict=True), ("",)]
    return f"{aligned(rows)}\n{NOTE}"
