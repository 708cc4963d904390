"""What a student checks a reading by: folded answers to a notebook's questions, and five more at its end."""

import tomllib
from dataclasses import dataclass
from functools import partial
from html import escape
from importlib import resources

import ipywidgets
from IPython.display import HTML

from lass_lab.course.widgets import Plaything


@dataclass(frozen=True)
class Question:
    """A question, and what choosing each of its answers earns.

    Attributes:
        ask: the question, one or two sentences.
        right: the right one of the choices.
        choices: answer -> why it is right or wrong, in the order of the page.
    """

    ask: str
    right: str
    choices: dict[str, str]


def answer(text: str) -> HTML:
    """A folded answer to the question above it; fill it from this run's own numbers.

    Args:
        text: plain text; an empty line begins a paragraph.
    """
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in text.strip().split("\n\n"))
    return HTML(f"<details><summary>Answer</summary>{paragraphs}</details>")


def questions(notebook: str) -> list[Question]:
    """The questions of a notebook ("00" to "10"), from the quiz.toml beside what that notebook alone uses."""
    path = resources.files(f"lass_lab.course.nb{notebook}") / "quiz.toml"
    return [Question(**each) for each in tomllib.loads(path.read_text(encoding="utf-8"))["questions"]]


def quiz(notebook: str) -> Plaything:
    """Five questions about a notebook, of which each choice is answered with why it is right or wrong.

    Without a kernel, the page has the questions, their choices, and the analysed answers, folded.
    """
    asked = questions(notebook)
    live = ipywidgets.VBox([_live(number, question) for number, question in enumerate(asked, 1)])
    pages = "".join(_still(number, question) for number, question in enumerate(asked, 1))
    return Plaything(live, HTML(f"<details><summary>The questions to read, with answers</summary>{pages}</details>"))


def _live(number: int, question: Question) -> ipywidgets.Widget:
    layout = ipywidgets.Layout(width="auto")
    choices = ipywidgets.RadioButtons(options=list(question.choices), index=None, layout=layout)
    reply = ipywidgets.HTML()
    choices.observe(partial(_reply, question, reply), "value")
    return ipywidgets.VBox([ipywidgets.HTML(f"<b>{number}.</b> {escape(question.ask)}"), choices, reply])


def _reply(question: Question, reply: ipywidgets.HTML, change: dict) -> None:
    verdict = "Right" if change["new"] == question.right else "No"
    reply.value = f'<p role="status"><b>{verdict}:</b> {escape(question.choices[change["new"]])}</p>'


def _still(number: int, question: Question) -> str:
    choices = "".join(f"<li>{escape(choice)}</li>" for choice in question.choices)
    analysed = "".join(
        f"<li><b>{'Right' if choice == question.right else 'No'}</b> ({escape(choice)}): {escape(why)}</li>"
        for choice, why in question.choices.items()
    )
    folded = f"<details><summary>Answer</summary><ul>{analysed}</ul></details>"
    return f"<p><b>{number}.</b> {escape(question.ask)}</p><ul>{choices}</ul>{folded}"
