"""Tables for the authors' pages."""

from collections.abc import Sequence


def markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Cells as a Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, ["---"] * len(heads), *lines))
