"""The checks of notebooks 05 and 06 say right to what is right, and name the typical mistake."""

import numpy as np

from lass_lab.course.nb05.checks import check_freeze, check_low_rank, check_one_matrix, check_rate
from tests.checking import STUBS, NothingRaises, RightAndWrong, one_line


def right_rate(step, steps, warmup, descent):
    return min(1.0, (step + 1) / warmup, (steps - step) / round(descent * steps))


def right_freeze(part):
    part.requires_grad_(False).eval()


def freeze_by_gradient(part):
    part.requires_grad_(False)


def freeze_but_batch_norm(part):
    part.requires_grad_(False).eval()
    part[1].train()


def freeze_but_dropout(part):
    part.requires_grad_(False)
    part[1].eval()


def freeze_by_mode(part):
    part.eval()


def freeze_weights_alone(part):
    part.eval()
    for name, parameter in part.named_parameters():
        parameter.requires_grad_("bias" in name)


def freeze_by_zero(part):
    right_freeze(part)
    for parameter in part.parameters():
        parameter.data.zero_()


def right_low_rank(weight, down, up, alpha):
    return weight + alpha / len(down) * up @ down


RIGHT = [
    (check_one_matrix, lambda lift, factors, lower: lower @ np.diag(factors) @ lift),
    (check_rate, right_rate),
    (check_freeze, right_freeze),
    (check_low_rank, right_low_rank),
]
WRONG = [
    (check_one_matrix, lambda lift, factors, lower: lower @ lift, "leaves the factors out"),
    (check_one_matrix, lambda lift, factors, lower: (lower @ np.diag(factors) @ lift).T, "transpose"),
    (check_one_matrix, lambda lift, factors, lower: lower @ (lift + factors[:, None]), "multiplies by them"),
    (check_one_matrix, lambda lift, factors, lower: lower @ np.diag(factors) @ lift + 1, "a matrix product"),
    (check_one_matrix, lambda lift, factors, lower: lift, "of shape"),
    (check_rate, lambda step, steps, warmup, descent: (step + 1) / warmup, "never be above 1"),
    (check_rate, lambda step, steps, warmup, descent: min(1.0, step / warmup), "teaches nothing"),
    (check_rate, lambda step, steps, warmup, descent: min(1.0, (step + 1) / warmup), "in the descent"),
    (check_freeze, freeze_by_gradient, "a batch norm follows the data"),
    (check_freeze, freeze_but_batch_norm, "a batch norm follows the data"),
    (check_freeze, freeze_but_dropout, "dropout still throws dice"),
    (check_freeze, freeze_by_mode, "requires_grad is still true"),
    (check_freeze, freeze_weights_alone, "requires_grad is still true"),
    (check_freeze, freeze_by_zero, "changes the part's weights"),
    (check_freeze, lambda part: 1 / 0, "stops with ZeroDivisionError"),
    (check_low_rank, lambda w, d, u, alpha: alpha / len(d) * u @ d, "the change alone"),
    (check_low_rank, lambda w, d, u, alpha: w + u @ d, "leaves the scale out"),
    (check_low_rank, lambda w, d, u, alpha: w + alpha * u @ d, "divide by the rank"),
    (check_low_rank, lambda w, d, u, alpha: w + len(d) / alpha * u @ d, "divides by alpha"),
    (check_low_rank, lambda w, d, u, alpha: w - alpha / len(d) * u @ d, "wrong sign"),
    (check_low_rank, lambda w, d, u, alpha: w.T, "the weight has the shape"),
    (check_low_rank, lambda w, d, u, alpha: 2 * w, "other numbers"),
]


class TestRightAndWrong(RightAndWrong):
    RIGHT, WRONG = RIGHT, WRONG


class TestNothingRaises(NothingRaises):
    CHECKS = (check_one_matrix, check_rate, check_low_rank)


def test_a_part_left_as_it_is_is_no_answer_yet(capsys):
    for stub in STUBS:
        assert not check_freeze(stub)
        assert one_line(capsys).startswith("Not solved yet: ")


def test_what_cannot_freeze_is_told(capsys):
    for answer in (3, "loss", lambda: 0):
        assert not check_freeze(answer)
        assert one_line(capsys).startswith("Not yet: ")
