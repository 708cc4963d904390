"""What several commands share."""

import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lass_lab.signal.files import InputError


def finite(option: typer.CallbackParam, number: float | None) -> float | None:
    """A callback for numbers: no range keeps NaN out. Raises InputError for NaN and the infinite."""
    if number is not None and not math.isfinite(number):
        raise InputError(f"{option.name}: needs a number, was given {number:g}")
    return number


def with_settings(recipe: Any, settings: Sequence[str]) -> Any:
    """A recipe, any dataclass, with settings such as "items.rehearsal=0.3" or "phase2.encoder=top".

    Raises:
        InputError: anything else than field=value, or as `changed`.
    """
    from lass_lab.experiments.recipes import changed

    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise InputError(f"--set {setting}: needs a field and a value, as in seed=1")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()  # a word without quotes
        for part in reversed(path.strip().split(".")):
            value = {part: value}
        recipe = changed(recipe, value)
    return recipe


Data = Annotated[Path | None, typer.Option(help="Duets as `lass-lab slice` writes them; by default the shipped ones.")]
Model = Annotated[str, typer.Option(help="tiny, audiosep, a folder, or a hub id.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
