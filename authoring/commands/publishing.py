"""The authors' commands that publish: `notebooks`, `readme`, `pictures`, `site`, `colab`, `times`."""

from pathlib import Path
from typing import Annotated

import typer

from lass_lab.signal.files import InputError

notebooks = typer.Typer(help="Make the notebooks from their sources, and run them.")


@notebooks.command()
def build() -> None:
    """Write the notebooks whose sources changed."""
    from authoring.publishing.notebooks import build

    print("\n".join(f"made {path.name}" for path in build()) or "all up to date")


@notebooks.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Such as 00_welcome. By default all of them.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the copies. By default runs/course/DATE-TIME.")] = None,
    record_times: Annotated[
        bool, typer.Option("--record-times", help="Keep the times in notebooks/times.json.")
    ] = False,
) -> None:
    """Run the notebooks in order, keep them as they ran, and show the results."""
    from authoring.publishing.notebooks import new_folder, run_course

    run_course(names or [], out or new_folder(), record_times=record_times)


def readme(
    run: Annotated[
        list[str] | None, typer.Option(help="Name of a block to measure again, by its command. May be repeated.")
    ] = None,
) -> None:
    """Make the blocks of README.md again that follow from the files, and those that are named."""
    from authoring.publishing.readme import fill

    fill(run or [])


def pictures() -> None:
    """Draw the README's picture again, and print its path and its alt text."""
    from authoring.publishing.readme import draw_picture

    print(draw_picture())


def site(
    run: Annotated[
        Path | None, typer.Option(help="Folder of executed notebooks. By default the newest complete run.")
    ] = None,
    links: Annotated[bool, typer.Option("--links", help="Follow the links to the web as well.")] = False,
) -> None:
    """Make the course as a site to read, build/site."""
    from authoring.publishing.site import SITE, WORK, find_run, gather, is_complete, make_site

    if run and not is_complete(run):
        raise InputError(f"{run}: not a complete run of the course: a notebook is not there, or did not run to its end")
    run = run or find_run()
    print(f"The notebooks as they ran: {run}")
    gather(run, WORK / "pages")
    make_site(WORK, SITE, follow_links=links)
    print(f"The site: {SITE / 'index.html'}")


def colab() -> None:
    """Run the first notebooks in an environment such as Colab's (needs Python 3.13 and a network)."""
    from authoring.publishing.colab import check

    check()


def times(
    targets: Annotated[
        list[str] | None, typer.Argument(help="Make targets. By default setup, course and test.")
    ] = None,
) -> None:
    """Measure in a fresh clone how long make targets take, their memory and disk. It downloads every package anew."""
    from authoring.publishing.timing import time_targets

    print(time_targets(targets or ["setup", "course", "test"]))
