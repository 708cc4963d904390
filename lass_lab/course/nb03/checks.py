"""The checks of notebook 03: three mask channels into one mask, and what an improvement is worth beside silence's."""

from functools import partial

import numpy as np
from scipy.special import expit

from lass_lab.course.checks import Exercise, normal


def _mask(size, across, up, share=expit, squeeze=np.tanh, unit=lambda way: way / np.abs(way)) -> np.ndarray:
    return share(size) * unit(squeeze(across) + 1j * squeeze(up))


check_mask = Exercise(
    reference=_mask,
    cases=lambda: [normal((4, 6), (4, 6), (4, 6)), normal((2, 9), (2, 9), (2, 9))],
    mistakes={
        "the direction changes the size as well; divide it by its own length.": partial(_mask, unit=lambda way: way),
        "it is the share alone; turn the phase, too.": lambda size, across, up: expit(size) + 0j,
        "the share should lie between 0 and 1: channel 0 goes through a sigmoid.": partial(_mask, share=lambda x: x),
        "channels 1 and 2 go through tanh before they make a direction.": partial(_mask, squeeze=lambda x: x),
        "channels 1 and 2, the real and the imaginary part, are exchanged.": lambda size, x, y: _mask(size, y, x),
    },
)

check_beats_silence = Exercise(
    reference=lambda gained, before: before + gained > 0,
    # Better than the mixture and worse than nothing; the other way round; better than both; barely so; worse than both.
    cases=lambda: [(np.array([2.0, -1.0, 4.0, 3.0, -1.0]), np.array([-5.0, 5.0, 6.0, -2.0, -3.0]))],
    praise="it marks exactly those whose SDR is above 0, which is silence's.",
    mistakes={
        "an improvement above 0 beats the mixture; what does silence get?": lambda gained, before: gained > 0,
        "it marks those that silence beats; mark the others.": lambda gained, before: before + gained <= 0,
        "silence's SDR is 0, so its improvement is minus the mixture's SDR.": lambda gained, before: gained > before,
        "it looks at the mixture alone.": lambda gained, before: before > 0,
    },
)
