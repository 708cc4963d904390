"""The checks of notebook 00: the other instrument by subtraction, and words that the separator takes for the violin."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from lass_lab.course.checks import Wrong, ask, self_check, tell_mistake, waveform
from lass_lab.datasets import list_pieces, load_piece
from lass_lab.signal import InputError, sdr_improvement

if TYPE_CHECKING:
    from lass_lab.datasets.duets import Piece
    from lass_lab.models import LanguageSeparator

ENOUGH_DB = 2.0  # how much less than for the word itself will do
_START_S, _LENGTH_S = 70.0, 8.0  # of a place that notebook 00 does not play


@self_check
def check_the_other(the_other) -> str:
    """Notebook 00: one source from the mixture and the other source."""
    for piece in list_pieces("train"):
        heard = load_piece(piece).slice(30, 2)
        mixture, violin, trumpet = heard.mixture, heard.sources["violin"], heard.sources["trumpet"]
        given = waveform(ask(the_other, mixture, violin), len(mixture))
        if np.allclose(given, trumpet, atol=1e-5):
            continue
        tell_mistake(
            lambda wrong, given=given: np.allclose(given, wrong, atol=1e-5),
            {
                "it is upside down. The ear hears no difference, but added to the violin it gives no mixture.": (
                    lambda mixture=mixture, violin=violin: violin - mixture
                ),
                "now the violin is in it twice; take it away.": lambda mixture=mixture, violin=violin: mixture + violin,
                "this is the violin itself.": lambda violin=violin: violin,
                "this is the mixture itself.": lambda mixture=mixture: mixture,
            },
        )
        raise Wrong("together with the violin it should make the mixture, sample by sample; it does not.")
    return "in two other duets, sample by sample, it is the trumpet."


@self_check
def check_words(words) -> str:
    """Notebook 00: other words that the separator takes for the violin."""
    if not isinstance(words, str):
        raise Wrong(f"a query is words in quotation marks, and this is of type {type(words).__name__}.")
    if "violin" in words.lower():
        raise Wrong("the word itself is in it; say it in other words.")
    try:
        found = _improvement(words)
    except InputError as error:
        raise Wrong(f"{error}.") from error
    word = _improvement("violin")
    told = f"where “violin” improves by {word:.1f} dB, “{words}” does by {found:.1f} dB"
    if found < word - ENOUGH_DB:
        raise Wrong(f"{told}: it seems to stand for something else.")
    return f"{told}, in a place that you have not heard yet."


def _improvement(query: str) -> float:
    """SDRi of the violin in dB."""
    separator, piece = _at_hand()
    estimate = separator.separate(piece.mixture, query, progress=False)
    return sdr_improvement(piece.sources["violin"], estimate, piece.mixture)


@cache
def _at_hand() -> "tuple[LanguageSeparator, Piece]":
    """The separator and what it is asked of, loaded once however many words are tried."""
    from lass_lab.models import load_separator

    return load_separator("tiny"), load_piece(list_pieces("test")[0]).slice(_START_S, _LENGTH_S)
