"""Settings that change a recipe."""

import tomllib
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from lass_lab.signal.files import InputError


def with_settings(recipe: Any, settings: Sequence[str]) -> Any:
    """A recipe, any dataclass, with settings such as "seed=1" or "mixtures.sounds=0.3"; raises InputError."""
    for setting in settings:
        path, equals, text = setting.partition("=")
        name, _, inner = path.partition(".")
        names = [field.name for field in fields(recipe)]
        if not equals or name not in names:
            raise InputError(f"--set {setting}: no such field; choose one of {', '.join(names)}")
        if inner:
            value = with_settings(getattr(recipe, name), [f"{inner}={text}"])
        else:
            try:
                value = tomllib.loads(f"value = {text}")["value"]
            except tomllib.TOMLDecodeError:
                value = text.strip()  # a word without quotes
        recipe = replace(recipe, **{name: value})
    return recipe
