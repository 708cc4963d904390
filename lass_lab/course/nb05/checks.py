"""The checks of notebook 05: 1x1 convolutions in a row, and a learning rate with a warm-up."""

from functools import partial

import numpy as np

from lass_lab.course.checks import Exercise, normal
from lass_lab.experiments.training import Schedule

check_one_matrix = Exercise(
    reference=lambda lift, factors, lower: lower @ np.diag(factors) @ lift,
    cases=lambda: [normal((7, 4), (7,), (2, 7)), normal((32, 3), (32,), (1, 32)), normal((8, 8), (8,), (3, 8))],
    mistakes={
        "it leaves the factors out.": lambda lift, factors, lower: lower @ lift,
        "it adds the factors; multiply by them.": lambda lift, factors, lower: lower @ (lift + factors[:, None]),
        "rows are outputs, columns are channels.": lambda lift, factors, lower: (lower @ np.diag(factors) @ lift).T,
    },
)


def _rate(step, steps, warmup, descent, first=1, last=0, top=1.0) -> float:
    return min(top, (step + first) / warmup, (steps - last - step) / round(descent * steps))


check_rate = Exercise(
    reference=lambda step, steps, warmup, descent: Schedule(steps, 1.0, warmup, descent)(step),
    cases=lambda: [(step, *run) for run in ((100, 10, 0.5), (40, 5, 0.25)) for step in range(run[0])],
    mistakes={
        "a step at a rate of zero teaches nothing; step 0 is the first of the warm-up.": partial(_rate, first=0),
        "it should never be above 1: take the smallest of the three.": partial(_rate, top=np.inf),
        "the warm-up is missing.": partial(_rate, first=np.inf),
        "the descent is missing.": partial(_rate, last=-np.inf),
        "it comes to 0 a step too early: the last step still has a rate.": partial(_rate, last=1),
    },
)
