"""The check of notebook 02 says right to what is right, and names the typical mistake."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from lass_lab.course.words_checks import check_contrastive_loss
from lass_lab.experiments.contrastive import contrastive_loss


def towards(words, sounds, temperature):
    return cross_entropy(words @ sounds.T / temperature, torch.arange(len(words)))


RIGHT = [
    (check_contrastive_loss, contrastive_loss),
]
WRONG = [
    (check_contrastive_loss, towards, "the sounds choose among the words, too"),
    (check_contrastive_loss, lambda w, s, t: contrastive_loss(w, s, 1.0), "leaves the temperature out"),
    (check_contrastive_loss, lambda w, s, t: contrastive_loss(w, s, 1 / t), "multiplies by the temperature"),
    (check_contrastive_loss, lambda w, s, t: -contrastive_loss(w, s, t), "its sign is wrong"),
    (check_contrastive_loss, lambda w, s, t: 2 * contrastive_loss(w, s, t), "the loss is their mean"),
    (check_contrastive_loss, lambda w, s, t: 0.5, "guessing would be"),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT, ids=lambda value: getattr(value, "__name__", ""))
def test_right_is_right(check, answer, capsys):
    assert check(answer)
    assert capsys.readouterr().out.startswith("Right: ")


@pytest.mark.parametrize(("check", "answer", "sentence"), WRONG)
def test_the_typical_mistake_is_named(check, answer, sentence, capsys):
    assert not check(answer)
    assert sentence in capsys.readouterr().out


@pytest.mark.parametrize("check", [check for check, _ in RIGHT], ids=lambda check: check.__name__)
@pytest.mark.parametrize("junk", [None, ..., 3, "loss", lambda *_: "loss", lambda *_: [[1, 2], [3, 4]], lambda: 0])
def test_nothing_a_student_may_write_raises(check, junk, capsys):
    assert not check(junk)
    assert capsys.readouterr().out.count("\n") == 1
