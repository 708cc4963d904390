"""Tables of the studies in docs/, for notebooks whose claims they test."""

import re

import pandas as pd

from lass_lab.course.profile import CHECKOUT
from lass_lab.signal.files import InputError


def study_table(question: str, page: str = "studies.md") -> pd.DataFrame:
    """The table under a heading of a page in docs/, its variants as rows, its cells as text.

    Prints the line of the page that says what made it.

    Raises:
        InputError: no such page, or no table under such a heading.
    """
    path = CHECKOUT / "docs" / page
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = re.search(rf"^## {re.escape(question)}\n\n((?:\|.*\n)+)", text, re.MULTILINE)
    if not found:
        raise InputError(f"{path}: has no table under '{question}'")
    print(f"docs/{page}: {re.search('^Made by .*$', text, re.MULTILINE)[0]}")
    heading, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines())
    return pd.DataFrame(rows, columns=heading).set_index(heading[0]).rename_axis(None)
