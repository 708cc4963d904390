"""The authors' command line, `python -m authoring ...`: it makes the data, the weights, their numbers and the pages."""

import typer

from authoring.commands import publishing, rendering, training
from lass_lab.cli import run

app = typer.Typer(
    help="Make what ships: sounds, weights, model cards, studies, measurements, notebooks and pages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    *(training.pretrain, training.study, training.keep, training.sight, publishing.bench),
    *(publishing.readme, publishing.pictures, publishing.site, publishing.colab),
):
    app.command()(command)
app.add_typer(rendering.render, name="render", no_args_is_help=True)
app.add_typer(publishing.notebooks, name="notebooks", no_args_is_help=True)

if __name__ == "__main__":
    run(app)
