"""The command that writes a run up: `report`."""

from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force
from lass_lab.signal.files import InputError


def report(
    run: Annotated[Path | None, typer.Option(help="A fine-tuning run; by default yours, or else what ships.")] = None,
    out: Annotated[Path | None, typer.Option(help="The page; by default report.html in the run's folder.")] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Two runs to set side by side: folders, or their report.json.")
    ] = None,
    longest: Annotated[float | None, typer.Option(min=5, help="Use only so many seconds of each piece.")] = None,
    pairs: Annotated[int, typer.Option(min=2, help="How many mixtures of other instruments to measure on.")] = 30,
    force: Force = False,
) -> None:
    """Write one HTML page of what a run learnt: tables beside the paper's, figures, players, recipe, versions.

    With --compare, two runs side by side, by default in runs/comparison.html: from their reports where they have them,
    else measured as the other was.
    """
    import matplotlib

    matplotlib.use("agg")  # a page needs no window, and a server has none
    from lass_lab.course.ledger import runs_dir
    from lass_lab.course.report.report import compare_reports, write_report

    options = {"longest": longest, "pairs": pairs, "force": force}
    if compare and run:
        raise InputError("report: give --run or --compare, not both")
    if compare:
        print(compare_reports(compare, out or runs_dir() / "comparison.html", **options))
    else:
        print(write_report(run, out, **options))
