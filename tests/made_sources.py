"""A small bank of made sources: tones in place of instruments, laid out as rendered sources are."""

import numpy as np
import pandas as pd

from lass_lab.signal import SAMPLE_RATE, write_audio

TONES = {"violin": 880.0, "flute": 1320.0, "cello": 220.0}
DISTRACTORS = {"recorder": 1980.0, "viola": 550.0}  # in the bank, but not among those that the tiny model is taught


def made_bank(folder, seconds=4.0, splits=("train", "validation", "test"), tones=None):
    rows = []
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    for split in splits:
        for voice, (name, pitch) in enumerate((tones or TONES).items()):
            for score in range(2):
                tone = 0.2 * np.sin(2 * np.pi * pitch * (1 + score / 7) * time).astype(np.float32)
                path = f"{split}/{name}/{score}-{voice}.wav"
                write_audio(folder / path, tone)
                rows.append((path, name, "made", f"{split}-{score}", voice, split, seconds))
    columns = ["path", "instrument", "soundfont", "score", "voice", "split", "seconds"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "sources.csv", index=False)
    return folder
