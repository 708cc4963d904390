"""Floor 3: what is run: training, evaluation, measurement of speed.

Names are fetched on first use, because they need torch and Lightning, which take seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lass_lab.experiments.evaluation import evaluate, evaluate_mixtures, summarise
    from lass_lab.experiments.finetuning import finetune

HOMES = {
    "evaluate": "evaluation",
    "evaluate_mixtures": "evaluation",
    "summarise": "evaluation",
    "finetune": "finetuning",
}

__all__ = ["evaluate", "evaluate_mixtures", "finetune", "summarise"]


def __getattr__(name: str):
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lass_lab.experiments.{HOMES[name]}"), name)
