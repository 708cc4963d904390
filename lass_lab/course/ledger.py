"""The ledger: the numbers that notebooks report, gathered in one file so that a run can end in one table."""

import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from filelock import FileLock

from lass_lab.course.profile import CHECKOUT, current
from lass_lab.signal.files import InputError, atomic_path

COLUMNS = ("notebook", "name", "value", "unit", "profile", "time")


def runs_dir() -> Path:
    """Return the folder for everything a run leaves behind: LASS_LAB_RUNS, or `runs` in the checkout."""
    return Path(os.environ.get("LASS_LAB_RUNS") or CHECKOUT / "runs").expanduser().resolve()


def ledger_path() -> Path:
    """Return where the ledger is, or will be."""
    return runs_dir() / "ledger.json"


def record(notebook: str, name: str, value: float | int | str | bool, unit: str = "") -> None:
    """Write one result down; the same name from the same notebook takes the place of the older result.

    Args:
        notebook: the notebook's file name without suffix, such as `03_pretrained_baseline`.
        name: what the value is, such as `SDRi of the violin`.
        value: a number (NumPy's and 0-d tensors too), a text or a truth value.
        unit: such as `dB`; empty where there is none.

    Raises:
        InputError: the value is not finite, is none of these kinds, or the file is not a ledger.
    """
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, float | int | str) or (isinstance(value, float) and not math.isfinite(value)):
        raise InputError(f"{name}: the ledger takes finite numbers and texts, not {value!r}")
    time = datetime.now(UTC).isoformat(timespec="seconds")
    row = dict(zip(COLUMNS, (notebook, name, value, unit, current().name, time), strict=True))
    path = ledger_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two notebooks open side by side would otherwise lose each other's rows between reading and writing.
    with FileLock(path.with_suffix(".lock")):
        rows = [old for old in _rows() if (old["notebook"], old["name"]) != (notebook, name)]
        with atomic_path(path, force=True) as temporary:
            text = json.dumps({"rows": [*rows, row]}, indent=1, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")


def read(notebook: str | None = None) -> pd.DataFrame:
    """Return the ledger as a table, one row a result, in order of notebook and then of writing.

    Args:
        notebook: give the rows of this one only.

    Returns:
        The columns notebook, name, value, unit, profile and time (UTC, ISO 8601); no rows where nothing was
        recorded.

    Raises:
        InputError: the file is not a ledger.
    """
    table = pd.DataFrame(_rows(), columns=list(COLUMNS)).astype({"value": object})
    if notebook is not None:
        table = table[table["notebook"] == notebook]
    return table.sort_values("notebook", kind="stable", ignore_index=True)


def _rows() -> list[dict]:
    path = ledger_path()
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        if not all(set(row) == set(COLUMNS) for row in rows):
            raise KeyError("a row's columns")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is not a ledger of results ({error}); move it away to start a new one") from error
    return rows
