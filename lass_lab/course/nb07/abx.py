"""A/B/X: is X the one estimate or the other? A listening test, and how well a guesser does in it (notebook 07)."""

from dataclasses import dataclass, field
from html import escape

import ipywidgets
import numpy as np
from IPython.display import HTML, display
from scipy.stats import binomtest

from lass_lab.course.players import LEVEL_DB, players
from lass_lab.datasets.mixing import AUDIBLE_RMS
from lass_lab.signal import SAMPLE_RATE, InputError, checked_waveform

LONGEST_S = 5.0

_AUDIBLE_DB = 20 * np.log10(AUDIBLE_RMS)  # excerpts in which one of the two is softer come last
_SHIFT_S = 0.02  # X begins up to so much later, so that its bytes in the page are those of neither A nor B
_PARAGRAPH = '<p style="line-height: 1.5">'  # widgets have lines of a button's height
_PLACES = 200  # excerpts to choose among
_HOW = (
    "Play A and B until you know how they differ, then X. One of the two was chosen by chance to be X: which? "
    "The volume is the same for all three."
)
_WITHOUT_A_KERNEL = (
    "Without a running kernel nothing can choose an X for you. Let somebody else play A or B, by the throw of a coin, "
    "while you look away. Decide beforehand how many times, write down every answer, and count at the end."
)


def abx_p_value(right: int, trials: int) -> float:
    """How often somebody who guesses gets at least so many of so many trials right: exact binomial, one-sided; 0...1.

    Raises InputError where the counts cannot be.
    """
    if not 0 <= right <= trials:
        raise InputError(f"{right} of {trials} right: there cannot be fewer than none, nor more than all")
    return float(binomtest(right, trials, 0.5, alternative="greater").pvalue) if trials else 1.0


@dataclass(frozen=True, eq=False)
class ABXTest:
    """What `abx_test` makes; as the last value of a cell it shows itself.

    Attributes:
        a, b: the buttons "X is A" and "X is B"; they rest when all trials are done.
        sound: the players of the trial that waits for an answer.
        result: how many were right so far, and how often a guesser does as well.
        still: A and B of the first excerpt and what to do with them, as a page that needs no kernel.
        answers: for each trial so far, whether it was right.
        planned: how many trials there will be.
    """

    a: ipywidgets.Button
    b: ipywidgets.Button
    sound: ipywidgets.HTML
    result: ipywidgets.HTML
    still: HTML
    answers: list[bool]
    planned: int
    _deck: "_Deck" = field(repr=False)

    @property
    def right(self) -> int:
        """How many trials were right so far."""
        return sum(self.answers)

    @property
    def p_value(self) -> float:
        """How often a guesser would do at least as well; it means what it says when all planned trials are done."""
        return abx_p_value(self.right, len(self.answers))

    def _ipython_display_(self) -> None:
        display(ipywidgets.VBox([self.sound, ipywidgets.HBox([self.a, self.b]), self.result]))
        display(self.still)


