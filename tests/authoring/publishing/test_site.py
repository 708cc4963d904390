"""The site: broken links are found, the right run is shown, and the pages say what the course says."""

import json
import re
import tomllib
from importlib.util import find_spec

import pytest

from authoring.publishing import notebooks, site
from lass_lab.course.profile import CHECKOUT
from lass_lab.signal.files import InputError

PAGES = {path.stem: path.read_text(encoding="utf-8") for path in site.PAGES.glob("*.md")}
NAMES = ["00_one.ipynb", "01_two.ipynb"]
GOOD = """<html><head><link rel="stylesheet" href="_static/a.css?v=1"><script src="_static/a.js"></script></head>
<body><h1 id="top-of-it">A</h1><a name="old"></a><a href="#top-of-it">.</a> <a href="#">.</a>
<a href="b/c.html#there">.</a>
<a href="b/">.</a> <a href="https://example.org/x#y">.</a> <a href="mailto:a@b.c">.</a> <a href="my%20file.txt">.</a>
<a href="#old">.</a><img src="a.png"><img src="data:image/png;base64,AA==">
<audio src="data:audio/mpeg;base64,AA=="></audio>
</body></html>"""


@pytest.fixture
def made(tmp_path):
    """A site of two pages on which every link leads somewhere."""
    for name in ("_static/a.css", "_static/a.js", "a.png", "my file.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b").mkdir()
    (tmp_path / "index.html").write_text(GOOD)
    (tmp_path / "b" / "c.html").write_text('<p id="there"><a href="../index.html#top-of-it">.</a></p>')
    (tmp_path / "b" / "index.html").write_text("<p>b</p>")
    (tmp_path / "_static" / "template.html").write_text('<a href="{{ nobody }}">reads this</a>')
    return tmp_path


def cell(source="1", count=1, outputs=()):
    return {"cell_type": "code", "source": source, "execution_count": count, "metadata": {}, "outputs": list(outputs)}


def executed(folder, names=NAMES, cells=None):
    """Write notebooks as a run leaves them."""
    folder.mkdir(parents=True)
    text = json.dumps({"cells": cells or [cell()], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    for name in names:
        (folder / name).write_text(text)
    return folder


def test_a_good_site_has_no_broken_link(made):
    assert site.broken_links(made) == []


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ('<a href="gone.html">', "gone.html: no such file"),
        ('<a href="c.html#gone">', "c.html#gone: no such anchor"),
        ('<a href="#gone">', "#gone: no such anchor"),
        ('<img src="gone.png">', "gone.png: no such file"),
        ('<audio src="gone.mp3">', "gone.mp3: no such file"),
        ('<a href="../../elsewhere.html">', "../../elsewhere.html: leads out of the site's folder"),
        ('<a href="/etc">', "/etc: leads out of the site's folder"),
    ],
)
def test_a_broken_link_is_named_with_its_page_and_line(made, tag, fault):
    (made / "b" / "index.html").write_text(f"<p>b</p>\n{tag}")
    assert site.broken_links(made) == [f"b/index.html:2: {fault}"]


def test_a_folder_without_pages_is_no_site(tmp_path):
    with pytest.raises(InputError, match="has no pages"):
        site.broken_links(tmp_path)


def test_the_newest_complete_run_is_chosen(tmp_path):
    executed(tmp_path / "20260101-000000")
    wanted = executed(tmp_path / "20260102-000000")
    executed(tmp_path / "20260103-000000", NAMES[:1])
    executed(tmp_path / "20260104-000000", cells=[cell(), cell(count=None)])
    executed(tmp_path / "20260105-000000", cells=[cell(outputs=[{"output_type": "error"}])])
    executed(tmp_path / "my-own-copy")
    (tmp_path / "20260106-000000").mkdir()
    (tmp_path / "20260106-000000" / NAMES[0]).write_text("no notebook")
    assert site.newest_complete_run(tmp_path, NAMES) == wanted


def test_without_a_complete_run_there_is_none(tmp_path):
    assert site.newest_complete_run(tmp_path / "nowhere", NAMES) is None
    executed(tmp_path / "20260101-000000", NAMES[1:])
    assert site.newest_complete_run(tmp_path, NAMES) is None


def test_an_empty_cell_need_not_have_run(tmp_path):
    run = executed(tmp_path / "20260101-000000", cells=[cell(), cell(source=" \n", count=None)])
    assert site.ran_to_its_end(run / NAMES[0])


def test_where_no_run_is_complete_the_course_is_run(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path))
    monkeypatch.setattr(notebooks, "run_course", lambda names, out: ran.append((names, out)))
    run = site.find_run()
    assert ran == [([], run)] and run.parent == tmp_path / "course" and site.STAMP.fullmatch(run.name)
    done = executed(tmp_path / "course" / "20260101-000000", site.course_names())
    assert site.find_run() == done and len(ran) == 1


