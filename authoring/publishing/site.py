"""The course as a site to read: the notebooks as they ran, a glossary, notation, a reading list, a page to teach by.

    python -m authoring.publishing.site [--run FOLDER]

The pages stand in docs/site. The notebooks come from the newest run of the course in which all of them ran to their
end; where there is none, the course is run first. Pages, executed notebooks and the solutions as they are committed are
gathered in build/site-work, Sphinx makes build/site of them and runs nothing, and every link inside it is followed.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from datetime import datetime
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from authoring.publishing import notebooks
from lass_lab.course import ledger
from lass_lab.course.profile import CHECKOUT
from lass_lab.signal.files import InputError

PAGES = CHECKOUT / "docs" / "site"
WORK = CHECKOUT / "build" / "site-work"
SITE = CHECKOUT / "build" / "site"
STAMP = re.compile(r"\d{8}-\d{6}")  # as `notebooks run` names a run's folder
NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme")
BOOTSTRAP_BEGINS = notebooks.BOOTSTRAP.splitlines()[0]
WIDGET = "application/vnd.jupyter.widget-view+json"
PLAYTHING = '<p class="plaything">Something to play with stands here when the notebook is open and running.</p>'
# Where HTML names another file.
LINKS = {
    "a": "href",
    "link": "href",
    "img": "src",
    "script": "src",
    "audio": "src",
    "source": "src",
    "video": "src",
    "iframe": "src",
}


class SiteError(RuntimeError):
    """Sphinx could not make the site; one line that says so."""


def course_names() -> list[str]:
    """Return the file names of the course's notebooks, in order."""
    return [path.name for path in sorted(notebooks.NOTEBOOKS.glob("[0-9]*.ipynb"))]


def ran_to_its_end(path: Path) -> bool:
    """Whether this is a notebook of which every code cell was run and none raised."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
        outputs = [output["output_type"] for cell in code for output in cell["outputs"]]
        return all(cell["execution_count"] for cell in code) and "error" not in outputs
    except (OSError, ValueError, KeyError, TypeError):
        return False


def newest_complete_run(folder: Path, names: list[str]) -> Path | None:
    """Return the newest of a folder's runs in which all the named notebooks ran to their end, or None."""
    runs = sorted(path for path in folder.glob("*") if STAMP.fullmatch(path.name))
    return next((run for run in reversed(runs) if all(ran_to_its_end(run / name) for name in names)), None)


def find_run(chosen: Path | None = None) -> Path:
    """Return the folder of the executed notebooks; run the course where there is no complete run yet.

    Args:
        chosen: take this one.

    Raises:
        InputError: the chosen one lacks a notebook, or one in it did not run to its end.
        NotebookError: a cell failed while the course was run.
    """
    names, runs = course_names(), ledger.runs_dir() / "course"
    if chosen is not None:
        if missing := [name for name in names if not ran_to_its_end(chosen / name)]:
            raise InputError(f"{chosen}: not a complete run; not there, or not run to the end: {', '.join(missing)}")
        return chosen
    if (run := newest_complete_run(runs, names)) is None:
        print(f"No complete run of the course in {runs}: running it now")
        run = runs / f"{datetime.now():%Y%m%d-%H%M%S}"
        notebooks.run_course([], run)
    return run


def for_reading(text: str) -> str:
    """Make a notebook one that is only read.

    What needs a kernel goes: progress bars, and controls, of which a line is left; their still pictures and players
    stay. Warnings of libraries go as well. The first cell, which is there for Colab, is folded.
    """
    notebook = json.loads(text)
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        if "".join(cell["source"]).startswith(BOOTSTRAP_BEGINS):
            cell["metadata"]["tags"] = ["hide-input"]
        if "outputs" in cell:
            cell["outputs"] = [kept for output in cell["outputs"] if (kept := _still(output))]
    return json.dumps(notebook, ensure_ascii=False, indent=1)


