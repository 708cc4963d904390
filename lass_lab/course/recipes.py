"""The recipes of fine-tuning at the size of a profile."""

from dataclasses import replace

from lass_lab.course.profile import Profile, current
from lass_lab.experiments.recipes import RECIPES, FinetuningRecipe
from lass_lab.signal.files import InputError


def sized_recipe(name: str = "preserving", profile: Profile | None = None) -> FinetuningRecipe:
    """A recipe of `finetuning.RECIPES`, as long as the profile says.

    Args:
        name: "preserving" keeps what was known; "paper" is the paper's own.
        profile: None takes the current one.

    Raises:
        InputError: no such recipe.
    """
    if name not in RECIPES:
        raise InputError(f"recipe '{name}': choose one of {', '.join(RECIPES)}")
    recipe, profile = RECIPES[name], profile or current()
    first, second = profile.epochs
    return replace(
        recipe,
        phase1=replace(recipe.phase1, epochs=first),
        phase2=replace(recipe.phase2, epochs=second),
        items=replace(recipe.items, seconds=profile.item_seconds),
        batch=profile.items,
        sample_rate=profile.sample_rate,
    )
