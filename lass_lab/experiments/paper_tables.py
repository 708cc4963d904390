"""The results of the paper this course follows, and its two tables, one a source, with our own numbers beside them."""

from pathlib import Path

import pandas as pd

from lass_lab.experiments.evaluation import DECIMALS, FLOOR, ORACLES
from lass_lab.signal.files import InputError

METRICS = {"SDR": "SDR (dB)", "SDRi": "SDRi (dB)", "correlation": "correlation", "MSE": "MSE"}
PAPER = {"pretrained": "paper before", "fine-tuned": "paper after"}  # the paper's stages, as separators
PAPER_DECIMALS = DECIMALS | {"MSE": 4}  # as printed there
NOTE = (
    "The paper measured other recordings and does not say of what its correlation and MSE are: compare directions.\n"
    "SDR minus SDRi is the mixture's own SDR, the same for every separator of the same recording.\n"
    "Two more floors: silence has an SDR of 0 dB, and “by subtraction” is the mixture minus the other one's estimate."
)


def paper_results(stage: str | None = None) -> pd.DataFrame:
    """The numbers of the paper for AudioSep, on violin and trumpet duets, before and after fine-tuning; a row a number.

    The paper's recordings are not the course's, and it does not say of what its correlation and MSE are:
    these numbers give a direction, not a ranking.

    Args:
        stage: "pretrained", "fine-tuned", or None for both.

    Returns:
        The columns separator ("AudioSep pretrained, paper" for instance), stage, source, metric ("SDR" and
        "SDRi" in dB, "correlation", "MSE") and value.
    """
    printed = pd.read_csv(Path(__file__).parent / "files" / "paper_results.csv")
    rows = printed.melt(["stage", "source"], var_name="metric")
    rows.insert(0, "separator", "AudioSep " + rows["stage"] + ", paper")
    return rows if stage is None else rows[rows["stage"] == stage]


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
        InputError: the table has no whole piece with one of the two sources.
    """
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
