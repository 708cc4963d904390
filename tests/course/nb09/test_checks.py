"""The checks of notebook 09 say right to what is right, and name the typical mistake."""

import numpy as np
import torch

from lass_lab.course.nb09.checks import check_mean_gradient, check_training_bytes
from tests.checking import NothingRaises, RightAndWrong


def right_bytes(learning, frozen, each, amsgrad):
    return each * (frozen + learning * (5 if amsgrad else 4))


def right_mean(gradients, items):
    return items @ gradients / items.sum()


RIGHT = [
    (check_training_bytes, right_bytes),
    (check_mean_gradient, right_mean),
    (check_mean_gradient, lambda gradients, items: torch.tensor(right_mean(gradients, items), requires_grad=True)),
]
WRONG = [
    (check_training_bytes, lambda learning, frozen, each, amsgrad: frozen + 4 * learning, "it counts numbers"),
    (check_training_bytes, lambda *numbers: 8 * right_bytes(*numbers), "it counts bits"),
    (check_training_bytes, lambda learning, frozen, each, amsgrad: each * (frozen + 2 * learning), "AdamW's moments"),
    (
        check_training_bytes,
        lambda learning, frozen, each, amsgrad: right_bytes(learning, 0, each, amsgrad),
        "forgets the frozen parameters",
    ),
    (
        check_training_bytes,
        lambda learning, frozen, each, amsgrad: each * learning * (4 if amsgrad else 3),
        "forgets the weights themselves",
    ),
    (
        check_training_bytes,
        lambda learning, frozen, each, amsgrad: right_bytes(learning + frozen, 0, each, amsgrad),
        "as if they learnt",
    ),
    (
        check_training_bytes,
        lambda learning, frozen, each, amsgrad: right_bytes(learning, 2 * frozen, each, amsgrad),
        "counts gradients for frozen",
    ),
    (
        check_training_bytes,
        lambda learning, frozen, each, amsgrad: right_bytes(learning, (4 if amsgrad else 3) * frozen, each, amsgrad),
        "counts moments for frozen",
    ),
    (
        check_training_bytes,
        lambda learning, frozen, each, amsgrad: right_bytes(learning, frozen, each, False),
        "forgets that amsgrad",
    ),
    (
        check_training_bytes,
        lambda learning, frozen, each, amsgrad: right_bytes(learning, frozen, each, True),
        "only amsgrad keeps one",
    ),
    (check_training_bytes, lambda learning, frozen, each, amsgrad: each * (frozen + 3 * learning), "one number short"),
    (check_training_bytes, lambda learning, frozen, each, amsgrad: 1, "torch holds"),
    (check_training_bytes, lambda learning, frozen, each: each, "stops with TypeError"),
    (check_mean_gradient, lambda gradients, items: gradients.sum(axis=0), "it adds the gradients"),
    (check_mean_gradient, lambda gradients, items: gradients.mean(axis=0), "it takes the plain mean"),
    (check_mean_gradient, lambda gradients, items: items @ gradients, "it forgets to divide"),
    (check_mean_gradient, lambda gradients, items: items @ gradients / len(items), "by the number of processes"),
    (check_mean_gradient, lambda gradients, items: gradients, "goes out as it came in"),
    (check_mean_gradient, lambda gradients, items: np.zeros(gradients.shape[1]), "not the gradient of the whole batch"),
]


class TestRightAndWrong(RightAndWrong):
    RIGHT, WRONG = RIGHT, WRONG


class TestNothingRaises(NothingRaises):
    CHECKS = (check_training_bytes, check_mean_gradient)


def test_the_checks_work_where_gradients_are_switched_off():
    with torch.no_grad():
        assert check_training_bytes(right_bytes)
        assert check_mean_gradient(right_mean)
