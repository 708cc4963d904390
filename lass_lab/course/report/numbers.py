"""What a report tells, as numbers: measured once, kept as JSON beside the page, and read again to compare runs."""

import hashlib
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
from lass_lab.experiments.evaluation import bootstrap, evaluate
from lass_lab.experiments.finetuning import MONITOR, RECIPE
from lass_lab.experiments.probes import forgetting, paraphrases
from lass_lab.experiments.trainer import hardware, run_facts
from lass_lab.models import LanguageSeparator
from lass_lab.models.separator import WEIGHTS
from lass_lab.signal.files import InputError, atomic_path, data_dir

NUMBERS = "report.json"
SEEDS = {"mixtures": 2, "bootstrap": 0}  # of what the report itself draws; a run's own is in its recipe
_FORMAT = 1
_TABLES = ("duets", "probes")

Curve = Sequence[Sequence[float]]  # (step, value) pairs


@dataclass(frozen=True)
class Numbers:
    """All numbers of one report.

    Attributes:
        name: of the run's folder, or what is said in its place.
        stages: stage -> its weights, by a name that tells nothing of this computer's folders.
        weights: phase -> SHA-256 of its weights; none for what ships.
        longest: seconds of each piece that were measured; None for all.
        pairs: mixtures of other instruments.
        duets: `evaluate`'s table, oracles included.
        probes: the probes "paraphrases" and "forgetting" of every stage, in their module's table.
        curves: phase -> "loss" and "gain" (SDRi on the validation slices, dB) by optimiser step, where it left a log.
        times: phase -> "steps" and "hours", or None where it left no checkpoint.
        recipe: what `recipe.json` holds; None for what ships.
        setup: versions, hardware, commit and data of the report, and when it was written.
    """

    name: str
    stages: dict[str, str]
    weights: dict[str, str]
    longest: float | None
    pairs: int
    duets: pd.DataFrame
    probes: pd.DataFrame
    curves: dict[str, dict[str, Curve]]
    times: dict[str, dict[str, float] | None]
    recipe: dict[str, Any] | None
    setup: dict[str, Any]

    @property
    def ends(self) -> tuple[str, str]:
        """The first stage and the last."""
        first, *_, last = self.stages
        return first, last


def measure(
    stages: Mapping[str, str],
    separators: Mapping[str, LanguageSeparator],
    *,
    longest: float | None = None,
    pairs: int = 30,
    progress: bool = True,
) -> Numbers:
    """Measure every stage on the held-out duet and by two probes, and gather what the run left behind.

    Args:
        stages: as `lass_lab.experiments.finetuning.stages` gives them.
        separators: the same stages, opened.
        longest: use only so many seconds of each piece.
        pairs: mixtures of other instruments, to see what was forgotten.

    Raises:
        InputError: as `evaluate` and the probes.
    """
    home = run_folder(stages)
    pieces = [load_piece(name) for name in list_pieces("test")]  # read once, whoever measures
    duets = evaluate(separators, pieces, longest=longest, oracles=True, progress=progress)
    probes = []
    for name, separator in separators.items():
        probes.append(paraphrases(name, separator, pieces[0], longest=longest))
        probes.append(forgetting(name, separator, pairs=pairs, seed=SEEDS["mixtures"], progress=progress))
    phases = {name: Path(where) for name, where in list(stages.items())[1:]}
    told = json.loads((home / RECIPE).read_text()) if home else None
    return Numbers(
        name=home.name if home else "what ships with the course",
        stages={name: _plain(where) for name, where in stages.items()},
        weights=digests(stages) if home else {},
        longest=longest,
        pairs=pairs,
        duets=duets,
        probes=pd.concat(probes, ignore_index=True),
        curves={name: curves for name, folder in phases.items() if (curves := read_curves(folder))},
        times={name: _facts(folder) for name, folder in phases.items()},
        recipe=told and told | {"start": _plain(told["start"])},
        setup=_setup(),
    )


def run_folder(stages: Mapping[str, str]) -> Path | None:
    """The folder of the run whose phase is the last stage; None for what ships."""
    folder = Path(list(stages.values())[-1]).parent
    return folder if (folder / RECIPE).is_file() else None


