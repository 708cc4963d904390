"""Make the notebooks from their text sources, and run them in order.

Sources are py:percent text in notebooks/source (worked exercises in notebooks/source/solutions). In their
markdown, the build fills in {{badge}} (the Colab badge), {{navigation}} (links to the neighbours) and {{time}} (how
long a run took, from notebooks/times.json). A code cell that is `# {{bootstrap}}` becomes bootstrap.py, which
fetches the course on Colab.
"""

import hashlib
import json
import math
import os
import re
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from authoring.pages import write
from lass_lab import __version__
from lass_lab.course import ledger
from lass_lab.course.profile import CHECKOUT, VARIABLE, Profile, current
from lass_lab.signal.files import InputError, atomic_path

NOTEBOOKS = CHECKOUT / "notebooks"
SOURCES = NOTEBOOKS / "source"
TIMES = NOTEBOOKS / "times.json"
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# The code of cells that show an answer or a quiz is folded away, in JupyterLab and on the site.
FOLDED = {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
ANSWERS = re.compile(r"^(answer|quiz)\(", re.MULTILINE)
FINISHED = "lass_lab"  # in the metadata of an executed copy
TAG = f"v{__version__}"  # of this version: badges and first cells find the notebooks and the course under it
BOOTSTRAP = (SOURCES / "bootstrap.py").read_text(encoding="utf-8").rstrip()


def sources() -> list[Path]:
    """Return the text sources in the order of the course, the solutions after the notebooks."""
    return sorted(SOURCES.glob("[0-9]*.py")) + sorted(SOURCES.glob("solutions/[0-9]*.py"))


def built_path(source: Path) -> Path:
    """Return the notebook that a source is made into: source/NN.py -> NN.ipynb, beside the folder of sources."""
    return NOTEBOOKS / source.relative_to(SOURCES).with_suffix(".ipynb")


def render(source: Path) -> str:
    """Make one notebook in memory, without outputs; the same source gives the same bytes every time.

    Raises:
        InputError: a placeholder in its markdown is not one of ours.
    """
    import jupytext
    import nbformat

    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    values = {
        "badge": badge(built_path(source).relative_to(NOTEBOOKS)),
        "navigation": _navigation(source),
        "time": _time_line(source.stem),
    }
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        if cell.source.strip() == "# {{bootstrap}}":
            cell.source = BOOTSTRAP.replace("{{repository}}", repository()).replace("{{tag}}", TAG)
            cell.metadata["tags"] = ["hide-input"]  # folded on the site
        elif cell.cell_type == "code" and ANSWERS.search(cell.source):
            cell.metadata |= FOLDED
        elif cell.cell_type == "markdown":
            cell.source = PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), cell.source)
            if unknown := PLACEHOLDER.search(cell.source):
                raise InputError(f"{source}: no such placeholder: {unknown[0]}; there are {', '.join(values)}")
        # From the text and not from chance or position: a cell keeps its id until it is itself edited.
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] += 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook, indent=1).rstrip("\n") + "\n"


def build() -> list[Path]:
    """Write every notebook whose source gives other bytes than it has, and return those."""
    changed = []
    for source in sources():
        path, text = built_path(source), render(source)
        if not path.is_file() or path.read_bytes() != text.encode():
            write(path.parent, {path.name: text}, force=True)
            changed.append(path)
    return changed


