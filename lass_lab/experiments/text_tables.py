"""Tables as text, for a terminal or a page."""

from collections.abc import Sequence


def aligned(lines: Sequence[Sequence[str]], left: int = 1) -> str:
    """Cells as lines of aligned columns, two spaces apart.

    Args:
        lines: cells, equally many in each line, or a single one: a heading, whose width does not count.
        left: so many columns lean to the left, the others, which hold numbers, to the right.
    """
    widths = [max(map(len, column)) for column in zip(*(line for line in lines if len(line) > 1), strict=True)]
    aligns = [str.ljust] * left + [str.rjust] * (len(widths) - left)
    return "\n".join(
        "  ".join(align(cell, width) for align, cell, width in zip(aligns, line, widths, strict=False)).rstrip()
        for line in lines
    )


def markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Cells as a Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, ["---"] * len(heads), *lines))
