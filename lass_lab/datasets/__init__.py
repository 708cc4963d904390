"""Floor 2, beside models: the duets, the words for what plays in them, and how both were made.

Names are fetched on first use, because some need torch, which takes seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lass_lab.datasets.captions import heldout_captions, training_captions
    from lass_lab.datasets.duets import DuetDataset, Piece, data_dir, list_pieces, load_piece

__all__ = [
    "DuetDataset",
    "Piece",
    "data_dir",
    "heldout_captions",
    "list_pieces",
    "load_piece",
    "training_captions",
]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "captions" if name.endswith("_captions") else "duets"
    return getattr(import_module(f"lass_lab.datasets.{module}"), name)
