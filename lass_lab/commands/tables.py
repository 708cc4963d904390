"""Tables of results as text, for the terminal and for the cards of the shipped weights."""

import numpy as np
import pandas as pd

from lass_lab.experiments.evaluation import DECIMALS
from lass_lab.experiments.paper_tables import METRICS, NOTE


def format_summary(summary: pd.DataFrame) -> str:
    """The summary as text: a row for each separator, piece and query, a column for each metric of the whole piece.

    SDRi also carries its slices' mean and 95% interval.
    """
    keys = ["piece", "source", "query", "separator"]
    wide = summary.pivot_table(index=keys, columns="metric", values="value", sort=False)[[*DECIMALS]]
    gain = summary[summary["metric"] == "SDRi"].set_index(keys)
    texts = [f"{row.mean:.2f} [{row.low:.2f}, {row.high:.2f}]" if row.slices else "-" for row in gain.itertuples()]
    wide["SDRi by slice [95%]"] = pd.Series(texts, gain.index)
    formatters = {name: f"{{:.{count}f}}".format for name, count in DECIMALS.items()}
    return wide.reset_index().to_string(index=False, formatters=formatters)


def format_paper_tables(tables: pd.DataFrame) -> str:
    """What `paper_tables` gives as text: a table a source, a line a separator, and below how to read them."""
    formatters = {METRICS[name]: f"{{:.{DECIMALS[name]}f}}".format for name in METRICS}
    formatters["MSE"] = lambda value: np.format_float_positional(value, precision=3, fractional=False, trim="-")
    texts = [
        table.droplevel("source").T.rename(columns=METRICS).rename_axis(columns=source).to_string(formatters=formatters)
        for source, table in tables.groupby(level="source", sort=False)
    ]
    return "\n\n".join([*texts, NOTE])


def format_probes(table: pd.DataFrame) -> str:
    """The table as text, all in dB: a line a number and one for its interval, a column a separator."""
    bounds = table.dropna(subset="low")
    bounds = bounds.assign(
        detail="  95% interval",
        text=[f"{low:.2f} to {high:.2f}" for low, high in zip(bounds["low"], bounds["high"], strict=True)],
    )
    lines = pd.concat([table.assign(text=table["value"].map("{:.2f}".format)), bounds]).sort_index(kind="stable")
    keys = ["probe", "detail", "metric"]
    wide = lines.pivot_table(index=keys, columns="separator", values="text", aggfunc="first", sort=False)
    return wide.rename_axis(columns="dB").to_string()
