"""The floors hold: a file imports only from floors below its own, and every file is short enough to read."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_floor_imports_only_from_below():
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    call = [sys.executable, "-c", code, "--no-cache"]
    result = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_module_stays_readable_in_one_sitting():
    modules = (path for package in ("lass_lab", "authoring") for path in (ROOT / package).rglob("*.py"))
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in modules}
    assert lengths and not {path: lines for path, lines in lengths.items() if lines > 330}
