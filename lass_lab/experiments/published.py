"""Results that others have published, to stand beside one's own: their numbers are in this place alone."""

import pandas as pd

from lass_lab.signal.files import InputError

# The table of results of the paper this course follows: AudioSep on violin and trumpet duets, before and
# after its two phases of fine-tuning. Rows as printed: stage, source, SDR (dB), SDRi (dB), correlation, MSE.
_PAPER = (
    ("pretrained", "violin", 17.57, 17.10, 0.9933, 0.0006),
    ("pretrained", "trumpet", -9.91, -5.59, 0.2872, 0.0272),
    ("fine-tuned", "violin", 16.87, 15.88, 0.9898, 0.0009),
    ("fine-tuned", "trumpet", 10.09, 9.01, 0.9575, 0.0006),
)
_METRICS = ("SDR", "SDRi", "correlation", "MSE")


def paper_results(stage: str | None = None) -> pd.DataFrame:
    """The numbers that the paper this course follows gives for AudioSep, one row a number.

    The paper's recordings are not the course's, and it does not say of what its correlation and MSE are:
    these numbers give a direction, not a ranking.

    Args:
        stage: "pretrained", "fine-tuned", or None for both.

    Returns:
        The columns separator ("AudioSep pretrained, paper" for instance), stage, source, metric ("SDR" and
        "SDRi" in dB, "correlation", "MSE") and value.

    Raises:
        InputError: another stage.
    """
    stages = list(dict.fromkeys(row[0] for row in _PAPER))
    if stage not in (None, *stages):
        raise InputError(f"stage '{stage}': the paper has {' and '.join(stages)}")
    rows = [
        (f"AudioSep {of_stage}, paper", of_stage, source, metric, value)
        for of_stage, source, *values in _PAPER
        if stage in (None, of_stage)
        for metric, value in zip(_METRICS, values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["separator", "stage", "source", "metric", "value"])
