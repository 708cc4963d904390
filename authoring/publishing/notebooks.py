"""Make the notebooks from their text sources, and run them in order.

    python -m authoring.publishing.notebooks build | check | run [NAME ...] [--record-times]

Sources are py:percent text in notebooks/source (worked exercises in notebooks/source/solutions). In their
markdown, these names are filled in by the build: {{badge}} (the Colab badge), {{navigation}} (links to the
neighbours), {{time}} (how long a run took, from notebooks/times.json) and {{repository}} (the address in
pyproject.toml). A code cell that is `# {{bootstrap}}` becomes the cell that fetches the course on Colab.
"""

import argparse
import hashlib
import json
import math
import os
import re
import sys
import time
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from lass_lab import __version__
from lass_lab.course import ledger
from lass_lab.course.profile import CHECKOUT, VARIABLE, Profile, current
from lass_lab.signal.files import InputError, atomic_path

NOTEBOOKS = CHECKOUT / "notebooks"
SOURCES = NOTEBOOKS / "source"
TIMES = NOTEBOOKS / "times.json"
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
BOOTSTRAP = """\
# On Colab: fetch the course and install what Colab lacks. On your own computer this cell does nothing.
import importlib.util
import subprocess
import sys
from pathlib import Path

if "google.colab" in sys.modules:
    if not (folder := Path.home() / "lass-lab").is_dir():
        clone = ["git", "-c", "advice.detachedHead=false", "clone", "--quiet", "--depth=1"]
        subprocess.run([*clone, "--branch={{tag}}", "{{repository}}", folder], check=True)
    sys.path.insert(0, str(folder))
    wanted = ["librosa", "soundfile", "soxr", "lightning", "lightning_utilities", "torchmetrics", "audiomentations"]
    wanted += ["numpy_minmax", "numpy_rms", "python_stretch"]  # of audiomentations
    if missing := [name for name in wanted if not importlib.util.find_spec(name)]:  # no-deps: nothing is replaced
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", *missing], check=True)"""


class NotebookError(RuntimeError):
    """A cell failed; one line that names the notebook and the cell."""


def sources(folder: Path = SOURCES) -> list[Path]:
    """Return the text sources in the order of the course, the solutions after the notebooks."""
    return sorted(folder.glob("[0-9]*.py")) + sorted(folder.glob("solutions/[0-9]*.py"))


def built_path(source: Path) -> Path:
    """Return the notebook that a source is made into: source/NN.py -> NN.ipynb, beside `source`."""
    root = source.parent
    if root.name == "solutions":
        return root.parent.parent / "solutions" / f"{source.stem}.ipynb"
    return root.parent / f"{source.stem}.ipynb"


def render(source: Path) -> str:
    """Make one notebook in memory, without outputs; the same source gives the same bytes every time.

    Raises:
        InputError: a placeholder in its markdown is not one of ours, or its first cell has no title.
    """
    import jupytext
    import nbformat

    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    values = {
        "badge": _badge(source),
        "navigation": _navigation(source),
        "time": _time_line(source.stem),
        "repository": repository(),
    }
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.strip() == "# {{bootstrap}}":
            cell.source = BOOTSTRAP.replace("{{repository}}", values["repository"]).replace("{{tag}}", tag())
        elif cell.cell_type == "markdown":
            cell.source = PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), cell.source)
        if cell.cell_type == "markdown" and (unknown := PLACEHOLDER.search(cell.source)):
            raise InputError(f"{source}: no such placeholder: {unknown[0]}; there are {', '.join(values)}")
        # From the text and not from chance or position: a cell keeps its id until it is itself edited.
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] += 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook, indent=1).rstrip("\n") + "\n"


def build(folder: Path = SOURCES) -> list[Path]:
    """Write every notebook whose source gives other bytes than it has, and return those."""
    changed = outdated(folder)
    for source in changed:
        with atomic_path(built_path(source), force=True) as temporary:
            temporary.write_text(render(source), encoding="utf-8", newline="\n")
    return [built_path(source) for source in changed]


def outdated(folder: Path = SOURCES) -> list[Path]:
    """Return the sources whose notebook is missing or differs from what they give."""
    return [source for source in sources(folder) if _bytes(built_path(source)) != render(source).encode()]


