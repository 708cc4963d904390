"""Blocks of README.md and of the site's results that are made, not typed: filled by cog, by the code in their marker.

    <!-- [[[cog notebook_map() ]]] -->                              what follows from the files (`DERIVED`)
    <!-- [[[cog measured("evaluate", "lass-lab evaluate") ]]] -->   a name, and the command that measures it

A block ends with `<!-- [[[end]]] -->`. `python -m authoring readme` makes all blocks of the first kind again and leaves
those of the second as they are; `python -m authoring readme --run NAME` runs the command of that block, too.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Collection
from datetime import date
from pathlib import Path

from authoring.pages import write
from authoring.publishing.notebooks import SOURCES, badge, built_path, read_times, repository, sources
from lass_lab.course.profile import CHECKOUT
from lass_lab.experiments.run_facts import hardware
from lass_lab.signal.files import InputError, atomic_path

README = CHECKOUT / "README.md"
PAGES = (README, CHECKOUT / "docs" / "site" / "results.md")
MAP_ROW = re.compile(r"^# \| (\d\d) \| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)
PICTURE, START_S, SECONDS, QUERY = "docs/separation.png", 20.0, 8.0, "violin"  # both instruments play


def badges() -> str:
    """The badges of the tests and of the first notebook on Colab."""
    tests = f"{repository()}/actions/workflows/test.yml"
    return f"[![tests]({tests}/badge.svg)]({tests}) {badge(Path('00_welcome.ipynb'))}"


def clone() -> str:
    """The lines that fetch the course, with the address from pyproject.toml."""
    return f"```sh\ngit clone --depth 1 {repository()}\ncd {repository().split('/')[-1]}\n```"


def notebook_map() -> str:
    """The map of the course that notebook 00 shows, with links to the notebooks."""
    paths = {source.stem[:2]: built_path(source).name for source in sources() if source.parent == SOURCES}
    lines = ["| | notebook | the question it answers |", "|---|---|---|"]
    for number, title, question in MAP_ROW.findall((SOURCES / "00_welcome.py").read_text(encoding="utf-8")):
        lines.append(f"| {number} | [{title}](notebooks/{paths[number]}) | {question} |")
    return "\n".join(lines)


def course_time() -> str:
    """How long the course takes: its notebooks' times together, as they were recorded (notebooks/times.json)."""
    times = [read_times()[source.stem]["cpu"] for source in sources() if source.parent == SOURCES]
    minutes = sum(time["seconds"] for time in times) / 60
    told = f"`make course` takes about {minutes:.0f} minutes on {times[0]['hardware']}, its notebooks together;"
    return f"{told} each tells at its\ntop how long it takes."


DERIVED = (badges, clone, notebook_map, course_time)


def made(text: str, run: Collection[str] = (), page: Path = README) -> str:
    """The `text` of a page with its blocks made again; of those that are measured, the named ones.

    Raises:
        InputError: a block that is not measured yet, or a command that failed.
    """
    from cogapp.cogapp import Cog, CogError

    cog = Cog()

    def measured(name: str, command: str) -> None:
        content = measure(command) if name in run else cog.cogmodule.previous.strip()
        if f"`{command}`" not in content and not content.startswith("!["):
            raise InputError(f"block {name}: not measured yet; run: python -m authoring readme --run {name}")
        cog.cogmodule.outl(content)

    cog.options.defines = {"measured": measured}
    cog.options.defines |= {make.__name__: lambda make=make: cog.cogmodule.outl(make()) for make in DERIVED}
    try:
        text = cog.process_string(text, str(page))
    except CogError as error:  # cog tells an error in a block with its traceback, the error itself at the end
        raise InputError(f"{page}: {str(error).splitlines()[-1].removeprefix('InputError: ')}") from error
    return text


def measure(command: str) -> str:
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


def fill(run: Collection[str]) -> None:
    """Make the pages again; each of the blocks to be measured is written as soon as it is."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    there = {name for text in texts for name in re.findall(r'cog measured\("(\w+)"', text)}
    if unknown := set(run) - there:
        raise InputError(f"{min(unknown)}: no block to measure; there are {', '.join(sorted(there))}")
    for names in [[name] for name in run] or [[]]:
        for page in PAGES:
            write(page.parent, {page.name: made(page.read_text(encoding="utf-8"), names, page)}, force=True)


def draw_picture() -> str:
    """Draw the held-out duet, the violin in it, and what the tiny separator makes of the query “violin”.

    Returns:
        The picture's path and, after a colon, an alt text made from its data.
    """
    import matplotlib.pyplot as plt

    from lass_lab.course.plots import compare_spectrograms, describe
    from lass_lab.datasets import list_pieces, load_piece
    from lass_lab.models import load_separator

    plt.switch_backend("agg")
    excerpt = load_piece(list_pieces("test")[0]).slice(START_S, SECONDS)
    panels = {
        "mixture: violin and trumpet": excerpt.mixture,
        f"estimate: you type “{QUERY}”": load_separator("tiny").separate(excerpt.mixture, QUERY),
        f"target: the true {QUERY}": excerpt.sources[QUERY],
    }
    figure = compare_spectrograms(panels, max_khz=8, db_range=50)
    with atomic_path(CHECKOUT / PICTURE, force=True) as temporary:
        figure.savefig(temporary, dpi=110)
    return f"{PICTURE}: {describe(figure)}"
