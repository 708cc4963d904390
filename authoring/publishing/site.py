"""The course as a site to read: the notebooks as they ran, a glossary, notation, a reading list, a page to teach by.

The pages stand in docs/site. The notebooks come from the newest run of the course in which all of them ran to their
end; where there is none, the course is run first. Pages, executed notebooks and the solutions as they are committed are
gathered in build/site-work, and Sphinx makes build/site of them: it runs nothing, and a link between pages that leads
nowhere is an error.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from authoring.publishing import notebooks
from lass_lab.course import ledger
from lass_lab.course.profile import CHECKOUT
from lass_lab.signal.files import InputError

PAGES = CHECKOUT / "docs" / "site"
WORK = CHECKOUT / "build" / "site-work"
SITE = CHECKOUT / "build" / "site"
WIDGET = "application/vnd.jupyter.widget-view+json"
PLAYTHING = '<p class="plaything">Something to play with stands here when the notebook is open and running.</p>'


def course_names() -> list[str]:
    """Return the file names of the course's notebooks, in order."""
    return [path.name for path in sorted(notebooks.NOTEBOOKS.glob("[0-9]*.ipynb"))]


def find_run() -> Path:
    """Return the newest complete run of the course in runs/course; where there is none, run it.

    Raises:
        InputError: a cell failed while the course was run.
    """
    for run in sorted((ledger.runs_dir() / "course").glob("[0-9]*-[0-9]*"), reverse=True):
        if all(notebooks.finished(run / name) for name in course_names()):
            return run
    print(f"No complete run of the course in {ledger.runs_dir() / 'course'}: running it now")
    return notebooks.run_course()


def for_reading(text: str) -> str:
    """Make a notebook one that is only read.

    What needs a kernel goes: progress bars, and controls, of which a line is left; their still pictures and players
    stay.
    """
    notebook = json.loads(text)
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        if "outputs" in cell:
            cell["outputs"] = [kept for output in cell["outputs"] if (kept := _still(output))]
    return json.dumps(notebook, ensure_ascii=False, indent=1)


def _still(output: dict) -> dict | None:
    data = output.get("data", {})
    if WIDGET not in data:
        return output
    if not "".join(data.get("text/plain", "")).startswith("VBox("):
        return None
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": PLAYTHING}}


def gather(run: Path, out: Path) -> None:
    """Copy pages, executed notebooks and solutions into a fresh folder, laid out as in the checkout."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(PAGES, out, ignore=shutil.ignore_patterns("__pycache__"))
    (out / "notebooks" / "solutions").mkdir(parents=True)
    solutions = [path.relative_to(notebooks.NOTEBOOKS) for path in notebooks.NOTEBOOKS.glob("solutions/[0-9]*.ipynb")]
    for folder, names in ((run, course_names()), (notebooks.NOTEBOOKS, solutions)):
        for name in names:
            text = for_reading((folder / name).read_text(encoding="utf-8"))
            (out / "notebooks" / name).write_text(text, encoding="utf-8")


def make_site(work: Path, site: Path, *, follow_links: bool = False) -> None:
    """Make the site of the pages in `work`/pages; an older site stays as it is until the new one is whole.

    Args:
        follow_links: ask for every address on the web that the pages name, too; needs a network.

    Raises:
        InputError: Sphinx stopped, warned of anything, or found an address that leads nowhere.
    """
    shutil.rmtree(work / "html", ignore_errors=True)
    for builder in ("html", "linkcheck") if follow_links else ("html",):
        sphinx = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-d", work / "doctrees"]
        if subprocess.run([*sphinx, "-b", builder, work / "pages", work / builder], check=False).returncode:
            raise InputError(f"{work / 'pages'}: Sphinx ({builder}) found what stands above")
    shutil.rmtree(site, ignore_errors=True)
    (work / "html").replace(site)
