"""What several commands share."""

import math
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.signal.files import InputError


def finite(option: typer.CallbackParam, number: float | None) -> float | None:
    """A callback for numbers: no range keeps NaN out. Raises InputError for NaN and the infinite."""
    if number is not None and not math.isfinite(number):
        raise InputError(f"{option.name}: needs a number, was given {number:g}")
    return number


Data = Annotated[Path | None, typer.Option(help="Duets as `lass-lab slice` writes them; by default the shipped ones.")]
Model = Annotated[str, typer.Option(help="tiny, audiosep, a folder, or a hub id.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
