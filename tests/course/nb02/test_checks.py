"""The check of notebook 02 says right to what is right, and names the typical mistake."""

import torch
from torch.nn.functional import cross_entropy

from lass_lab.course.nb02.checks import check_contrastive_loss
from lass_lab.experiments.contrastive import contrastive_loss
from tests.checking import NothingRaises, RightAndWrong


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


class TestRightAndWrong(RightAndWrong):
    RIGHT, WRONG = RIGHT, WRONG


class TestNothingRaises(NothingRaises):
    CHECKS = (check_contrastive_loss,)
