"""The command that makes a separator ready for other programs: `export`."""

from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force, Model


def export(
    query: Annotated[list[str], typer.Option(help="Words to ask for later; may be repeated.")],
    out: Annotated[Path, typer.Option(help="Folder for network.onnx, conditions.json and separate.py.")],
    model: Model = "tiny",
    force: Force = False,
) -> None:
    """Write a separation network as ONNX, with a page of Python that separates by it without PyTorch."""
    from lass_lab.models import load_separator
    from lass_lab.models.export import export

    separator = load_separator(model, device="cpu", precision="float32")
    print("\n".join(map(str, export(separator, query, out, force=force))))
