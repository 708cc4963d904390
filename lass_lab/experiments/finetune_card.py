"""The fine-tuned separator as it is kept: weights, and a card on which every number was measured as it was written."""

import json
import shutil
from pathlib import Path

from lass_lab.datasets.duets import list_pieces
from lass_lab.experiments.evaluation import evaluate, format_summary, summarise
from lass_lab.experiments.finetuning import PHASES, RECIPE
from lass_lab.experiments.model_card import hardware, run_facts
from lass_lab.experiments.paper_tables import format_paper_tables, paper_tables
from lass_lab.experiments.probes import format_probes, probe
from lass_lab.models import load_separator
from lass_lab.models.separator import CONFIG, WEIGHTS
from lass_lab.signal.files import InputError, atomic_path


def keep(run: str | Path, out: str | Path, *, pairs: int = 100, force: bool = False, progress: bool = True) -> str:
    """Copy the last phase of a fine-tuning run to `out`, measure it once on the test piece, and write MODEL_CARD.md.

    Args:
        run: as `finetune` writes it.
        out: a folder for the weights, the card, and numbers.csv.
        pairs: mixtures of other instruments, to see what was forgotten.
        force: overwrite what is there.

    Returns:
        The card's text.

    Raises:
        InputError: the run has no finished phase, or (without `force`) `out` holds weights already.
    """
    run, out = Path(run), Path(out)
    phases = [run / name for name in PHASES if (run / name / WEIGHTS).is_file()]
    if not phases:
        raise InputError(f"{run}: holds no finished phase; run first: lass-lab finetune")
    told = json.loads((run / RECIPE).read_text())
    separators = {"pretrained": load_separator(told["start"], device="auto")}
    separators |= {f"phase {number}": load_separator(phase, device="auto") for number, phase in enumerate(phases, 1)}
    test = evaluate(separators, list_pieces("test"), oracles=True, progress=progress)
    ends = {name: separators[name] for name in ("pretrained", f"phase {len(phases)}")}
    probes = probe(ends, pairs=pairs, progress=progress)
    facts = [run_facts(phase) for phase in phases]
    runs = "\n".join(
        f"- Phase {number}: {fact['steps']:,} steps, {fact['hours'] * 60:.0f} minutes on {hardware()}."
        for number, fact in enumerate(facts, 1)
    )
    tables, found = format_paper_tables(paper_tables(test)), format_probes(probes)
    text = _CARD.format(
        start=told["start"], runs=runs, recipe=json.dumps(told["recipe"]), tables=tables,
        summary=format_summary(summarise(test)), probes=found,
    )  # fmt: skip
    for name in (CONFIG, WEIGHTS):
        with atomic_path(out / name, force) as path:
            shutil.copyfile(phases[-1] / name, path)
    with atomic_path(out / "numbers.csv", force) as path:
        test.to_csv(path, index=False)
    with atomic_path(out / "MODEL_CARD.md", force) as path:
        path.write_text(text)
    return text


_CARD = """# tiny-finetuned: the separator that learnt the trumpet

The separator `{start}`, fine-tuned in two phases on two duets for violin and trumpet: first its separation network,
told by a query network that stood still; then both together. Chosen by its SDRi on the last 30 seconds of those duets.

Written by `lass-lab keep`; every number below was measured by that command.

## Training

{runs}
- The whole recipe: `{recipe}`

## The held-out duet, beside the paper

Nothing was trained or chosen on this piece. *pretrained* is the separator before.

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
