"""Tables of the studies are read off their pages, as the notebooks quote them."""

from lass_lab.course.studies import study_table

QUESTION = "What does replacing the output layer cost, and what does it gain?"


def test_a_table_is_read_with_the_line_that_says_what_made_it(capsys):
    table = study_table(QUESTION)
    assert list(table.index) == ["tiny", "audiosep", "paper", "paper-complex", "preserving"]
    assert table["trumpet, dB"].astype(float).between(-30, 30).all()
    assert capsys.readouterr().out.startswith("docs/studies.md: Made by `")