def _still(output: dict) -> dict | None:
    data = output.get("data", {})
    if output.get("name") == "stderr":
        return None
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
    for name in course_names():
        text = for_reading((run / name).read_text(encoding="utf-8"))
        (out / "notebooks" / name).write_text(text, encoding="utf-8")
    for path in sorted(notebooks.NOTEBOOKS.glob("solutions/[0-9]*.ipynb")):
        text = for_reading(path.read_text(encoding="utf-8"))
        (out / "notebooks" / "solutions" / path.name).write_text(text, encoding="utf-8")


def make_html(work: Path, site: Path) -> None:
    """Make the site of the pages in `work`/pages; an older site stays as it is until the new one is whole.

    Raises:
        InputError: Sphinx or its companions are not installed.
        SiteError: Sphinx stopped, or warned of anything.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise InputError(f"{', '.join(missing)}: not installed; run: make site")
    pages, html = work / "pages", work / "html"
    shutil.rmtree(html, ignore_errors=True)
    options = ["-b", "html", "-q", "-W", "--keep-going", "-E", "-d", str(work / "doctrees")]
    if subprocess.run([sys.executable, "-m", "sphinx", *options, str(pages), str(html)], check=False).returncode:
        raise SiteError(f"{pages}: Sphinx could not make the site; what it says stands above")
    shutil.rmtree(site, ignore_errors=True)
    html.replace(site)


class Page(HTMLParser):
    """What a page offers to be linked to, and what it links to.

    Attributes:
        anchors: the names that a link's fragment may have.
        links: the addresses in it, as written, with their lines.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[int, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {name for name in (values.get("id"), values.get("name") if tag == "a" else None) if name}
        if (address := values.get(LINKS.get(tag, ""))) is not None:
            self.links.append((self.getpos()[0], address))


def broken_links(site: Path) -> list[str]:
    """Return one line for each link inside a site that leads nowhere: a file that is not there, or an anchor.

    Raises:
        InputError: the folder has no pages.
    """
    # The theme's own templates lie among the files in _static; nobody reads those.
    files = (path for path in sorted(site.rglob("*.html")) if path.relative_to(site).parts[0] != "_static")
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in files}
    if not pages:
        raise InputError(f"{site}: has no pages")
    lines = []
    for path, page in pages.items():
        for line, address in page.links:
            if fault := _fault(path, address, site.resolve(), pages):
                lines.append(f"{path.relative_to(site.resolve())}:{line}: {address[:120]}: {fault}")
    return lines


def _fault(page: Path, address: str, site: Path, pages: dict[Path, Page]) -> str | None:
    """Why an address leads nowhere; None where it leads somewhere, or out of the site."""
    if not address.startswith("#") and re.match(r"[a-z][a-z0-9+.-]*:|//", address, re.IGNORECASE):
        return None
    parts = urlsplit(address)
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(site):
        return "leads out of the site's folder"
    if not target.is_file():
        return "no such file"
    anchor = unquote(parts.fragment)
    if anchor and anchor != "top" and target in pages and anchor not in pages[target].anchors:
        return "no such anchor"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Make the site; return the exit status: 1 broken link, failed cell or build, 2 bad input, 130 interrupt."""
    parser = argparse.ArgumentParser("python -m authoring.publishing.site", description="Make the course's site.")
    parser.add_argument("--run", type=Path, help="folder of executed notebooks (default: the newest complete run)")
    options = parser.parse_args(arguments)
    try:
        run = find_run(options.run)
        print(f"The notebooks as they ran: {run}")
        gather(run, WORK / "pages")
        make_html(WORK, SITE)
        broken = broken_links(SITE)
    except (InputError, SiteError, notebooks.NotebookError) as error:
        print(f"lass-lab: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt:
        return 130
    if broken:
        print("\n".join(broken), file=sys.stderr)
        return 1
    print(f"The site: {SITE / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
