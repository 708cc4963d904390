"""Commands that measure separators: `evaluate`, and `report`, which writes a run up."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Data, Device, Force, finite
from lass_lab.signal.files import InputError, atomic_path


def evaluate(
    model: Annotated[list[str] | None, typer.Option(help="Separators to measure; by default tiny.")] = None,
    piece: Annotated[list[str] | None, typer.Option(help="Pieces; by default those of the test split.")] = None,
    longest: Annotated[
        float | None, typer.Option(callback=finite, min=5, help="Use only so many seconds of each piece.")
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Measure a fine-tuning run: paper (beside the paper's numbers) or probes.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="For --table: a fine-tuning run; by default the profile's, or else what ships.")
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(help="For the probe for forgetting: sources to mix; by default the shipped ones.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=2, help="For the same: how many mixtures.")] = 50,
    data: Data = None,
    music: Annotated[
        Path | None, typer.Option("--music-eval", help="AudioSep's list of mixtures, with its audio beside it.")
    ] = None,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(help="Also write every number to this CSV file.")] = None,
    force: Force = False,
) -> None:
    """Measure separators on the duets: SDR, SDRi, SI-SDR, spectral correlation and MSE.

    With --table, measure the stages of a fine-tuning run: pretrained, phase 1, phase 2, and each --model beside them.
    With --music-eval, measure on AudioSep's mixtures instead of the duets.
    """
    if table not in (None, "paper", "probes"):
        raise InputError(f"table '{table}': choose paper or probes")
    if table == "probes" and piece and len(piece) > 1:
        raise InputError(f"probes: need one --piece, and were given {len(piece)}")
    named = {}
    if table:
        from lass_lab.course.runs import find_stages, finetune_folder
        from lass_lab.experiments.finetuning import stages

        run = run or (folder if (folder := finetune_folder()).is_dir() else None)
        named = stages(run) if run else find_stages()
    named |= {name: name for name in model or ([] if table else ["tiny"])}

    from lass_lab.commands import tables
    from lass_lab.datasets import list_pieces, load_piece
    from lass_lab.experiments import evaluation, music_eval, paper_tables, probes
    from lass_lab.models import load_separator

    with atomic_path(out, force) if out else nullcontext() as path:  # what is in the way is named now, not afterwards
        if music:
            items = music_eval.read_music_eval(music)
        else:
            pieces = [load_piece(name, data) for name in dict.fromkeys(piece or list_pieces("test", data))]
            if not pieces:
                raise InputError("evaluate: there is no piece to test on; name one by --piece")
        separators = {name: load_separator(where, device=device) for name, where in named.items()}
        if music:
            numbers = music_eval.evaluate_items(separators, items)
            summary = music_eval.summarise_items(numbers)
            print(summary.to_string(index=False, na_rep="", float_format="{:.2f}".format))
        elif table == "probes":
            numbers = probes.probe(separators, piece=pieces[0], longest=longest, bank=sources, pairs=pairs)
            print(tables.format_probes(numbers))
        else:
            beside = {"oracles": table == "paper", "consistent": not table}
            numbers = evaluation.evaluate(separators, pieces, longest=longest, **beside)
            if table:
                print(tables.format_paper_tables(paper_tables.paper_tables(numbers)))
            else:
                print(tables.format_summary(evaluation.summarise(numbers)))
        if path:
            numbers.to_csv(path, index=False)


def report(
    run: Annotated[Path | None, typer.Option(help="A fine-tuning run; by default yours, or else what ships.")] = None,
    out: Annotated[Path | None, typer.Option(help="The page; by default report.html in the run's folder.")] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Two runs to set side by side, by their reports.")
    ] = None,
    longest: Annotated[
        float | None, typer.Option(min=5, callback=finite, help="Use only so many seconds of each piece.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=2, help="How many mixtures of other instruments to measure on.")] = 30,
    force: Force = False,
) -> None:
    """Write one HTML page of what a run learnt: tables beside the paper's, figures, players, recipe, versions.

    With --compare, two runs side by side, from their reports; by default in runs/comparison.html.
    """
    import matplotlib

    matplotlib.use("agg")  # a page needs no window, and a server has none
    from lass_lab.course.ledger import runs_dir
    from lass_lab.course.report.report import compare_reports, write_report

    if compare and run:
        raise InputError("report: give --run or --compare, not both")
    if compare:
        print(compare_reports(compare, out or runs_dir() / "comparison.html", force=force))
    else:
        print(write_report(run, out, longest=longest, pairs=pairs, force=force))
