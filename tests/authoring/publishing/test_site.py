"""The site: the right run is shown, Sphinx finds nothing wrong, and the pages say what the course says."""

import json
import re
from importlib.util import find_spec

import pytest

from authoring.publishing import notebooks, site
from lass_lab.signal.files import InputError

PAGES = {path.stem: path.read_text(encoding="utf-8") for path in site.PAGES.glob("*.md")}


def cell(source="1", count=1, outputs=()):
    return {"cell_type": "code", "source": source, "execution_count": count, "metadata": {}, "outputs": list(outputs)}


def executed(folder, names=None, ended=True):
    """Write notebooks as a run leaves them."""
    folder.mkdir(parents=True)
    metadata = {notebooks.FINISHED: {"profile": "ci"}} if ended else {}
    text = json.dumps({"cells": [cell()], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    for name in site.course_names() if names is None else names:
        (folder / name).write_text(text)
    return folder


def test_the_newest_complete_run_is_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path))
    runs = tmp_path / "course"
    executed(runs / "20260101-000000")
    wanted = executed(runs / "20260102-000000")
    executed(runs / "20260103-000000", site.course_names()[:1])
    executed(runs / "20260104-000000", ended=False)
    executed(runs / "my-own-copy")
    assert site.find_run() == wanted


def test_where_no_run_is_complete_the_course_is_run(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path))
    monkeypatch.setattr(notebooks, "run_course", lambda: ran.append("course") or tmp_path)
    assert site.find_run() == tmp_path and ran == ["course"]


def test_what_needs_a_kernel_does_not_come_along():
    def widget(text):
        return {"output_type": "display_data", "metadata": {}, "data": {site.WIDGET: {}, "text/plain": text}}

    player = {"output_type": "execute_result", "metadata": {}, "data": {"text/html": "<audio></audio>"}}
    outputs = [widget("VBox(children=())"), widget("slicing: 0%"), player]
    cells = [cell(outputs=outputs), {"cell_type": "markdown", "source": "a", "metadata": {}}]
    made = json.loads(site.for_reading(json.dumps({"cells": cells, "metadata": {"widgets": {}}})))
    kept = [output["data"]["text/html"] for output in made["cells"][0]["outputs"]]
    assert kept == [site.PLAYTHING, "<audio></audio>"]
    assert made["metadata"] == {} and made["cells"][1] == cells[1]


def test_pages_notebooks_and_solutions_are_gathered_as_they_link_to_each_other(tmp_path):
    run = executed(tmp_path / "run")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "stale.md").touch()
    site.gather(run, tmp_path / "pages")
    there = {path.relative_to(tmp_path / "pages").as_posix() for path in (tmp_path / "pages").rglob("*.*")}
    wanted = {f"notebooks/{name}" for name in site.course_names()} | {"conf.py"} | {f"{name}.md" for name in PAGES}
    wanted |= {f"notebooks/solutions/{path.name}" for path in notebooks.NOTEBOOKS.glob("solutions/*.ipynb")}
    assert wanted <= there and "stale.md" not in there


def test_the_index_asks_the_questions_of_the_welcome():
    source = (notebooks.SOURCES / "00_welcome.py").read_text(encoding="utf-8")
    asked = re.findall(r"^# \| (\d\d) \| (.+?) \| (.+?) \|$", source, re.MULTILINE)
    shown = re.findall(r"^\| (\d\d) \| \[(.+?)\]\(.+?\) \| (.+?) \|$", PAGES["index"], re.MULTILINE)
    assert shown == asked and len(asked) == len(site.course_names())


@pytest.mark.skipif(find_spec("sphinx") is None, reason="Sphinx is not installed; `make site` installs it")
def test_sphinx_makes_a_whole_site_without_a_warning(tmp_path):
    run = executed(tmp_path / "run", [])
    for name in site.course_names():  # not executed: their text and their links are what counts here
        (run / name).write_bytes((notebooks.NOTEBOOKS / name).read_bytes())
    site.gather(run, tmp_path / "work" / "pages")
    site.make_site(tmp_path / "work", tmp_path / "site")
    formulas = (tmp_path / "site" / "notation.html").read_text(encoding="utf-8")
    assert formulas.count("<math") > 20 and not re.search(r'<script[^>]*src="http', formulas)
    assert "searchindex.js" in (tmp_path / "site" / "search.html").read_text(encoding="utf-8")
    for lost in ("[lost](lost.md)", "[lost](glossary.md#lost)", "[lost](notebooks/99_lost.ipynb)"):
        (tmp_path / "work" / "pages" / "reading.md").write_text(f"# A link\n\nIt is {lost}.\n")
        with pytest.raises(InputError, match="Sphinx"):
            site.make_site(tmp_path / "work", tmp_path / "site")
    assert (tmp_path / "site" / "index.html").is_file()
