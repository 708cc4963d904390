"""Floor 3: what is run: training, evaluation, measurement of speed.

Names are fetched on first use, because they need torch and Lightning, which take seconds to import.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={"evaluation": ["evaluate", "evaluate_mixtures", "summarise"], "finetuning": ["finetune"]},
)
