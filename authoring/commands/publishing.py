"""The authors' commands that publish: `notebooks`, `readme`, `pictures`, `site`, `colab`, `bench`."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force
from lass_lab.signal.files import atomic_path

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
    record_times: Annotated[bool, typer.Option("--record-times", help="Keep times in notebooks/times.json.")] = False,
) -> None:
    """Run the notebooks in order, keep them as they ran, and show the results."""
    from authoring.publishing.notebooks import run_course

    run_course(names or [], out, record_times=record_times)


def readme(
    run: Annotated[list[str] | None, typer.Option(help="A block to measure again; may be repeated.")] = None,
) -> None:
    """Make the blocks of README.md again that follow from the files, and those that are named."""
    from authoring.publishing.readme import fill

    fill(run or [])


def pictures() -> None:
    """Draw the README's picture again, and print its path and its alt text."""
    from authoring.publishing.readme import draw_picture

    print(draw_picture())


def site(
    links: Annotated[bool, typer.Option("--links", help="Follow the links to the web as well.")] = False,
) -> None:
    """Make the course as a site to read, build/site, of its newest complete run."""
    from authoring.publishing.site import SITE, WORK, find_run, gather, make_site

    run = find_run()
    print(f"The notebooks as they ran: {run}")
    gather(run, WORK / "pages")
    make_site(WORK, SITE, follow_links=links)
    print(f"The site: {SITE / 'index.html'}")


def colab() -> None:
    """Run the first notebooks in an environment such as Colab's (needs Python 3.13 and a network)."""
    from authoring.publishing.colab import check

    check()


def bench(
    out: Annotated[Path | None, typer.Option(help="Also write the table to this page, FILE.md.")] = None,
    force: Force = False,
) -> None:
    """Measure speed and memory: every row a ratio against the plain float32 pass of the same network in this run."""
    from authoring.bench.benchmark import bench, bench_page

    with atomic_path(out, force) if out else nullcontext() as path:  # what is in the way is told now, not afterwards
        table = bench()
        print(table.to_string(index=False, na_rep=""))
        if path:
            path.write_text(bench_page(table), encoding="utf-8")
