"""The checks of notebook 00: the other instrument by subtraction, and words that the separator takes for the violin."""

from functools import cache

from lass_lab.course.checks import Exercise, Wrong, unseen
from lass_lab.datasets import list_pieces, load_piece
from lass_lab.signal import InputError, sdr_improvement

ENOUGH_DB = 2.0  # how much less than for the word itself will do

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
def _improvement(query: str) -> float:
    """SDRi of the violin in dB, in a place that the notebook does not play."""
    from lass_lab.models import load_separator

    piece = load_piece(list_pieces("test")[0]).slice(70, 8)
    estimate = load_separator("tiny").separate(piece.mixture, query, progress=False)
    return sdr_improvement(piece.sources["violin"], estimate, piece.mixture)


def _taken_for_violin(words) -> str:
    if not isinstance(words, str):
        raise Wrong(f"a query is words in quotation marks, and this is of type {type(words).__name__}.")
    try:
        found = _improvement(words) > _improvement("violin") - ENOUGH_DB
    except InputError as error:
        raise Wrong(f"{error}.") from error
    return "the word itself" if "violin" in words.lower() else "another word" if found else "another sound"


check_words = Exercise(
    reference="somebody plays the fiddle",
    cases=lambda: [()],
    asks=_taken_for_violin,
    praise="in a place that you have not heard yet, they find the violin about as well as the word itself does.",
    mistakes={
        "the word itself is in it; say it in other words.": "a Violin",
        "the word “violin” finds the violin far better: they seem to stand for something else.": "trumpet",
    },
)
