"""What several commands share."""

from typing import Annotated

import typer

Model = Annotated[str, typer.Option(help="tiny, audiosep, a folder, or a hub id.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
