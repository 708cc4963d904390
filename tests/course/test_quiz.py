"""Every quiz has five questions with analysed answers, and says right to the right one alone."""

from html import escape
from importlib import resources

import pytest

from lass_lab.course.quiz import answer, questions, quiz

NOTEBOOKS = [
    place.name[2:]
    for place in sorted(resources.files("lass_lab.course").iterdir(), key=lambda place: place.name)
    if place.name.startswith("nb") and (place / "quiz.toml").is_file()
]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_five_questions_each_with_one_right_answer(notebook):
    asked = questions(notebook)
    assert len(asked) == len({each.ask for each in asked}) == 5
    for each in asked:
        assert each.right in each.choices and 3 <= len(each.choices) <= 4
        assert all(len(why) > 20 for why in each.choices.values())
    # Nobody should get through by always choosing one place, or the longest answer.
    assert len({list(each.choices).index(each.right) for each in asked}) > 1
    assert any(each.right != max(each.choices, key=len) for each in asked)


def test_a_choice_is_answered_and_can_be_changed():
    shown = quiz("00")
    _, choices, reply = shown.widget.children[0].children
    question = questions("00")[0]
    for choice, why in question.choices.items():
        choices.value = choice
        assert escape(why) in reply.value and ("Right:" in reply.value) == (choice == question.right)


def test_the_page_without_a_kernel_has_every_question_and_answer():
    page = quiz("00").still.data
    for each in questions("00"):
        assert escape(each.ask) in page and all(escape(why) in page for why in each.choices.values())


def test_an_answer_is_folded_and_shows_what_it_is_given():
    page = answer("a < b & c\n\nmore").data
    assert page.startswith("<details><summary>Answer</summary>") and "<p>a &lt; b &amp; c</p><p>more</p>" in page