def repository() -> str:
    """Return the project's address, from pyproject.toml."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].rstrip("/")


def badge(path: Path) -> str:
    """The badge that opens a notebook on Colab; `path` is relative to notebooks/."""
    project = "/".join(repository().split("/")[-2:])
    address = f"https://colab.research.google.com/github/{project}/blob/{TAG}/notebooks/{path.as_posix()}"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address})"


def _title(source: Path) -> str:
    return re.search(r"^# # (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)[1].strip()


def _navigation(source: Path) -> str:
    if source.parent != SOURCES:
        return f"[← Back to the notebook](../{source.stem}.ipynb)"
    siblings = sorted(SOURCES.glob("[0-9]*.py"))
    here = siblings.index(source)
    links = [f"[← {_title(s)}]({s.stem}.ipynb)" for s in siblings[max(here - 1, 0) : here]]
    links += [f"[{_title(s)} →]({s.stem}.ipynb)" for s in siblings[here + 1 : here + 2]]
    return " · ".join(links)


def _time_line(name: str) -> str:
    times = read_times().get(name, {})
    parts = [f"{_about(times[kind]['seconds'])} on {times[kind]['hardware']}" for kind in sorted(times)]
    return f"**Time:** {', '.join(parts) or 'not measured yet'}"


def _about(seconds: float) -> str:
    if seconds < 55:
        return f"about {math.ceil(seconds / 10) * 10} seconds"
    minutes = math.ceil(seconds / 60 - 0.2)
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


def read_times() -> dict[str, dict]:
    """How long each notebook took: name -> "cpu" or "gpu" -> seconds, hardware and profile."""
    return json.loads(TIMES.read_text(encoding="utf-8")) if TIMES.is_file() else {}


def run(path: Path, out: Path, profile: Profile, *, again: bool = False) -> float:
    """Run one notebook in a kernel of its own and save the executed copy, whole or as far as it came.

    nbclient is called and not `jupyter execute`, for a progress bar, and for an error that names the cell. A cell that
    trains may take as long as it takes; the others have the profile's limit. With `again`, a copy that did not end is
    replaced.

    Returns:
        Seconds from the first cell to the last.

    Raises:
        InputError: no such notebook, a copy is there already, or a cell failed or took too long.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, CellTimeoutError, DeadKernelError
    from tqdm import tqdm

    copy = out / path.name
    if copy.exists() and not again:
        raise InputError(f"{copy}: exists already; name another folder with --out")
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a notebook ({str(error).splitlines()[0]})") from error
    begun, began = [0], datetime.now(UTC).isoformat(timespec="seconds")
    with tqdm(total=sum(c.cell_type == "code" for c in notebook.cells), desc=path.stem, unit="cell") as bar:
        client = NotebookClient(
            notebook,
            timeout_func=lambda cell: None if "finetune(" in cell.source else profile.cell_timeout,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],  # the kernel's own warnings would tear the bar apart
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_execute=lambda cell, cell_index: begun.append(cell_index),
            on_cell_executed=lambda **_: bar.update(),
        )
        start = time.perf_counter()
        try:
            client.execute(env={**os.environ, VARIABLE: profile.name})
            notebook.metadata[FINISHED] = {"profile": profile.name, "began": began, "source": _digest(path)}
        except (CellControlSignal, DeadKernelError) as error:
            reason = f"{error.ename}: {error.evalue}" if hasattr(error, "ename") else str(error)
            reason = (reason.strip().splitlines() or ["the kernel died"])[0]
            if isinstance(error, CellTimeoutError):
                reason = (
                    f"took longer than {profile.cell_timeout / 60:.0f} minutes; when this computer is less busy, the "
                    f"same command goes on from here, and {VARIABLE}=ci computes less"
                )
            line = notebook.cells[begun[-1]].source.strip().splitlines()[0]
            where = f"{path.name}, cell {begun[-1] + 1} ({line})"
            raise InputError(f"{where}: {reason}; executed so far: {copy}") from error
        finally:
            seconds = time.perf_counter() - start
            with atomic_path(copy, force=True) as temporary:
                nbformat.write(notebook, temporary)
    return seconds


def finished(copy: Path) -> dict[str, str] | None:
    """The profile of an executed copy, when it was begun, and the hash of its source; None where it did not end."""
    try:
        return json.loads(copy.read_text(encoding="utf-8"))["metadata"].get(FINISHED)
    except (OSError, ValueError, KeyError):
        return None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def record_time(name: str, seconds: float, profile: Profile) -> None:
    """Keep how long a notebook took on this kind of hardware in notebooks/times.json, for the build."""
    import torch

    from lass_lab.experiments.run_facts import cores, hardware

    kind, computer = ("gpu", hardware()) if torch.cuda.is_available() else ("cpu", f"{cores()} CPU cores")
    times = read_times()
    times.setdefault(name, {})[kind] = {"seconds": round(seconds), "hardware": computer, "profile": profile.name}
    write(TIMES.parent, {TIMES.name: json.dumps(times, indent=1, sort_keys=True) + "\n"}, force=True)


def run_course(names: Sequence[str] = (), out: Path | None = None, *, record_times: bool = False) -> Path:
    """Run the named notebooks, or all in order, and print what they recorded and where to look.

    Where the newest run of the course stopped half-way, this one goes on with it: notebooks that ended there, in this
    profile and as they are now, are not run again.

    Returns the folder of the executed copies: `out`, or runs/course/DATE-TIME.
    """
    profile = current()
    paths = [NOTEBOOKS / f"{Path(name).stem}.ipynb" for name in names] or sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    done: list[Path] = []
    if out is None:
        out, done = _stopped(paths, profile)
        if done:
            print(f"Going on in {out}, where {len(done)} of {len(paths)} notebooks have ended.")
    for path in paths:
        if path not in done:
            seconds = run(path, out, profile, again=bool(done))
            if record_times:
                record_time(path.stem, seconds, profile)
    began = min(finished(out / path.name)["began"] for path in paths)
    results = ledger.read()
    results = results[results["time"] >= began]
    if len(results):
        print(f"\nResults ({profile.name} profile)\n")
        results["value"] = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in results["value"]]
        print(results[["notebook", "name", "value", "unit"]].to_string(index=False))
    print(f"\nThe notebooks as they ran: {out}")
    print(f"All results so far: {ledger.ledger_path()}")
    print("To work in the notebooks yourself: make lab")
    return out


def _stopped(paths: Sequence[Path], profile: Profile) -> tuple[Path, list[Path]]:
    """The newest run of the course and which of its notebooks need not be run again, or a new folder and none."""
    course, done = ledger.runs_dir() / "course", []
    newest = max(course.glob("[0-9]*/"), default=course)
    for path in paths:
        told = finished(newest / path.name)
        if told and (told["profile"], told["source"]) == (profile.name, _digest(path)):
            done.append(path)
    if 0 < len(done) < len(paths):
        return newest, done
    return course / f"{datetime.now():%Y%m%d-%H%M%S}", []
