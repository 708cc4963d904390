"""How people might ask for each instrument: a bank of phrasings, some for training, some held out.

Every instrument has the same plain phrasings and some of its own, in `captions.toml`, a voice or an everyday sound its
own alone; three of these are held out, so that a separator can be asked in words that it was not trained with.
"""

import tomllib
from importlib.resources import files

from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.signal.files import InputError

_OWN = tomllib.loads((files(__package__) / "captions.toml").read_text(encoding="utf-8"))
_PLAIN: list[str] = _OWN.pop("plain")


def training_captions(name: str) -> tuple[str, ...]:
    """The phrasings of an instrument to train with. Raises InputError for an unknown name."""
    own, article = _own(name)["training"], "an" if name[0] in "aeiou" else "a"
    plain = _PLAIN if name in INSTRUMENTS else []
    return (*(words.format(name=name, a=article) for words in plain), *own)


def heldout_captions(name: str) -> tuple[str, ...]:
    """The phrasings of an instrument that training never sees. Raises InputError for an unknown name."""
    return tuple(_own(name)["held_out"])


def _own(name: str) -> dict[str, list[str]]:
    if name not in _OWN:
        raise InputError(f"{name}: no captions for it; one of {', '.join(_OWN)}")
    return _OWN[name]


CAPTIONS: dict[str, tuple[str, ...]] = {name: training_captions(name) + heldout_captions(name) for name in _OWN}
