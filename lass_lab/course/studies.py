"""Tables of the studies in docs/, for notebooks whose claims they test."""

import re

import pandas as pd

from lass_lab.course.profile import CHECKOUT


def study_table(question: str) -> pd.DataFrame:
    """The table under a heading of docs/studies.md, its variants as rows, its cells as text.

    Prints the line of the page that says what made it.
    """
    text = (CHECKOUT / "docs" / "studies.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(question)}\n\n((?:\|.*\n)+)", text, re.MULTILINE)
    print(f"docs/studies.md: {re.search('^Made by .*$', text, re.MULTILINE)[0]}")
    heading, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines())
    return pd.DataFrame(rows, columns=heading).set_index(heading[0]).rename_axis(None)
