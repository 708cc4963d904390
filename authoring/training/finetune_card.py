"""The fine-tuned separator as it is kept: weights, and a card on which every number was measured as it was written."""

import json
import shutil
from pathlib import Path
from typing import Any

from lass_lab.datasets.duets import list_pieces
from lass_lab.experiments.evaluation import evaluate, format_summary, summarise
from lass_lab.experiments.finetuning import stages
from lass_lab.experiments.paper_tables import format_paper_tables, paper_tables
from lass_lab.experiments.probes import format_probes, probe
from lass_lab.experiments.recipes import RECIPE, read_recipe
from lass_lab.experiments.trainer import hardware, run_facts
from lass_lab.models import load_separator
from lass_lab.models.separator import CONFIG, WEIGHTS
from lass_lab.signal.files import InputError, atomic_path, refuse_existing

PHASE1 = "phase 1"  # among `stages`


def keep(
    run: str | Path,
    out: str | Path,
    *,
    phase1: str | Path | None = None,
    pairs: int = 100,
    longest: float | None = None,
    force: bool = False,
    progress: bool = True,
) -> str:
    """Copy the last phase of a fine-tuning run to `out`, measure it once on the test piece, and write MODEL_CARD.md.

    Args:
        run: as `finetune` writes it.
        out: a folder for the weights, the card, and numbers.csv.
        phase1: a folder for the weights after phase 1 as well, from which phase 2 can be begun again.
        pairs: mixtures of other instruments, to see what was forgotten.
        longest: measure on only so many seconds of each piece; the card says so.
        force: overwrite what is there.

    Returns:
        The card's text.

    Raises:
        InputError: the run lacks a finished phase, or (without `force`) a folder holds weights already.
    """
    run, out = Path(run), Path(out)
    found = stages(run)  # the start, and after it the phases
    _, *phases = found
    last = Path(found[phases[-1]])
    kept = {name: out / name for name in ("numbers.csv", "MODEL_CARD.md")}
    folders = {out: last}
    if phase1:
        if PHASE1 not in found:
            raise InputError(f"{run}: holds no finished phase 1 to keep")
        folders[Path(phase1)] = Path(found[PHASE1])
    copies = {to / name: of / name for to, of in folders.items() for name in (CONFIG, WEIGHTS)}
    refuse_existing([*kept.values(), *copies], force)  # now, not after minutes
    told = read_recipe(run)
    if "recipe" not in told:
        raise InputError(f"{run / RECIPE}: does not say by which recipe the run was made")
    separators = {name: load_separator(where, device="auto") for name, where in found.items()}
    test = evaluate(separators, list_pieces("test"), longest=longest, oracles=True, progress=progress)
    ends = {name: separators[name] for name in ("pretrained", phases[-1])}
    probes = probe(ends, longest=longest, pairs=pairs, progress=progress)
    facts = {name: run_facts(Path(found[name])) for name in phases}
    runs = "\n".join(
        f"- {name.capitalize()}: {fact['steps']:,} steps, {fact['hours'] * 60:.0f} minutes on {hardware()}."
        for name, fact in facts.items()
    )
    text = _CARD.format(
        start=told["start"], runs=runs, rehearsed=_rehearsed(told), recipe=json.dumps(told["recipe"]),
        probes=format_probes(probes),
        tables=format_paper_tables(paper_tables(test)), summary=format_summary(summarise(test)),
        extent=f"The first {longest:g} seconds of each piece." if longest else "Whole pieces.",
    )  # fmt: skip
    for copy, original in copies.items():
        with atomic_path(copy, force) as path:
            shutil.copyfile(original, path)
    with atomic_path(kept["numbers.csv"], force) as path:
        test.to_csv(path, index=False)
    with atomic_path(kept["MODEL_CARD.md"], force) as path:
        path.write_text(text)
    return text


def _rehearsed(told: dict[str, Any]) -> str:
    sources = ", ".join(f"`{folder}`" for folder in told.get("sources", ()))
    return f"- Rehearsed with {sources}: see data/README.md for what makes them.\n" if sources else ""


_CARD = """# tiny-finetuned: the separator that learnt the trumpet

The separator `{start}`, fine-tuned in two phases on two duets for violin and trumpet: first its separation network,
told by a query network that stood still; then both together. Chosen by its SDRi on the last 30 seconds of those duets.

Written by `python -m authoring keep`; every number below was measured by that command.

## Training

{runs}
{rehearsed}- The whole recipe: `{recipe}`

## The held-out duet, beside the paper

Nothing was trained or chosen on this piece. *pretrained* is the separator before. {extent}

```
{tables}
```

By slices of five seconds, with 95% bootstrap intervals over them:

```
{summary}
```

## Other words, other sounds, and what was forgotten

```
{probes}
```

## What it cannot do

- It has heard samplers only: no number here says how it does on recordings of players in a room.
- One duet was tested on, and one in a SoundFont that nothing was trained on: the intervals are over slices of them.
- Everything is mono at 32 kHz.

Licence: MIT for the code, CC BY 4.0 for the weights.
"""
