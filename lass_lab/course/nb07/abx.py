"""A/B/X: is X the one estimate or the other? A listening test, and how well a guesser does in it."""

import tomllib
from html import escape
from pathlib import Path

import ipywidgets
import numpy as np
from IPython.display import HTML
from scipy.stats import binomtest

from lass_lab.course.players import LEVEL_DB, players
from lass_lab.course.widgets import Plaything
from lass_lab.datasets.mixing import AUDIBLE_RMS
from lass_lab.signal import SAMPLE_RATE, InputError, amplitude, decibels

EXCERPT_S = 5.0

_LATEST_S = 0.02  # X begins up to so much later, so that its bytes in the page are those of neither A nor B
_PARAGRAPH = '<p style="line-height: 1.5">'  # widgets have lines of a button's height
_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def abx_p_value(right: int, trials: int) -> float:
    """The probability that guessing gets at least `right` of `trials` right: exact binomial test, one-sided.

    Raises ValueError for fewer than 0 or more than `trials` right.
    """
    return float(binomtest(right, trials, 0.5, alternative="greater").pvalue)


def abx_test(a: np.ndarray, b: np.ndarray, *, names: tuple[str, str], trials: int = 10, seed: int = 0) -> Plaything:
    """Buttons and a player for an A/B/X test of two waveforms of one recording.

    Every trial takes another excerpt, at random from where both can be heard, and chooses X by chance. All three
    sounds have the same RMS level, so that the volume tells nothing. The page does not tell what X is, neither in
    words nor by a picture or the bytes of a sound.

    Args:
        a, b: `(samples,)`, 32 kHz, the same length.
        names: what they are; said when all trials are done.
        trials: how many there will be, decided before the first: stopping when the result looks good finds
            differences that are not there.
        seed: of the excerpts and the choices.

    Raises:
        InputError: two lengths, or two waveforms that never sound together.
    """
    pair, starts = (a, b), _starts(a, b)
    rng, right = np.random.default_rng(seed), []
    buttons = [
        ipywidgets.Button(description=f"X is {letter}", tooltip=f"answer this trial: X is the same as {letter}")
        for letter in "AB"
    ]
    sound, result = ipywidgets.Output(), ipywidgets.HTML()

    def draw() -> tuple[int, dict[str, np.ndarray]]:
        """Which of the two X is, and what to play."""
        x, late = int(rng.integers(2)), int(rng.integers(1, round(_LATEST_S * SAMPLE_RATE)))
        start = int(rng.choice(starts))
        stop = start + round((EXCERPT_S - _LATEST_S) * SAMPLE_RATE)
        heard = {"A": pair[0][start:stop], "B": pair[1][start:stop], "X": pair[x][start + late : stop + late]}
        # The player alone would leave very soft sounds softer than loud ones.
        return x, {name: each * amplitude(LEVEL_DB - _level_db(each)) for name, each in heard.items()}

    x, heard = draw()
    still = players({letter: heard[letter] for letter in "AB"}, pictures=False).data

    def show() -> None:
        if len(right) < trials:
            page = (
                f"<b>Trial {len(right) + 1} of {trials}.</b> {_TEXTS['trial']}</p>{players(heard, pictures=False).data}"
            )
        else:
            a, b = map(escape, names)
            page = f"<b>All {trials} trials are done.</b> A was {a}, B was {b}.</p>"
        shown = {"text/html": _PARAGRAPH + page}
        sound.outputs = ({"output_type": "display_data", "data": shown, "metadata": {}},)

    def answer(button: ipywidgets.Button) -> None:
        nonlocal x, heard
        right.append(button is buttons[x])
        p, done = abx_p_value(sum(right), len(right)), len(right) == trials
        told = (
            f"{'Right' if right[-1] else 'Wrong'}: X was {'AB'[x]}. {sum(right)} of {len(right)} right; "
            f"guessing does as well, or better, with a probability of {p:.3f} (the p-value)"
        )
        more = "" if done else "; go on to the end, whatever it says"
        result.value = f'<p role="status" style="line-height: 1.5">{told}{more}.</p>'
        for each in buttons:
            each.disabled = done
        x, heard = draw()
        show()

    for button in buttons:
        button.on_click(answer)
    show()
    return Plaything(
        ipywidgets.VBox([sound, ipywidgets.HBox(buttons), result]), HTML(f"<p>{_TEXTS['without_a_kernel']}</p>{still}")
    )


def _starts(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where excerpts may begin: where both are audible, or, where that is nowhere, at the best place."""
    if len(a) != len(b):
        raise InputError(f"A and B: have {len(a):,} and {len(b):,} samples; they must be of one recording")
    size = min(round(EXCERPT_S * SAMPLE_RATE), len(a))
    starts = np.unique(np.linspace(0, len(a) - size, 200).astype(int))
    softer = np.array([min(_level_db(each[start : start + size]) for each in (a, b)) for start in starts])
    if not np.isfinite(softer).any():
        raise InputError("A and B: never sound together; a silent estimate is told without a test")
    audible = starts[softer > 2 * decibels(AUDIBLE_RMS)]
    return audible if len(audible) else starts[[softer.argmax()]]


def _level_db(waveform: np.ndarray) -> float:
    return decibels(float(np.mean(np.square(waveform, dtype=np.float64))))
