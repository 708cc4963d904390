"""The authors' command line, `python -m authoring ...`: what makes the data, the weights and their numbers."""

import typer

from authoring.commands import measuring, rendering, training
from lass_lab.cli import run

app = typer.Typer(
    help="Make what ships: sounds, weights, model cards, studies and measurements.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (training.pretrain, training.lineage, training.study, training.keep, measuring.bench):
    app.command()(command)
app.add_typer(rendering.render, name="render", no_args_is_help=True)

if __name__ == "__main__":
    run(app)
