"""The floors hold: a file imports only from floors below its own, and every file is on a floor."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def lint_imports(folder: Path) -> subprocess.CompletedProcess:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_floor_imports_only_from_below():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def copy(tmp_path):
    """A copy of the package's layout alone: its folders and its command line, with nothing in them."""
    for initial in (ROOT / "lass_lab").glob("**/__init__.py"):
        target = tmp_path / initial.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    (tmp_path / "lass_lab" / "cli.py").touch()
    assert lint_imports(tmp_path).returncode == 0
    return tmp_path


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("signal", "models"),
        ("signal", "datasets"),
        ("models", "datasets"),
        ("datasets", "models"),
        ("models", "experiments"),
        ("experiments", "course"),
        ("course", "commands"),
        ("commands", "cli"),
    ],
)
def test_a_broken_floor_is_found(copy, low, high):
    (copy / "lass_lab" / low / "wrong.py").write_text(f"def later():\n    import lass_lab.{high}\n")
    result = lint_imports(copy)
    assert result.returncode == 1
    assert re.search(rf"lass_lab\.{low}\.wrong -> lass_lab\.{high}", result.stdout), result.stdout


def test_a_room_outside_the_plan_is_found(copy):
    shutil.copytree(copy / "lass_lab" / "signal", copy / "lass_lab" / "utilities")
    result = lint_imports(copy)
    assert result.returncode == 1
    assert "utilities" in result.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "lass_lab").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_stays_readable_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 330, "two modules would be better"
