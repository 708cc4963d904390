"""The notebooks are what their sources say, run from first cell to last, and keep to the house's form."""

import json
import os
import re
import subprocess
import sys

import nbformat
import pytest

from authoring.publishing import notebooks

SOURCES = notebooks.sources()
BUILT = [notebooks.built_path(source) for source in SOURCES]
LESSONS = [path for path in BUILT if path.parent == notebooks.NOTEBOOKS]  # the solutions: in course/test_checks.py
each_notebook = pytest.mark.parametrize("path", BUILT, ids=lambda path: path.stem)

CELL_LINES = 15
KILOBYTES = 200
# A letter drive, or a folder that only one computer has.
ABSOLUTE_PATH = re.compile(r"""(?<![\w:/.])(?:/(?:home|Users|root|tmp|mnt|opt|srv|var|work|data)/|[A-Z]:\\)""")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_notebook_is_what_its_source_gives(source):
    path = notebooks.built_path(source)
    assert path.is_file(), f"{path.name} is missing: make notebooks"
    assert path.read_bytes() == notebooks.render(source).encode(), f"{path.name} differs from source: make notebooks"


def test_no_notebook_is_without_a_source():
    there = [*notebooks.NOTEBOOKS.glob("*.ipynb"), *(notebooks.NOTEBOOKS / "solutions").glob("*.ipynb")]
    assert sorted(there) == sorted(BUILT)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    """Alone, offline, in the ci profile, and with an empty folder for what it leaves behind."""
    environment = os.environ | {"LASS_LAB_PROFILE": "ci", "LASS_LAB_RUNS": str(tmp_path / "runs")}
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", "-p", "no:cacheprovider", "-q"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-o", "addopts=", "-o", "timeout=600", str(path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        pytest.fail(f"{path.name}:\n{result.stdout}{result.stderr}", pytrace=False)
    if path == notebooks.NOTEBOOKS / "05_phase_1.ipynb":
        rows = json.loads((tmp_path / "runs" / "ledger.json").read_text())["rows"]
        found = {row["name"]: row["value"] for row in rows}
        before, after = (found[f"SDRi of the trumpet, {stage}, validation"] for stage in ("pretrained", "phase 1"))
        assert after - before > 4, "even in the ci profile, training really trains"


@each_notebook
def test_a_notebook_keeps_to_the_form(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < KILOBYTES * 1000
    first = notebook.cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# "), "the first cell is the title"
    assert "colab.research.google.com" in first.source, "the first cell has a badge for Colab: {{badge}}"
    assert "not measured yet" not in first.source, "run: python -m authoring notebooks run --record-times"
    for number, cell in enumerate(notebook.cells, 1):
        where = f"{path.name}, cell {number}"
        assert not ABSOLUTE_PATH.search(cell.source), f"{where}: an absolute path"
        if cell.cell_type == "code":
            assert cell.source.strip(), f"{where}: is empty"
            assert len(cell.source.splitlines()) <= CELL_LINES, f"{where}: more than {CELL_LINES} lines"
            checked = "nbval-check-output" in cell.metadata.get("tags", ())
            assert checked or not cell.outputs, f"{where}: has outputs"
            assert cell.execution_count is None, f"{where}: has been executed"
