"""Floor 2, beside models: the duets, the words for what plays in them, and how both were made.

Names are fetched on first use, because some need torch, which takes seconds to import.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "captions": ["heldout_captions", "training_captions"],
        "duets": ["DuetDataset", "Piece", "data_dir", "list_pieces", "load_piece"],
    },
)
