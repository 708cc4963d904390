"""Fine-tuning in notebooks: recipes at a profile's size, and the weights that are here to go on with."""

from dataclasses import replace
from pathlib import Path

from lass_lab.course.ledger import runs_dir
from lass_lab.course.profile import Profile, current
from lass_lab.experiments.finetuning import stages
from lass_lab.experiments.recipes import RECIPES, FinetuningRecipe
from lass_lab.models import LanguageSeparator, load_separator
from lass_lab.models.weights import FULL_SIZE, full_size_is_ready
from lass_lab.signal.files import InputError

SHIPPED_STAGES = {"pretrained": "tiny", "phase 1": "tiny-phase1", "phase 2": "tiny-finetuned"}


def sized_recipe(name: str = "preserving", profile: Profile | None = None) -> FinetuningRecipe:
    """A recipe of fine-tuning, as long as the profile says.

    Args:
        name: "preserving" keeps what was known; "paper" is the paper's own, at its own size in the profile "full".
        profile: None takes the current one.
    """
    recipe, profile = RECIPES[name], profile or current()
    if name == "paper" and profile.name == "full":
        return recipe
    first, second = profile.epochs
    return replace(
        recipe,
        phase1=replace(recipe.phase1, epochs=first),
        phase2=replace(recipe.phase2, epochs=second),
        items=replace(recipe.items, seconds=profile.item_seconds),
        batch=profile.items,
        sample_rate=profile.sample_rate,
    )


def finetune_folder(profile: str | None = None) -> Path:
    """Where a profile's fine-tuning run is, or will be: `runs/finetune` for quick, `runs/finetune-ci` for ci."""
    name = profile or current().name
    return runs_dir() / ("finetune" if name == "quick" else f"finetune-{name}")


def find_phase1() -> tuple[str, Path, str]:
    """The run of notebook 05 where its phase 1 is finished, otherwise the phase 1 that ships. Prints which.

    Returns:
        What phase 2 starts from, `finetune(start, run, phases=["phase2"])`: the weights that the whole run starts from,
        the run's folder, and what `load_separator` opens for the separator after phase 1.
    """
    run = finetune_folder()
    if weights := _finished(run).get("phase 1"):
        print(f"Going on from your own phase 1, in {run.name}/phase1.")
        return SHIPPED_STAGES["pretrained"], run, weights
    print("Going on from the phase 1 that ships with the course: notebook 05 left none here.")
    return SHIPPED_STAGES["phase 1"], _from_shipped(run), SHIPPED_STAGES["phase 1"]


def find_stages() -> dict[str, str]:
    """What `load_separator` opens for "pretrained", "phase 1" and "phase 2": your own weights or those that ship.

    Your own are those of one run with both phases; a run that started from the shipped phase 1 gives its phase 2.
    Prints which of them it found.
    """
    run = finetune_folder()
    if "phase 2" in (own := _finished(run)):
        print(f"Using your own run, in {run.name}.")
        return own
    if phase2 := _finished(_from_shipped(run)).get("phase 2"):
        print(f"Using your own phase 2, in {_from_shipped(run).name}, which went on from the shipped phase 1.")
        return SHIPPED_STAGES | {"phase 2": phase2}
    print("Using the phases that ship with the course: notebooks 05 and 06 left no finished run here.")
    return dict(SHIPPED_STAGES)


def find_full_size(fetch: bool = False) -> LanguageSeparator | None:
    """AudioSep if its weights are on this computer; otherwise None, after a line on how to get them.

    Args:
        fetch: download what is missing. Without it nothing is downloaded, not even a small part.
    """
    why = "AudioSep's weights are not here"
    if full_size_is_ready() or fetch:
        try:
            separator = load_separator(FULL_SIZE)
        except InputError as error:  # offline, damaged, or not what was published
            why = str(error)
        else:
            print(f"AudioSep's weights are here, and it computes on: {separator.device}")
            return separator
    print(f"{why}. To get them (1.3 GB or more): lass-lab weights {FULL_SIZE}. Going on without them.")
    return None


def _from_shipped(run: Path) -> Path:
    return run.with_name(f"{run.name}-from-shipped")


def _finished(run: Path) -> dict[str, str]:
    try:
        return stages(run)
    except InputError:
        return {}
