"""What README, CONTRIBUTING and the site's pages promise is there: commands, files, blocks, and the Python example."""

import re
import shlex
from pathlib import Path

import pytest
import soundfile
import yaml

from authoring.publishing import readme
from authoring.publishing.notebooks import repository
from lass_lab.signal.files import InputError

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/site/{name}.md" for name in ("commands", "results", "making", "paper")),
)
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
README = TEXTS["README.md"]
each_text = pytest.mark.parametrize("name", TEXTS)


def code(text: str) -> list[str]:
    """What stands in back-ticks or in fences, a line each."""
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [line.split("  #")[0].strip() for fence in fences for line in fence.splitlines()] + spans


def commands() -> dict[str, object]:
    """Every command by what it is called: `lass-lab separate`, `python -m authoring render sources`."""
    import typer

    from authoring.__main__ import app as authoring
    from lass_lab.cli import app

    found = {}
    for start, program in (("lass-lab", app), ("python -m authoring", authoring)):
        for name, command in typer.main.get_command(program).commands.items():
            inner = getattr(command, "commands", {})
            found |= {f"{start} {name} {each}": inner[each] for each in inner} or {f"{start} {name}": command}
    return found


@each_text
def test_every_make_target_exists(name):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    said = {match for line in code(TEXTS[name]) for match in re.findall(r"(?:^| )make ([a-z-]+)", line)}
    assert said <= targets, said - targets


@each_text
def test_every_command_line_is_one_that_the_program_takes(name):
    """Parse, and do not run, each `lass-lab ...` and `python -m authoring ...` of the text."""
    known = commands()
    for line in code(TEXTS[name]):
        if re.match(r"(lass-lab|python -m authoring) (?!needs|\.\.\.)", line):
            (called,) = [each for each in known if f"{line} ".startswith(f"{each} ")] or [line]
            if words := shlex.split(line.removeprefix(called)):  # without any, the text only speaks of the command
                known[called].make_context(line, words)


def test_the_table_of_commands_is_complete():
    rows = re.findall(r"^\| `(lass-lab \w+)` \|", TEXTS["docs/site/commands.md"], re.MULTILINE)
    assert sorted(rows) == sorted(name for name in commands() if name.startswith("lass-lab"))


@each_text
def test_every_path_exists(name):
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", TEXTS[name])
    rooms = "lass_lab|authoring|data|tests|docs|notebooks"
    ours = rf"(?:\.\./|\.venv/)?((?:{rooms})/[\w./-]*|[\w.-]+\.(?:toml|yml|txt|cff))"
    spans = [match[1] for line in code(TEXTS[name]) for match in re.finditer(rf"(?:^| ){ours}(?= |$)", line)]
    planned = {"notebooks/source/NN_name.py", "lass_lab/course/nbNN/checks.py"}
    folder = (ROOT / name).parent
    missing = {path for path in links if not (folder / path.partition("#")[0]).exists()}
    missing |= {path for path in spans if path not in planned and not (ROOT / path).exists()}
    assert not missing


@each_text
def test_the_address_stands_in_made_blocks_alone(name):
    by_hand = re.sub(r"\]\]\] -->.*?<!-- \[\[\[end", "", TEXTS[name], flags=re.DOTALL)
    assert repository().removeprefix("https://") not in by_hand


def test_blocks_follow_from_the_files_and_none_is_unmeasured():
    for page in readme.PAGES:
        text = page.read_text(encoding="utf-8")
        assert readme.made(text) == text, "run: python -m authoring readme"


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert re.fullmatch(r"violin: [+-]\d+\.\d dB against the mixture\n", capsys.readouterr().out)
    info = soundfile.info(tmp_path / "violin.wav")
    assert (info.frames, info.samplerate, info.channels) == (160_000, 32_000, 1)


def test_the_citation_names_the_licence_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0" and citation["title"].startswith("LASS Lab")
    assert f'license = "{citation["license"]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


TEXT = """a
<!-- [[[cog measured("one", "python -c 'print(1)'") ]]] -->
old, by `python -c 'print(1)'`
<!-- [[[end]]] -->
b
"""


def test_a_block_is_measured_where_it_is_named(tmp_path, monkeypatch):
    page = tmp_path / "README.md"
    monkeypatch.setattr(readme, "PAGES", (page,))
    page.write_text(TEXT)
    readme.fill([])
    assert page.read_text() == TEXT
    with pytest.raises(InputError, match="two: no block to measure; there are one"):
        readme.fill(["two"])
    readme.fill(["one"])
    full = page.read_text()
    assert "```\n1\n```\n\n*`python -c 'print(1)'`, 20" in full and "old" not in full
    assert full.startswith(TEXT.split("old")[0]) and full.endswith("<!-- [[[end]]] -->\nb\n")


@pytest.mark.parametrize(
    ("text", "names", "fault"),
    [
        (
            TEXT.replace("old, by `python -c 'print(1)'`\n", ""),
            [],
            "block one: not measured yet; run: python -m authoring",
        ),
        (TEXT.replace("'`", ")'`"), [], "block one: not measured yet"),  # another command than is named
        (TEXT.replace("print(1)", "raise SystemExit(3)"), ["one"], "ended with status 3"),
    ],
)
def test_what_cannot_be_filled_is_named(text, names, fault):
    with pytest.raises(InputError, match=fault):
        readme.made(text, names)
