"""What a report says, as numbers: measured once, kept as JSON beside the page, and read again to compare two runs."""

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lass_lab.course.profile import CHECKOUT, PACKAGES
from lass_lab.datasets.duets import list_pieces, load_piece
from lass_lab.experiments.evaluation import evaluate
from lass_lab.experiments.finetuning import MONITOR, RECIPE
from lass_lab.experiments.probes import forgetting, paraphrases
from lass_lab.experiments.run_facts import hardware, run_facts
from lass_lab.models import LanguageSeparator
from lass_lab.signal.files import InputError, data_dir

NUMBERS = "report.json"
SEEDS = {"mixtures": 2, "bootstrap": 0}  # of the report's own random draws; a run's seed is in its recipe
_FORMAT = 2
_TABLES = {"duets": ("start_s", "value"), "probes": ("value", "low", "high")}  # and their columns of numbers

Curve = Sequence[Sequence[float]]  # (step, value) pairs


@dataclass(frozen=True)
class Numbers:
    """All numbers of one report."""

    name: str  # the run's folder, or words that stand for the shipped weights
    stages: dict[str, str]  # stage -> its weights, by a name that says nothing of this computer's folders
    longest: float | None  # seconds of each piece that were measured; None for all
    pairs: int  # mixtures of other instruments
    duets: pd.DataFrame  # `evaluate`'s table, oracles included
    probes: pd.DataFrame  # "paraphrases" and "forgetting" of every stage, as `lass_lab.experiments.probes` gives them
    curves: dict[str, dict[str, Curve]]  # phase -> "loss" and "gain" (validation SDRi, dB), where it left a log
    times: dict[str, dict[str, float] | None]  # phase -> "steps" and "hours"; None where it left no checkpoint
    recipe: dict[str, Any] | None  # what `recipe.json` holds; None for the shipped weights
    setup: dict[str, Any]  # versions, hardware, commit, data and seeds of the report, and when it was written

    @property
    def ends(self) -> tuple[str, str]:
        """The first stage and the last."""
        first, *_, last = self.stages
        return first, last


def measure(
    stages: Mapping[str, str], separators: Mapping[str, LanguageSeparator], *, longest: float | None, pairs: int
) -> Numbers:
    """Measure every stage on the held-out duet and by two probes, and gather what the run left behind.

    `stages` are those of `lass_lab.experiments.finetuning.stages`, `separators` the same, opened; `longest` and `pairs`
    are the attributes of the result. Raises InputError as `evaluate` and the probes do.
    """
    home = run_folder(stages)
    pieces = [load_piece(name) for name in list_pieces("test")]
    duets, probes = evaluate(separators, pieces, longest=longest, oracles=True), []
    for name, separator in separators.items():
        probes.append(paraphrases(name, separator, pieces[0], longest=longest))
        probes.append(forgetting(name, separator, pairs=pairs, seed=SEEDS["mixtures"]))
    recipe = json.loads((home / RECIPE).read_text()) if home else None
    phases = {name: Path(where) for name, where in list(stages.items())[1:]}
    return Numbers(
        name=home.name if home else "what ships with the course",
        stages={name: _plain(where) for name, where in stages.items()},
        longest=longest,
        pairs=pairs,
        duets=duets,
        probes=pd.concat(probes, ignore_index=True),
        curves={name: curves for name, folder in phases.items() if (curves := read_curves(folder))},
        times={name: run_facts(at) if (at / "last.ckpt").is_file() else None for name, at in phases.items()},
        recipe=recipe and recipe | {"start": _plain(recipe["start"])},
        setup=_setup(),
    )


def run_folder(stages: Mapping[str, str]) -> Path | None:
    """The folder of the run whose phase is the last stage; None for the shipped weights."""
    folder = Path(list(stages.values())[-1]).parent
    return folder if (folder / RECIPE).is_file() else None


def read_curves(folder: Path) -> dict[str, Curve]:
    """Loss and validation SDRi by step from the logs of a phase; empty where it left none.

    A resumed run left several logs, and went over a few steps twice: the later log counts.
    """
    logs = sorted(folder.glob("log/version_*/metrics.csv"), key=lambda path: int(path.parent.name.split("_")[1]))
    tables = [pd.read_csv(path) for path in logs if path.stat().st_size]
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["step"])
    curves = {}
    for name, column in (("loss", "loss"), ("gain", MONITOR)):
        known = rows.reindex(columns=["step", column]).dropna().drop_duplicates("step", keep="last").sort_values("step")
        if len(known):
            curves[name] = [(int(step) + 1, float(value)) for step, value in known.to_numpy()]
    return curves


def as_json(numbers: Numbers) -> str:
    """The numbers as `read_numbers` reads them."""
    told = vars(numbers) | {"format": _FORMAT}
    for name in _TABLES:
        table = told[name]
        told[name] = table.astype(object).where(table.notna(), None).to_dict("split", index=False)
    return json.dumps(told, allow_nan=False, ensure_ascii=False) + "\n"


def read_numbers(path: Path) -> Numbers:
    """Read a report's numbers. Raises InputError where the file holds something else."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told.pop("format") != _FORMAT:
            raise ValueError("of another version of the course")
        for name, columns in _TABLES.items():
            table = pd.DataFrame(told[name]["data"], columns=told[name]["columns"])
            told[name] = table.astype(dict.fromkeys(columns, np.float64))
        return Numbers(**told)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: holds no numbers of a report ({error}); write the report again") from error


def git_commit() -> str | None:
    """The course's commit, ending in `-dirty` where files differ from it; None where there is no git."""
    here = [f"--git-dir={CHECKOUT / '.git'}", f"--work-tree={CHECKOUT}"]  # or git would search the folders above
    ask = ["git", *here, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(ask, capture_output=True, text=True, timeout=60).stdout.strip() or None
    except (OSError, subprocess.TimeoutExpired):
        return None


def _plain(where: str) -> str:
    """A name as it is; of a folder its last two parts."""
    path = Path(where)
    return "/".join(path.parts[-2:]) if path.is_absolute() or path.is_dir() else where


def _setup() -> dict[str, Any]:
    versions = {name: metadata.version(name) for name in (*PACKAGES, "peft", "pandas", "scipy", "matplotlib")}
    data = data_dir().resolve()
    return {
        "versions": {"Python": platform.python_version()} | versions,
        "hardware": f"{hardware()}, {platform.system()}",
        "commit": git_commit(),
        "data": None if data == (CHECKOUT / "data").resolve() else data.name,
        "seeds": SEEDS,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }
