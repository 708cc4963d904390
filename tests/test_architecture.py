"""The floors hold: a file imports only from floors below its own, and every file is short enough to read."""

from pathlib import Path

from importlinter import configuration
from importlinter.application import use_cases

ROOT = Path(__file__).resolve().parents[1]


def test_every_floor_imports_only_from_below(monkeypatch):
    monkeypatch.chdir(ROOT)
    configuration.configure()
    assert use_cases.lint_imports(cache_dir=None)


def test_every_module_stays_readable_in_one_sitting():
    modules = (path for package in ("lass_lab", "authoring") for path in (ROOT / package).rglob("*.py"))
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in modules}
    assert lengths and not {path: lines for path, lines in lengths.items() if lines > 330}
