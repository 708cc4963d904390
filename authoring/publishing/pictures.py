"""The pictures in the README, made from the shipped duet and the shipped model.

python -m authoring.publishing.pictures [--force]
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt

from lass_lab.course.plots import compare_spectrograms, describe
from lass_lab.course.profile import CHECKOUT
from lass_lab.signal.files import InputError, atomic_path

SEPARATION = CHECKOUT / "docs" / "separation.png"
START_S, SECONDS = 20.0, 8.0  # both instruments play
QUERY = "violin"


def separation_picture(path: Path = SEPARATION, *, force: bool = False) -> str:
    """Draw the held-out duet, the violin in it, and what the tiny separator makes of the query “violin”.

    Returns:
        Alt text for the picture, made from its data.

    Raises:
        InputError: `path` exists and `force` is False, or the duet or the model is missing.
    """
    from lass_lab.datasets import list_pieces, load_piece
    from lass_lab.models import load_separator

    with atomic_path(path, force) as temporary:
        excerpt = load_piece(list_pieces("test")[0]).slice(START_S, SECONDS)
        panels = {
            "mixture: violin and trumpet": excerpt.mixture,
            f"estimate: you type “{QUERY}”": load_separator("tiny").separate(excerpt.mixture, QUERY),
            f"target: the true {QUERY}": excerpt.sources[QUERY],
        }
        figure = compare_spectrograms(panels, max_khz=8, db_range=50)
        words = describe(figure)
        figure.savefig(temporary, dpi=110)
        plt.close(figure)
    return words


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status, 2 for bad input."""
    parser = argparse.ArgumentParser("python -m authoring.publishing.pictures", description="Draw docs/*.png.")
    parser.add_argument("--force", action="store_true", help="replace the pictures that are there")
    plt.switch_backend("agg")
    try:
        words = separation_picture(force=parser.parse_args(arguments).force)
    except InputError as error:
        print(f"lass-lab: {error}", file=sys.stderr)
        return 2
    print(f"{SEPARATION.relative_to(CHECKOUT)}: {words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
