"""The checks of notebook 00: the other instrument by subtraction, and words that the separator takes for the violin."""

from functools import cache

import numpy as np

from lass_lab.course.checks import Exercise, Wrong, unseen
from lass_lab.datasets import list_pieces, load_piece
from lass_lab.signal import InputError, sdr

ALIKE_DB = 5.0  # the estimate for the words against the one for the word itself: clearly the same sound

check_the_other = Exercise(
    reference=lambda mixture, violin: mixture - violin,
    cases=lambda: [(piece.mixture, piece.sources["violin"]) for piece in (unseen(0, 30), unseen(1, 30))],
    mistakes={
        "it is upside down: with the violin it makes no mixture.": lambda mixture, violin: violin - mixture,
        "now the violin is in it twice; take it away.": lambda mixture, violin: mixture + violin,
        "this is the violin itself.": lambda mixture, violin: violin,
        "this is the mixture itself.": lambda mixture, violin: mixture,
    },
)


@cache
def _estimate(query: str) -> np.ndarray:
    """What the separator answers, in a place that the notebook does not play."""
    from lass_lab.models import load_separator

    mixture = load_piece(list_pieces("test")[0]).slice(70, 8).mixture
    return load_separator("tiny").separate(mixture, query, progress=False)


def _taken_for_violin(words) -> str:
    if not isinstance(words, str):
        raise Wrong(f"a query is words in quotation marks, and this is of type {type(words).__name__}.")
    try:
        found = sdr(_estimate("violin"), _estimate(words)) > ALIKE_DB
    except InputError as error:
        raise Wrong(f"{error}.") from error
    return "the word itself" if "violin" in words.lower() else "another word" if found else "another sound"


check_words = Exercise(
    reference="somebody plays the fiddle",
    cases=lambda: [()],
    asks=_taken_for_violin,
    praise="in a place that you have not heard yet, the separator answers them as it answers the word itself.",
    mistakes={
        "the word itself is in it; say it in other words.": "a Violin",
        "the word “violin” has another answer: the separator takes these for something else.": "trumpet",
    },
)
