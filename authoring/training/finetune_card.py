"""The fine-tuned separator as it is kept: weights, and a card on which every number was measured as it was written."""

import shutil
from pathlib import Path

from authoring.pages import page, write
from lass_lab.commands.tables import format_paper_tables, format_probes, format_summary
from lass_lab.datasets.duets import list_pieces
from lass_lab.experiments.evaluation import evaluate, summarise
from lass_lab.experiments.finetuning import stages
from lass_lab.experiments.paper_tables import paper_tables
from lass_lab.experiments.probes import probe
from lass_lab.experiments.recipes import RECIPE, read_recipe
from lass_lab.experiments.run_facts import run_facts
from lass_lab.models import load_separator
from lass_lab.models.separator import CONFIG, WEIGHTS
from lass_lab.signal.files import InputError, atomic_path, refuse_existing


def keep(run: Path, out: Path, *, phase1: Path | None = None, pairs: int = 100, force: bool = False) -> str:
    """Copy the last phase of a fine-tuning run to `out`, measure it once on the test piece, and write MODEL_CARD.md.

    Args:
        run: as `finetune` writes it.
        out: a folder for the weights, the card, and numbers.csv.
        phase1: a folder for the weights after phase 1 as well, from which phase 2 can be begun again.
        pairs: mixtures of other instruments, to see what was forgotten.
        force: overwrite what is there.

    Returns:
        The card's text.

    Raises:
        InputError: the run lacks a finished phase, or (without `force`) a folder holds weights already.
    """
    found = stages(run)  # the start, and after it the phases
    _, *phases = found
    folders = {out: found[phases[-1]]}
    if phase1:
        if "phase 1" not in found:
            raise InputError(f"{run}: holds no finished phase 1 to keep")
        folders[phase1] = found["phase 1"]
    copies = {to / name: Path(of, name) for to, of in folders.items() for name in (CONFIG, WEIGHTS)}
    refuse_existing([out / "numbers.csv", out / "MODEL_CARD.md", *copies], force)  # now, not after minutes
    told = read_recipe(run)
    if "recipe" not in told:
        raise InputError(f"{run / RECIPE}: does not say by which recipe the run was made")
    separators = {name: load_separator(where, device="auto") for name, where in found.items()}
    test = evaluate(separators, list_pieces("test"), oracles=True)
    ends = {name: separators[name] for name in ("pretrained", phases[-1])}
    card = page(
        "finetune_card.md",
        told={"sources": (), **told},
        runs={name: run_facts(Path(found[name])) for name in phases},
        tables=format_paper_tables(paper_tables(test)),
        summary=format_summary(summarise(test)),
        probes=format_probes(probe(ends, pairs=pairs)),
    )
    for copy, original in copies.items():
        with atomic_path(copy, force) as path:
            shutil.copyfile(original, path)
    write(out, {"numbers.csv": test, "MODEL_CARD.md": card}, force)
    return card
