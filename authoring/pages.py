"""How what was measured is written down: a page in Markdown, of a template in templates/ and of facts."""

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lass_lab.experiments.run_facts import hardware
from lass_lab.signal.files import atomic_path


def page(template: str, **facts: Any) -> str:
    """A page of templates/`template`, which knows the facts, the command line, the day and the computer.

    In a template, `table | markdown` lays out a data frame, and `recipe | as_json` a dataclass or a dict.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"markdown": markdown, "as_json": as_json}
    command = f"python -m authoring {shlex.join(sys.argv[1:])}"
    told = {"command": command, "day": f"{date.today():%Y-%m-%d}", "hardware": hardware()}
    return environment.get_template(template).render(told | facts)


def markdown(table: pd.DataFrame) -> str:
    """A table of texts, and numbers that are rounded already, in Markdown; what is missing stays empty."""
    cells = table.map(lambda value: "" if pd.isna(value) else str(value)).to_numpy().tolist()
    return "\n".join(f"| {' | '.join(line)} |" for line in (table.columns, ["---"] * len(table.columns), *cells))


def as_json(facts: Any) -> str:
    """A dataclass, or facts in dicts and lists, in one line."""
    return json.dumps(asdict(facts) if is_dataclass(facts) else facts)


def write(folder: Path, contents: Mapping[str, str | pd.DataFrame], force: bool = False) -> None:
    """Write texts, and tables as CSV, to files by those names. Raises InputError as `atomic_path` does."""
    for name, content in contents.items():
        with atomic_path(folder / name, force) as path:
            if isinstance(content, str):
                path.write_text(content, encoding="utf-8")
            else:
                content.to_csv(path, index=False)
