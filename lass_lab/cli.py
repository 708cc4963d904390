"""The command line, `lass-lab ...`."""

import ctypes
import errno
import os
import sys
from contextlib import suppress
from typing import Annotated

import typer

import lass_lab
from lass_lab.commands import measuring, separating, training
from lass_lab.signal.files import FULL, InputError, RunStopped

# Faults of the machine and its folders, and none of the program's.
_ELSEWHERE = FULL | {errno.EROFS, errno.EACCES, errno.ENAMETOOLONG, errno.EMFILE}
_MALLOC = {-3: 2**30, -1: 2**31 - 1}  # M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h: bytes

app = typer.Typer(
    help="Separate audio by typing what you want to hear.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a fault of ours is reported best by Python's own traceback
)


def run(app: typer.Typer) -> None:
    """Run a command line; bad input ends in one line and exit status 2, SIGTERM in 143, an interrupt in 130."""
    keep_memory()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a terminal may lack a letter of a file's name
    try:
        os.getcwd()
    except FileNotFoundError:
        print("lass-lab: the working directory is gone; go to another", file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(app(standalone_mode=False))
    except InputError as error:
        print(f"lass-lab: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno not in _ELSEWHERE:
            raise
        print(f"lass-lab: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    except RunStopped as error:
        print(f"lass-lab: {error}", file=sys.stderr)
        sys.exit(143)  # as after SIGTERM
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not hasattr(error, "format_message"):  # Click's, for options, wherever Typer has it from
            raise
        print(f"lass-lab: {error.format_message()}", file=sys.stderr)
        sys.exit(2)


def keep_memory() -> None:
    """Keep what is freed for what comes next: glibc hands large blocks back at once, and fresh ones take time to fill.

    Separating takes a seventh less time so. What a process holds at its peak stays the same.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            for option, value in _MALLOC.items():
                ctypes.CDLL(None).mallopt(option, value)


def main() -> None:
    """Run `lass-lab`."""
    run(app)


def _version(asked: bool) -> None:
    if asked:
        print(lass_lab.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Separate audio by typing what you want to hear."""


@app.command()
def doctor() -> None:
    """Show versions, cores, GPU, memory, weights and profile, and what to do about whatever is missing."""
    from lass_lab.course.doctor import doctor

    marks = {True: "ok", False: "!!", None: "  "}
    table = doctor()
    width = table["item"].str.len().max()
    for item, value, ok, advice in table.itertuples(index=False):
        print(f"{marks[ok]}  {item:{width}}  {value}" + (f"  ({advice})" if advice else ""))
    faults = sum(ok is False for ok in table["ok"])
    print(f"\n{faults} marked !! above: see the advice beside each." if faults else "\nEverything is here.")


for command in (
    separating.separate,
    measuring.evaluate,
    training.finetune,
    training.weights,
    training.export,
    measuring.report,
):
    app.command()(command)
app.command("slice")(training.slice_)


if __name__ == "__main__":
    main()
