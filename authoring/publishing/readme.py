"""What the README says that a computer knows better: its blocks, each with the command that fills it.

    python -m authoring.publishing.readme                  make again what follows from the files
    python -m authoring.publishing.readme --run NAME ...   run those blocks' commands, keep what they print

A block stands between `<!-- block: NAME: COMMAND -->` and `<!-- end block -->`.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import date

from authoring.publishing.notebooks import SOURCES, TIMES, built_path, repository, sources, tag
from lass_lab.course.profile import CHECKOUT
from lass_lab.experiments.trainer import hardware
from lass_lab.signal.files import InputError, atomic_path

README = CHECKOUT / "README.md"
UNMEASURED = "not measured yet"
BLOCK = re.compile(r"(<!-- block: (\w+): (.+?) -->\n)(.*?)(<!-- end block -->)", re.DOTALL)
MAP_ROW = re.compile(r"^# \| (\d\d) \| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)


def badges() -> str:
    """The badges of the tests and of the first notebook on Colab."""
    address = repository()
    tests = f"{address}/actions/workflows/test.yml"
    project = "/".join(address.split("/")[-2:])
    colab = f"https://colab.research.google.com/github/{project}/blob/{tag()}/notebooks/00_welcome.ipynb"
    colab_badge = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![tests]({tests}/badge.svg)]({tests}) [![Open in Colab]({colab_badge})]({colab})"


def clone() -> str:
    """The lines that fetch the course, with the address from pyproject.toml."""
    address = repository()
    return f"```sh\ngit clone {address}\ncd {address.split('/')[-1]}\n```"


def notebook_map() -> str:
    """The map of the course that notebook 00 shows, with links to the notebooks that exist.

    Raises:
        InputError: notebook 00 holds no map.
    """
    welcome = SOURCES / "00_welcome.py"
    rows = MAP_ROW.findall(welcome.read_text(encoding="utf-8"))
    if not rows:
        raise InputError(f"{welcome}: holds no map of the course (rows `# | NN | title | question |`)")
    there = {path.stem[:2]: path.name for path in map(built_path, sources()) if path.parent.name == "notebooks"}
    lines = ["| | notebook | the question it answers |", "|---|---|---|"]
    for number, title, question in rows:
        link = f"[{title}](notebooks/{there[number]})" if number in there else f"{title} (planned)"
        lines.append(f"| {number} | {link} | {question} |")
    return "\n".join(lines)


def course_time() -> str:
    """How long the course takes: its notebooks' times together, as they were recorded (notebooks/times.json)."""
    recorded = json.loads(TIMES.read_text(encoding="utf-8"))
    times = [recorded[path.stem]["cpu"] for path in sources() if path.parent.name != "solutions"]
    minutes = sum(time["seconds"] for time in times) / 60
    told = f"`make course` takes about {minutes:.0f} minutes on {times[0]['hardware']}, its notebooks together;"
    return f"{told} each tells at its\ntop how long it takes."


DERIVED: dict[str, Callable[[], str]] = {
    "badges": badges,
    "clone": clone,
    "course": course_time,
    "notebooks": notebook_map,
}


def blocks(text: str) -> dict[str, tuple[str, str]]:
    """The blocks of a README: name -> (command, content)."""
    return {match[2]: (match[3], match[4].strip()) for match in BLOCK.finditer(text)}


def filled(text: str, contents: dict[str, str]) -> str:
    """`text` with new contents in the named blocks.

    Raises:
        InputError: it has no such block.
    """
    if missing := sorted(set(contents) - set(blocks(text))):
        raise InputError(f"{README}: has no block named {missing[0]}")

    def put(match: re.Match) -> str:
        return f"{match[1]}{contents.get(match[2], match[4].strip())}\n{match[5]}"

    return BLOCK.sub(put, text)


def derived(text: str) -> str:
    """`text` with every block made again that follows from the files alone."""
    return filled(text, {name: make() for name, make in DERIVED.items()})


def measured(command: str) -> str:
    """Run a block's command in the checkout and lay out what it prints; progress goes to the terminal.

    Tables in Markdown stay tables, `FILE.png: WORDS` becomes the picture with its alt text, and all else stands
    verbatim in a fence; below it, when and on what it was measured.

    Raises:
        InputError: the command failed or printed nothing.
    """
    program, *rest = shlex.split(command)
    ours = [sys.executable, "-m", "lass_lab.cli"] if program == "lass-lab" else [sys.executable]
    result = subprocess.run([*ours, *rest], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    printed = result.stdout.strip("\n").rstrip()
    if result.returncode or not printed:
        raise InputError(f"{command}: ended with status {result.returncode}, its block stays as it was")
    if picture := re.fullmatch(r"(\S+\.png): (.+)", printed):
        return f"![{picture[2].replace('[', '(').replace(']', ')')}]({picture[1]})"
    table = printed if printed.startswith("|") else f"```\n{printed}\n```"
    return f"{table}\n\n*`{command}`, {date.today():%Y-%m-%d}, {hardware()}.*"


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status, 2 for bad input or a failed command."""
    parser = argparse.ArgumentParser("python -m authoring.publishing.readme", description="Fill README.md's blocks.")
    parser.add_argument("--run", nargs="+", metavar="NAME", default=[], help="run these blocks' commands")
    options = parser.parse_args(arguments)
    try:
        for name in options.run:
            known = {name: command for name, (command, _) in blocks(_read()).items() if name not in DERIVED}
            if name not in known:
                raise InputError(f"{name}: no block to measure; there are {', '.join(known)}")
            content = measured(known[name])
            _write(filled(_read(), {name: content}))
        _write(derived(_read()))
    except InputError as error:
        print(f"lass-lab: {error}", file=sys.stderr)
        return 2
    return 0


def _read() -> str:
    return README.read_text(encoding="utf-8")


def _write(text: str) -> None:
    with atomic_path(README, force=True) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
