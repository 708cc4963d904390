"""Results as a table to read in a notebook: one row a source and separator, one column a metric."""

from typing import TYPE_CHECKING

from lass_lab.signal.files import InputError

if TYPE_CHECKING:
    import pandas as pd

# How each metric is written, in the order of the columns.
_FORMATS = {
    "SDR": ("SDR (dB)", ".1f"),
    "SDRi": ("SDRi (dB)", ".1f"),
    "SI-SDR": ("SI-SDR (dB)", ".1f"),
    "correlation": ("correlation", ".3f"),
    "MSE": ("MSE", ".1e"),
}


def results_table(results: "pd.DataFrame", *, intervals: bool = False) -> "pd.DataFrame":
    """Long results as text in a wide table, sources and separators in the order in which they come.

    Args:
        results: columns separator, source, metric, value; with intervals also mean, low and high, as
            `lass_lab.experiments.evaluation.summarise` gives them.
        intervals: show the mean over slices with its interval, "2.0 [1.5, 2.5]", not the value.

    Returns:
        Text, with "–" where a metric was not measured.

    Raises:
        InputError: a column is missing, a metric is unknown, or an entry has two rows.
    """
    import pandas as pd

    wanted = ["separator", "source", "metric", *(("mean", "low", "high") if intervals else ("value",))]
    if missing := [name for name in wanted if name not in results]:
        raise InputError(f"results: lack the column {missing[0]}")
    if unknown := set(results["metric"]) - set(_FORMATS):
        raise InputError(f"results: no such metric: {min(unknown)}; there are {', '.join(_FORMATS)}")
    if (again := results[results.duplicated(wanted[:3])]).size:
        first = again.iloc[0]
        raise InputError(f"results: {first['metric']} of {first['separator']}, {first['source']} has two rows")
    entries: dict[tuple, dict] = {}
    for separator, source, metric, *numbers in results[wanted].itertuples(index=False, name=None):
        title, digits = _FORMATS[metric]
        number, *interval = (format(value, digits) for value in numbers)
        text = f"{number} [{', '.join(interval)}]" if intervals else number
        entries.setdefault((source, separator), {})[title] = text
    sources = list(dict.fromkeys(source for source, _ in entries))
    rows = sorted(entries, key=lambda row: sources.index(row[0]))
    columns = [title for title, _ in _FORMATS.values() if any(title in entry for entry in entries.values())]
    index = pd.MultiIndex.from_tuples(rows, names=["source", "separator"])
    return pd.DataFrame([entries[row] for row in rows], index, columns).fillna("–")
