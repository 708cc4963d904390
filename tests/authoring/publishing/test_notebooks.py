"""Building gives the same bytes every time; running keeps what was done and names the cell that failed."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace

import nbformat
import pytest

from authoring.publishing import colab, notebooks
from lass_lab.course import ledger
from lass_lab.course.profile import PROFILES
from lass_lab.signal.files import InputError

FIRST = """# %% [markdown]
# # One: the first
#
# {{badge}}
#
# {{time}}
#
# {{navigation}}

# %%
print("same")

# %%
print("same")

# %%
# {{bootstrap}}

# %%
f"{{repository}}"
"""
SECOND = """# %% [markdown]
# # Two: the second
# {{navigation}}

# %%
import os

os.environ['LASS_LAB_PROFILE']
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course of two notebooks and one solution, away from the real one."""
    sources = tmp_path / "notebooks" / "source"
    (sources / "solutions").mkdir(parents=True)
    (sources / "00_one.py").write_text(FIRST)
    (sources / "01_two.py").write_text(SECOND)
    (sources / "solutions" / "01_two.py").write_text("# %% [markdown]\n# # Solutions\n# {{badge}} {{navigation}}\n")
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(notebooks, "SOURCES", sources)
    monkeypatch.setattr(notebooks, "TIMES", tmp_path / "notebooks" / "times.json")
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path / "runs"))
    return sources


def test_building_twice_gives_the_same_bytes(folder):
    made = notebooks.build()
    names = [path.relative_to(folder.parent).as_posix() for path in made]
    assert names == ["00_one.ipynb", "01_two.ipynb", "solutions/01_two.ipynb"]
    before = [path.read_bytes() for path in made]
    assert notebooks.build() == []
    for path in made:
        path.unlink()
    notebooks.build()
    assert [path.read_bytes() for path in made] == before


def test_an_edited_cell_alone_gets_another_id(folder):
    def ids():
        return [cell["id"] for cell in json.loads((folder.parent / "01_two.ipynb").read_text())["cells"]]

    notebooks.build()
    before = ids()
    (folder / "01_two.py").write_text(SECOND.replace("import os", "import os  # edited") + "\n# %%\n1 + 1\n")
    assert notebooks.build() == [folder.parent / "01_two.ipynb"]
    after = ids()
    assert after[0] == before[0] and after[1] != before[1] and len(after) == 3


def test_placeholders_become_badge_links_and_address(folder):
    owner_and_name = "/".join(notebooks.repository().split("/")[-2:])
    first, second, solution = (notebooks.render(path) for path in notebooks.sources())
    assert f"/github/{owner_and_name}/blob/{notebooks.TAG}/notebooks/00_one.ipynb)" in first
    assert f"/github/{owner_and_name}/blob/{notebooks.TAG}/notebooks/solutions/01_two.ipynb)" in solution
    assert "[Two: the second →](01_two.ipynb)" in first and "←" not in first
    assert "[← One: the first](00_one.ipynb)" in second and "→" not in second
    assert "(../01_two.ipynb)" in solution
    assert f'\\"--branch={notebooks.TAG}\\", \\"{notebooks.repository()}\\", folder' in first
    assert "{{repository}}" in first, "other code keeps its own braces"


def test_a_misspelt_placeholder_is_named(folder):
    (folder / "01_two.py").write_text("# %% [markdown]\n# # Two\n# {{bagde}}\n")
    with pytest.raises(InputError, match=r"01_two.py: no such placeholder: \{\{bagde\}\}"):
        notebooks.render(folder / "01_two.py")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4, "about 10 seconds"),
        (41, "about 50 seconds"),
        (70, "about a minute"),
        (75, "about 2 minutes"),
        (200, "about 4 minutes"),
    ],
)
def test_times_are_measured_and_rounded_up(folder, seconds, text):
    assert "not measured yet" in notebooks.render(folder / "00_one.py")
    notebooks.record_time("00_one", seconds, PROFILES["quick"])
    line = re.search(r"\*\*Time:\*\* [^\"\\]+", notebooks.render(folder / "00_one.py"))[0]
    assert line.startswith(f"**Time:** {text} on ")


def write(path, *cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


RECORD = "from lass_lab.course import ledger\nledger.record('00_one', 'seconds', 2.5, 's')"


def test_a_run_saves_the_executed_copies_and_ends_with_the_table(folder, tmp_path, capsys):
    write(folder.parent / "00_one.ipynb", RECORD, "import os; print('in', os.environ['LASS_LAB_PROFILE'])")
    ledger.record("09_old", "of an earlier run", 1)
    path = ledger.ledger_path()
    path.write_text(path.read_text().replace(ledger.read()["time"][0], "2020-01-01T00:00:00+00:00"))
    notebooks.run_course([], tmp_path / "out", record_times=True)
    out = capsys.readouterr().out
    assert re.search(r"00_one\s+seconds\s+2\.5\s+s", out)
    assert "of an earlier run" not in out
    assert str(tmp_path / "out") in out
    executed = nbformat.read(tmp_path / "out" / "00_one.ipynb", as_version=4)
    assert executed.cells[1].outputs[0].text == "in ci\n"
    (times,) = notebooks.read_times()["00_one"].values()
    assert times["profile"] == "ci" and times["seconds"] >= 0


def test_a_failing_cell_is_named_and_what_ran_is_kept(folder, tmp_path):
    write(folder.parent / "00_one.ipynb", "print('so far')", "ratio = 1 / 0\nprint(ratio)", "print('never')")
    write(folder.parent / "01_two.ipynb", "print('never')")
    fault = r"^00_one.ipynb, cell 2 \(ratio = 1 / 0\): ZeroDivisionError: division by zero;"
    with pytest.raises(InputError, match=fault):
        notebooks.run_course([], tmp_path / "out")
    executed = nbformat.read(tmp_path / "out" / "00_one.ipynb", as_version=4)
    assert executed.cells[0].outputs[0].text == "so far\n"
    assert executed.cells[2].outputs == []
    assert not (tmp_path / "out" / "01_two.ipynb").exists()


def test_nothing_is_run_over_an_earlier_copy(folder, tmp_path):
    path = write(folder.parent / "00_one.ipynb", "print('new')")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / path.name).write_text("old")
    with pytest.raises(InputError, match=r"00_one.ipynb: exists already"):
        notebooks.run_course([], tmp_path / "out")
    assert (tmp_path / "out" / path.name).read_text() == "old"


def test_a_course_that_stopped_goes_on_where_it_stopped(folder, tmp_path, capsys):
    write(folder.parent / "00_one.ipynb", "print('first')")
    second = folder.parent / "01_two.ipynb"
    write(second, "1 / 0")
    with pytest.raises(InputError, match="ZeroDivisionError"):
        notebooks.run_course()
    (stopped,) = (tmp_path / "runs" / "course").iterdir()
    first, before = stopped / "00_one.ipynb", (stopped / "00_one.ipynb").read_bytes()
    write(second, "print('mended')")
    assert notebooks.run_course() == stopped
    assert "1 of 2 notebooks have ended" in capsys.readouterr().out
    assert first.read_bytes() == before and "mended" in (stopped / second.name).read_text()
    time.sleep(1)  # a folder is named by the second
    assert notebooks.run_course() != stopped, "a whole run is followed by another"


def test_only_cells_that_do_not_train_have_a_limit(folder, tmp_path):
    path = write(folder.parent / "00_one.ipynb", "import time; time.sleep(3)  # finetune(", "time.sleep(9)")
    with pytest.raises(InputError, match=r"cell 2 .*longer than .* the same command goes on from here"):
        notebooks.run(path, tmp_path / "out", replace(PROFILES["ci"], cell_timeout=2))


def test_a_notebook_that_cannot_be_read_is_named(folder, tmp_path):
    (folder.parent / "00_one.ipynb").write_text("not JSON")
    for name in ("00_one", "07_none"):
        with pytest.raises(InputError, match=f"{name}.ipynb: cannot be read as a notebook"):
            notebooks.run_course([name], tmp_path / "out")


def test_on_colab_the_first_cell_fetches_the_course_at_its_tag(tmp_path):
    """Once: a second notebook of the same session finds it."""
    address = f"file://{colab.bare_clone(tmp_path)}"
    cell = notebooks.BOOTSTRAP.replace("{{repository}}", address).replace("{{tag}}", notebooks.TAG)
    for _ in range(2):
        code = f"{colab.COLAB}\n{cell}\nimport lass_lab\nprint(lass_lab.__file__)"
        environment = os.environ | {"HOME": str(tmp_path)}
        ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == str(tmp_path / "lass-lab" / "lass_lab" / "__init__.py")
    described = ["git", "-C", tmp_path / "lass-lab", "describe", "--tags", "--exact-match"]
    assert subprocess.run(described, capture_output=True, text=True).stdout.strip() == notebooks.TAG
    missing = cell.replace(notebooks.TAG, "v999").replace('"lass-lab")', '"elsewhere")')
    ran = subprocess.run([sys.executable, "-c", f"{colab.COLAB}\n{missing}"], env=environment, capture_output=True)
    assert ran.returncode and b"Remote branch v999 not found" in ran.stderr
