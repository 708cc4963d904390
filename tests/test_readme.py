"""What README and CONTRIBUTING promise is there: commands, files, blocks, and the Python example."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import yaml

from authoring.publishing import readme
from authoring.publishing.notebooks import repository
from lass_lab.signal.files import InputError

ROOT = Path(__file__).resolve().parents[1]
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")}
README = TEXTS["README.md"]
BLOCKS = readme.blocks(README)
MEASURED = sorted(set(BLOCKS) - set(readme.DERIVED))
each_text = pytest.mark.parametrize("name", TEXTS)


def code(text: str) -> list[str]:
    """What stands in back-ticks or in fences, a line each."""
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [line.split("  #")[0].strip() for fence in fences for line in fence.splitlines()] + spans


def commands() -> dict[str, object]:
    import typer

    from lass_lab.cli import app

    return typer.main.get_command(app).commands


@each_text
def test_every_make_target_exists(name):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    said = {match for line in code(TEXTS[name]) for match in re.findall(r"(?:^| )make ([a-z-]+)", line)}
    assert {"test", "course" if name == "README.md" else "lint"} <= said <= targets, said - targets


@each_text
def test_every_command_line_is_one_that_the_program_takes(name):
    """Parse, and do not run, each `lass-lab ...` of the text."""
    shown = [line for line in code(TEXTS[name]) if re.match(r"lass-lab (?!needs)", line)]
    assert shown
    for line in shown:
        words = shlex.split(line)[1:]
        command = commands()[words.pop(0)]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        if words:  # without any, the text speaks of the command and does not call it
            command.make_context(line, words)


def test_the_table_of_commands_is_complete():
    rows = re.findall(r"^\| `lass-lab (\w+)` \|", README, re.MULTILINE)
    assert sorted(rows) == sorted(commands())


@each_text
def test_every_path_exists(name):
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", TEXTS[name])
    ours = r"(?:\.\./|\.venv/)?((?:lass_lab|data|tests|docs|notebooks)/[\w./-]*|[\w.-]+\.(?:toml|yml|txt|cff))"
    spans = [match[1] for line in code(TEXTS[name]) for match in re.finditer(rf"(?:^| ){ours}(?= |$)", line)]
    planned = {"notebooks/source/NN_name.py"}
    missing = {path for path in [*links, *spans] if path not in planned and not (ROOT / path).exists()}
    assert len(links) + len(spans) > 5
    assert not missing


@each_text
def test_every_module_that_is_run_exists(name):
    modules = {m for line in TEXTS[name].splitlines() for m in re.findall(r"python -m (lass_lab[\w.]+)", line)}
    assert modules
    for module in modules:
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module


@each_text
def test_the_address_stands_in_made_blocks_alone(name):
    by_hand = readme.BLOCK.sub("", TEXTS[name])
    assert repository().removeprefix("https://") not in by_hand


def test_made_blocks_follow_from_the_files():
    assert set(readme.DERIVED) <= set(BLOCKS)
    assert readme.derived(README) == README, "run: python -m authoring.publishing.readme"


@pytest.mark.parametrize("name", MEASURED)
def test_every_measured_block_holds_what_its_command_printed(name):
    command, content = BLOCKS[name]
    again = f"run: python -m authoring.publishing.readme --run {name}"
    assert content and content != readme.UNMEASURED, again
    if name == "picture":
        alt, path = re.fullmatch(r"!\[(.+)\]\((\S+)\)", content).groups()
        assert len(alt) > 40 and (ROOT / path).is_file()
    elif content != "being measured":  # as in the copy that is being timed
        assert f"`{command}`" in content and "CPU cores" in content, again
        assert re.search(r"\d", content.split("\n\n*")[0]), again


def test_nothing_planned_is_there_and_nothing_there_is_planned():
    there = {path.name[:2] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    planned = set(re.findall(r"\b(\d\d), planned", README))
    planned |= set(re.findall(r"^\| (\d\d) \| [^|]+ \(planned\) \|", README, re.MULTILINE))
    assert not planned & there


def test_the_python_example_runs(tmp_path):
    (example,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    result = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"violin: [+-]\d+\.\d dB against the mixture\n", result.stdout)
    info = soundfile.info(tmp_path / "violin.wav")
    assert (info.frames, info.samplerate, info.channels) == (160_000, 32_000, 1)


def test_the_citation_names_the_licence_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0" and citation["title"].startswith("LASS Lab")
    assert f'license = "{citation["license"]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


TEXT = "a\n<!-- block: one: python -c 'print(1)' -->\nold\n<!-- end block -->\nb\n"


def test_filling_a_block_leaves_all_else_alone():
    full = readme.filled(TEXT, {"one": "new"})
    assert full == TEXT.replace("old", "new")
    assert readme.filled(full, {"one": "old"}) == TEXT
    assert readme.filled(TEXT, {}) == TEXT
    with pytest.raises(InputError, match="no block named two"):
        readme.filled(TEXT, {"two": "new"})


@pytest.mark.parametrize(
    ("printed", "begins"),
    [
        ("  a  b\n  1  2", "```\n  a  b\n  1  2\n```\n"),
        ("| a |\n|---|\n| 1 |", "| a |\n|---|\n| 1 |\n"),
        ("docs/x.png: Two lines [dB].", "![Two lines (dB).](docs/x.png)"),
    ],
)
def test_what_a_command_prints_is_laid_out(printed, begins):
    content = readme.measured(shlex.join(["python", "-c", f"print({printed!r})"]))
    assert content.startswith(begins)


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "pass"])
def test_a_command_that_fails_or_says_nothing_fills_no_block(program):
    with pytest.raises(InputError, match="its block stays as it was"):
        readme.measured(shlex.join(["python", "-c", program]))


def test_run_measures_the_named_block_in_place(tmp_path, monkeypatch, capsys):
    path = tmp_path / "README.md"
    path.write_text(TEXT)
    monkeypatch.setattr(readme, "README", path)
    monkeypatch.setattr(readme, "DERIVED", {})
    assert readme.main(["--run", "one"]) == 0
    assert "```\n1\n```" in path.read_text() and "old" not in path.read_text()
    assert readme.main(["--run", "two"]) == 2
    assert capsys.readouterr().err == "lass-lab: two: no block to measure; there are one\n"