def repository() -> str:
    """Return the project's address, from pyproject.toml."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].rstrip("/")


def tag() -> str:
    """The tag of this version, under which badges and first cells find the notebooks and the course."""
    return f"v{__version__}"


def title(source: Path) -> str:
    """Return the title of a source: its first heading.

    Raises:
        InputError: it has none.
    """
    match = re.search(r"^# # (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise InputError(f"{source}: has no title; its first cell must begin with `# # Title`")
    return match[1].strip()


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _badge(source: Path) -> str:
    project = "/".join(repository().split("/")[-2:])
    path = built_path(source).relative_to(source.parents[1 + (source.parent.name == "solutions")])
    address = f"https://colab.research.google.com/github/{project}/blob/{tag()}/notebooks/{path.as_posix()}"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address})"


def _navigation(source: Path) -> str:
    if source.parent.name == "solutions":
        return f"[← Back to the notebook](../{source.stem}.ipynb)"
    siblings = sorted(source.parent.glob("[0-9]*.py"))
    here = siblings.index(source)
    links = [f"[← {title(s)}]({s.stem}.ipynb)" for s in siblings[max(here - 1, 0) : here]]
    links += [f"[{title(s)} →]({s.stem}.ipynb)" for s in siblings[here + 1 : here + 2]]
    return " · ".join(links)


def _time_line(name: str) -> str:
    times = _read_times().get(name, {})
    if not times:
        return "**Time:** not measured yet"
    parts = [f"{_about(times[kind]['seconds'])} on {times[kind]['hardware']}" for kind in sorted(times)]
    return f"**Time:** {', '.join(parts)}"


def _about(seconds: float) -> str:
    if seconds < 55:
        return f"about {math.ceil(seconds / 10) * 10} seconds"
    minutes = math.ceil(seconds / 60 - 0.2)
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


def _read_times() -> dict[str, dict]:
    return json.loads(TIMES.read_text(encoding="utf-8")) if TIMES.is_file() else {}


def run(path: Path, out: Path, profile: Profile) -> float:
    """Run one notebook in a kernel of its own and save the executed copy, whole or as far as it came.

    Returns:
        The seconds it took, the kernel's start included.

    Raises:
        InputError: the notebook does not exist or is not one, or the copy exists already.
        NotebookError: a cell raised, took too long, or killed its kernel.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from tqdm import tqdm

    copy = out / path.name
    if copy.exists():
        raise InputError(f"{copy}: exists already; name another folder with --out")
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such notebook") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is not a notebook ({str(error).splitlines()[0]})") from error
    position = 0

    def starts(cell, cell_index) -> None:
        nonlocal position
        position = cell_index

    with tqdm(total=sum(c.cell_type == "code" for c in notebook.cells), desc=path.stem, unit="cell") as bar:
        client = NotebookClient(
            notebook,
            timeout=profile.cell_timeout,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],  # the kernel's own warnings would tear the bar apart
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_execute=starts,
            on_cell_executed=lambda **_: bar.update(),
        )
        began = time.perf_counter()
        try:
            client.execute(env={**os.environ, VARIABLE: profile.name})
        except (CellControlSignal, DeadKernelError) as error:
            reason = f"{error.ename}: {error.evalue}" if hasattr(error, "ename") else str(error)
            reason = (reason.strip().splitlines() or ["the kernel died"])[0]
            line = notebook.cells[position].source.strip().splitlines()[0]
            where = f"{path.name}, cell {position + 1} ({line})"
            raise NotebookError(f"{where}: {reason}; executed so far: {copy}") from error
        finally:
            seconds = time.perf_counter() - began
            with atomic_path(copy) as temporary:
                nbformat.write(notebook, temporary)
    return seconds


def record_time(name: str, seconds: float, profile: Profile) -> None:
    """Keep how long a notebook took on this kind of hardware in notebooks/times.json, for the build."""
    import torch

    from lass_lab.experiments.trainer import cores, hardware

    kind, computer = ("gpu", hardware()) if torch.cuda.is_available() else ("cpu", f"{cores()} CPU cores")
    times = _read_times()
    measured = {"seconds": round(seconds), "hardware": computer, "profile": profile.name}
    times.setdefault(name, {})[kind] = measured
    with atomic_path(TIMES, force=True) as temporary:
        temporary.write_text(json.dumps(times, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def run_course(names: list[str], out: Path, *, record_times: bool = False) -> None:
    """Run the named notebooks, or all in order, and print what they recorded and where to look."""
    profile = current()
    paths = [NOTEBOOKS / f"{Path(name).stem}.ipynb" for name in names]
    paths = paths or sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    if not paths:
        raise InputError(f"{NOTEBOOKS}: has no notebooks; run: make notebooks")
    began = datetime.now(UTC).isoformat(timespec="seconds")
    for path in paths:
        seconds = run(path, out, profile)
        if record_times:
            record_time(path.stem, seconds, profile)
    results = ledger.read()
    results = results[results["time"] >= began]
    if len(results):
        print(f"\nResults ({profile.name} profile)\n")
        results["value"] = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in results["value"]]
        print(results[["notebook", "name", "value", "unit"]].to_string(index=False))
    print(f"\nThe notebooks as they ran: {out}")
    print(f"All results so far: {ledger.ledger_path()}")
    print("To work in the notebooks yourself: make lab")


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status: 1 failed cell, 2 bad input, 130 interrupt."""
    parser = argparse.ArgumentParser("python -m authoring.publishing.notebooks", description="Make and run notebooks.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="write the notebooks whose sources changed")
    commands.add_parser("check", help="fail when a notebook differs from its source")
    runner = commands.add_parser("run", help="run the notebooks in order and show the results")
    runner.add_argument("names", nargs="*", metavar="NAME", help="such as 00_welcome; all when none is named")
    runner.add_argument("--out", type=Path, help="folder for the copies (default: runs/course/DATE-TIME)")
    runner.add_argument("--record-times", action="store_true", help="keep the times in notebooks/times.json")
    options = parser.parse_args(arguments)
    try:
        if options.command == "build":
            print("\n".join(f"made {path.relative_to(CHECKOUT)}" for path in build()) or "all up to date")
        elif options.command == "check":
            if names := [source.name for source in outdated()]:
                raise InputError(f"{', '.join(names)}: the notebook differs from its source; run: make notebooks")
        else:
            out = options.out or ledger.runs_dir() / "course" / f"{datetime.now():%Y%m%d-%H%M%S}"
            run_course(options.names, out, record_times=options.record_times)
    except (InputError, NotebookError) as error:
        print(f"lass-lab: {error}", file=sys.stderr)
        return 1 if isinstance(error, NotebookError) else 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