def test_a_chosen_run_must_be_complete(tmp_path, capsys):
    executed(tmp_path / "run", site.course_names()[:-1])
    assert site.main(["--run", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"lass-lab: {tmp_path / 'run'}: not a complete run") and said.count("\n") == 1
    assert site.course_names()[-1] in said and site.course_names()[0] not in said


def test_what_needs_a_kernel_does_not_come_along():
    def widget(text):
        return {"output_type": "display_data", "metadata": {}, "data": {site.WIDGET: {}, "text/plain": text}}

    player = {"output_type": "execute_result", "metadata": {}, "data": {"text/html": "<audio></audio>"}}
    warning = {"output_type": "stream", "name": "stderr", "text": "W: no CUDA"}
    outputs = [widget("VBox(children=())"), widget("slicing: 0%"), warning, player]
    cells = [cell(notebooks.BOOTSTRAP), cell(outputs=outputs), {"cell_type": "markdown", "source": "a", "metadata": {}}]
    made = json.loads(site.for_reading(json.dumps({"cells": cells, "metadata": {"widgets": {}}})))
    assert made["metadata"] == {}
    assert made["cells"][0]["metadata"]["tags"] == ["hide-input"]
    assert [output["data"]["text/html"] for output in made["cells"][1]["outputs"]] == [
        site.PLAYTHING,
        "<audio></audio>",
    ]
    assert made["cells"][2] == cells[2]


def test_pages_notebooks_and_solutions_are_gathered_as_they_link_to_each_other(tmp_path):
    run = executed(tmp_path / "run", site.course_names())
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "stale.md").touch()
    site.gather(run, tmp_path / "pages")
    there = {path.relative_to(tmp_path / "pages").as_posix() for path in (tmp_path / "pages").rglob("*.*")}
    wanted = {f"notebooks/{name}" for name in site.course_names()} | {"conf.py"} | {f"{name}.md" for name in PAGES}
    wanted |= {f"notebooks/solutions/{path.name}" for path in notebooks.NOTEBOOKS.glob("solutions/*.ipynb")}
    assert wanted <= there and "stale.md" not in there


def test_the_glossary_has_the_course_s_words_in_order():
    (entries,) = re.findall(r"^```\{glossary\}\n(.*?)^```", PAGES["glossary"], re.MULTILINE | re.DOTALL)
    terms = re.findall(r"^(\S.*)$", entries, re.MULTILINE)
    contributing = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = contributing.split("## Words\n")[1].split("\n## ")[0]
    words = [
        word for row in re.findall(r"^\| (\*.+?) \|", table, re.MULTILINE) for word in re.findall(r"\*(.+?)\*", row)
    ]
    assert terms == sorted(terms)
    assert sorted(words) == terms


def test_every_page_is_in_the_table_of_contents():
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", "\n".join(PAGES.values()), re.MULTILINE | re.DOTALL)
    entries = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    patterns = {"notebooks/[0-9]*", "notebooks/solutions/[0-9]*"}
    assert sorted(entries) == sorted((set(PAGES) - {"index"}) | patterns)


def test_the_pages_name_notebooks_that_are_there():
    for page, text in PAGES.items():
        linked = re.findall(r"\]\((notebooks/[^)]+)\)", text)
        assert all((CHECKOUT / path).is_file() for path in linked), page
    answered = set(re.findall(r"notebooks/solutions/(\w+)\.ipynb", PAGES["instructors"]))
    assert answered == {path.stem for path in notebooks.NOTEBOOKS.glob("solutions/*.ipynb")}


def test_the_index_asks_the_questions_of_the_welcome():
    source = (notebooks.SOURCES / "00_welcome.py").read_text(encoding="utf-8")
    asked = re.findall(r"^# \| (\d\d) \| (.+?) \| (.+?) \|$", source, re.MULTILINE)
    shown = re.findall(r"^\| (\d\d) \| \[(.+?)\]\(.+?\) \| (.+?) \|$", PAGES["index"], re.MULTILINE)
    assert shown == asked and len(asked) == len(site.course_names())


def test_the_plans_add_up():
    text = PAGES["instructors"]
    rows = re.findall(r"^\| (\d+)–(\d+) \|", text, re.MULTILINE)
    starts, ends = ([int(value) for value in column] for column in zip(*rows, strict=True))
    assert starts == [0, *ends[:-1]] and ends[-1] == 120
    plan = text.split("## Four weeks")[1].split("\n## ")[0]
    weeks = []
    for week, minutes in re.findall(r"^\| (.*?) ?\| .+? \| (\d+) \|", plan, re.MULTILINE):
        weeks += [0] if week else []
        weeks[-1] += int(minutes)
    assert weeks == [120] * 4


def test_what_the_site_takes_is_pinned():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[\w-]+", line)[0] for line in project["optional-dependencies"]["site"]}
    pinned = set(re.findall(r"^([\w.-]+)==", (CHECKOUT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    assert names <= pinned
    assert {name.replace("_", "-") for name in site.NEEDED} <= names


@pytest.mark.skipif(
    any(find_spec(name) is None for name in site.NEEDED), reason="Sphinx is not installed; `make site` installs it"
)
def test_sphinx_makes_a_whole_site_without_a_warning(tmp_path):
    run = executed(tmp_path / "run", [])
    for name in site.course_names():  # not executed: their text and their links are what counts here
        (run / name).write_bytes((notebooks.NOTEBOOKS / name).read_bytes())
    site.gather(run, tmp_path / "work" / "pages")
    site.make_html(tmp_path / "work", tmp_path / "site")
    assert site.broken_links(tmp_path / "site") == []
    formulas = (tmp_path / "site" / "notation.html").read_text(encoding="utf-8")
    assert formulas.count("<math") > 20 and not re.search(r'<script[^>]*src="http', formulas)
    assert "searchindex.js" in (tmp_path / "site" / "search.html").read_text(encoding="utf-8")
    with pytest.raises(site.SiteError, match="could not make the site"):
        (tmp_path / "work" / "pages" / "index.md").write_text("# Nothing but a [lost](lost.md) link\n")
        site.make_html(tmp_path / "work", tmp_path / "site")
    assert (tmp_path / "site" / "index.html").is_file()
