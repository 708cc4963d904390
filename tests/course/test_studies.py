"""Tables of the studies are read off their pages, as the notebooks quote them."""

import pytest

from lass_lab.course.studies import study_table
from lass_lab.signal import InputError

QUESTION = "What does replacing the output layer cost, and what does it gain?"


def test_a_table_is_read_with_the_line_that_says_what_made_it(capsys):
    table = study_table(QUESTION)
    assert list(table.index) == ["tiny", "audiosep", "paper", "paper-complex", "preserving"]
    assert table["trumpet, dB"].astype(float).between(-30, 30).all()
    assert capsys.readouterr().out.startswith("docs/studies.md: Made by `")


@pytest.mark.parametrize(("question", "page"), [("What?", "studies.md"), (QUESTION, "none.md")])
def test_a_table_that_is_not_there_is_named(question, page):
    with pytest.raises(InputError, match=rf"{page}: has no table under '{question[:4]}"):
        study_table(question, page)