def abx_test(
    a: np.ndarray,
    b: np.ndarray,
    *,
    names: tuple[str, str] = ("A", "B"),
    trials: int = 10,
    seconds: float = LONGEST_S,
    seed: int = 0,
) -> ABXTest:
    """Buttons and players for an A/B/X test of two waveforms of one recording.

    Every trial takes another excerpt, at random from where both can be heard, and chooses X by chance. All that is
    played has one RMS level, so that no one is told by its volume. What X is stays in the object; the page does not
    tell it, neither in words nor by the bytes of a player.

    Args:
        a, b: `(samples,)`, 32 kHz, the same length.
        names: what they are; said when all trials are done.
        trials: how many there will be; decided before the first, because who may stop when it looks well finds more
            than there is.
        seconds: of an excerpt; at most 5, and less where the sound is shorter.
        seed: of the excerpts and the choices.

    Raises:
        InputError: waveforms that are none, differ in length or never sound together; or counts that cannot be.
    """
    if trials < 1 or not 0.5 <= seconds <= LONGEST_S:
        raise InputError(f"abx_test: needs a trial or more of 0.5 to {LONGEST_S:g} s, not {trials} of {seconds:g} s")
    first, second = (checked_waveform(waveform, name) for waveform, name in ((a, "A"), (b, "B")))
    deck = _Deck(first, second, seconds, seed)
    deck.draw()
    buttons = [
        ipywidgets.Button(description=f"X is {letter}", tooltip=f"answer this trial: X is the same as {letter}")
        for letter in "AB"
    ]
    page, result = ipywidgets.HTML(), ipywidgets.HTML()
    heard = players({"A": deck.heard["A"], "B": deck.heard["B"]}).data
    test = ABXTest(
        *buttons, page, result, HTML(f"<p>{_WITHOUT_A_KERNEL}</p>{heard}"), answers=[], planned=trials, _deck=deck
    )

    def show() -> None:
        page.value = (
            f"{_PARAGRAPH}<b>Trial {len(test.answers) + 1} of {trials}.</b> {_HOW}</p>{players(deck.heard).data}"
            if len(test.answers) < trials
            else f"{_PARAGRAPH}<b>All {trials} trials are done.</b> A was {escape(names[0])}, "
            f"B was {escape(names[1])}.</p>"
        )

    def answer(button: ipywidgets.Button) -> None:
        if len(test.answers) >= trials:
            return
        test.answers.append((button is buttons[0]) == deck.x_is_a)
        result.value = f'<p role="status" style="line-height: 1.5">{_told(test, "A" if deck.x_is_a else "B")}</p>'
        if len(test.answers) < trials:
            deck.draw()
        for each in buttons:
            each.disabled = len(test.answers) == trials
        show()

    for button in buttons:
        button.on_click(answer)
    show()
    return test


def _told(test: ABXTest, x: str) -> str:
    verdict = "Right" if test.answers[-1] else "Wrong"
    counted = f"{test.right} of {len(test.answers)} right"
    chance = f"who only guesses does so well, or better, with a probability of {test.p_value:.3f} (the p-value)"
    more = "" if len(test.answers) == test.planned else "; go on to the end, whatever it says"
    return f"{verdict}: X was {x}. {counted}; {chance}{more}."


class _Deck:
    """The trial that waits: its excerpts by letter, and the secret."""

    def __init__(self, a: np.ndarray, b: np.ndarray, seconds: float, seed: int) -> None:
        if len(a) != len(b):
            raise InputError(f"A and B: have {len(a):,} and {len(b):,} samples; they must be of one recording")
        self._waveforms = (a, b)
        self._size = min(round(seconds * SAMPLE_RATE), len(a))
        self._shift = min(round(_SHIFT_S * SAMPLE_RATE), self._size // 4)
        self._rng = np.random.default_rng(seed)
        self._starts = self._places()
        self.x_is_a = True
        self.heard: dict[str, np.ndarray] = {}

    def draw(self) -> None:
        """Take another excerpt and another X."""
        start = int(self._rng.choice(self._starts))
        self.x_is_a = bool(self._rng.integers(2))
        late = int(self._rng.integers(1, self._shift + 1))
        stop = start + self._size - self._shift
        a, b = (_levelled(waveform[start:stop]) for waveform in self._waveforms)
        x = _levelled(self._waveforms[0 if self.x_is_a else 1][start + late : stop + late])
        self.heard = {"A": a, "B": b, "X": x}

    def _places(self) -> np.ndarray:
        """Where excerpts may begin: where both are audible, or, where that is nowhere, at the best place."""
        starts = np.unique(np.linspace(0, len(self._waveforms[0]) - self._size, _PLACES).astype(int))
        softer = np.min([[_level_db(each[i : i + self._size]) for i in starts] for each in self._waveforms], axis=0)
        if not np.isfinite(softer).any():
            raise InputError("A and B: never sound together; a silent estimate is told without a test")
        audible = starts[softer > _AUDIBLE_DB]
        return audible if len(audible) else starts[[softer.argmax()]]


def _level_db(waveform: np.ndarray) -> float:
    power = float(np.mean(np.square(waveform, dtype=np.float64)))
    return 10 * np.log10(power) if power else -np.inf


def _levelled(waveform: np.ndarray) -> np.ndarray:
    """At the players' level, who by themselves would leave very soft sounds softer than loud ones."""
    level = _level_db(waveform)
    return waveform * 10 ** ((LEVEL_DB - level) / 20) if np.isfinite(level) else waveform