def digests(stages: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of the weights of every phase that is a folder: numbers of other weights are of another run."""
    found = {}
    for name, where in list(stages.items())[1:]:
        if (path := Path(where) / WEIGHTS).is_file():
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def read_curves(folder: Path) -> dict[str, Curve]:
    """Loss and validation SDRi by step from the logs of a phase; empty where it left none.

    A run that was resumed left several logs, and went over a few steps twice: the later log counts.
    """
    logs = sorted(folder.glob("log/version_*/metrics.csv"), key=lambda path: int(path.parent.name.split("_")[1]))
    logs = [path for path in logs if path.stat().st_size]
    if not logs:
        return {}
    rows = pd.concat([pd.read_csv(path) for path in logs], ignore_index=True)
    curves = {}
    for name, column in (("loss", "loss"), ("gain", MONITOR)):
        known = rows.dropna(subset=[column]) if column in rows else rows.iloc[:0]
        known = known.drop_duplicates("step", keep="last").sort_values("step")
        if len(known):
            curves[name] = [(int(step) + 1, float(value)) for step, value in known[["step", column]].to_numpy()]
    return curves


def by_slice(table: pd.DataFrame, after: str, before: str) -> pd.DataFrame:
    """What changed from one separator to another, slice by slice: both heard the same ones.

    Args:
        table: what `evaluate` gives.

    Returns:
        Rows piece, source, metric, mean of the differences, low and high (95% bootstrap over slices), slices.
    """
    keys = ["piece", "source", "query", "start_s", "metric"]
    slices = table[table["extent"] == "slice"].set_index(["separator", *keys])["value"]
    change = (slices.loc[after] - slices.loc[before]).reset_index()
    rows = []
    for key, group in change.groupby(["piece", "source", "metric"], sort=False):
        values = group["value"].to_numpy()
        rows.append((*key, values.mean(), *bootstrap(values, seed=SEEDS["bootstrap"]), len(values)))
    return pd.DataFrame(rows, columns=["piece", "source", "metric", "mean", "low", "high", "slices"])


def write_numbers(numbers: Numbers, path: Path, *, force: bool = False) -> None:
    """Write numbers as JSON. Raises InputError as `atomic_path` does."""
    told = {name: value for name, value in vars(numbers).items() if name not in _TABLES}
    for name in _TABLES:
        table = getattr(numbers, name)
        told[name] = table.astype(object).where(table.notna(), None).to_dict("split", index=False)
    text = json.dumps({"format": _FORMAT} | told, allow_nan=False, ensure_ascii=False)
    with atomic_path(path, force) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_numbers(path: Path) -> Numbers:
    """Read what `write_numbers` wrote. Raises InputError where the file is missing or holds something else."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told.pop("format") != _FORMAT:
            raise ValueError("of another version of the course")
        for name in _TABLES:
            table = pd.DataFrame(told[name]["data"], columns=told[name]["columns"])
            numeric = [column for column in ("value", "low", "high", "start_s") if column in table]
            told[name] = table.astype(dict.fromkeys(numeric, np.float64))
        return Numbers(**told)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: holds no numbers of a report ({error}); write the report again") from error


def git_commit(folder: Path = CHECKOUT) -> str | None:
    """The commit that is checked out, ending in `-dirty` where files differ from it; None where there is no git."""
    if not (folder / ".git").exists():  # a folder of someone else's repository would tell that one's
        return None
    ask = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(ask, capture_output=True, text=True, check=True, timeout=60).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None


def _facts(folder: Path) -> dict[str, float] | None:
    try:
        return run_facts(folder)
    except InputError:
        return None


def _plain(where: str) -> str:
    """A name as it is; of a folder its last two parts."""
    path = Path(where)
    return "/".join(path.parts[-2:]) if path.is_absolute() or path.is_dir() else where


def _setup() -> dict[str, Any]:
    versions = {"Python": platform.python_version()}
    for name in (*PACKAGES, "peft", "pandas", "scipy", "matplotlib"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    shipped = data_dir().resolve() == (CHECKOUT / "data").resolve()
    return {
        "versions": versions,
        "hardware": f"{hardware()}, {platform.system()}",
        "commit": git_commit(),
        "data": None if shipped else data_dir().resolve().name,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }
