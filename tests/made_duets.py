"""A small data folder of made duets: two warbling tones in place of a violin and a trumpet."""

import csv

import numpy as np

from lass_lab.datasets.manifest import COLUMNS
from lass_lab.signal import SAMPLE_RATE, write_audio

PITCHES = {"violin": 880.0, "trumpet": 550.0}
DETUNED = (0.0, 0.1, 0.05)  # the tested piece lies between those that train
TESTED_S = 12.0  # of the piece to test on, at most: two slices
SPLITS = {"one": "train", "two": "train", "three": "test"}


def made_duets(folder, seconds=42.0, splits=SPLITS, pitches=PITCHES):
    rows = []
    for number, (name, split) in enumerate(splits.items()):
        length = min(seconds, TESTED_S) if split == "test" else seconds
        time = np.arange(round(length * SAMPLE_RATE)) / SAMPLE_RATE
        sources = {}
        for source, pitch in pitches.items():
            bend = 1 + DETUNED[number] + 0.02 * np.sin(2 * np.pi * (0.3 + 0.1 * number) * time)
            tone = np.sin(2 * np.pi * pitch * np.cumsum(bend) / SAMPLE_RATE)
            swell = 0.6 + 0.4 * np.sin(2 * np.pi * 0.2 * time + pitch)
            sources[source] = (np.round(0.2 * tone * swell * 4096) / 4096).astype(np.float32)
            write_audio(folder / "duets" / name / f"{source}.flac", sources[source])
        write_audio(folder / "duets" / name / "mixture.flac", sum(sources.values()))
        for source in sources:
            paths = [f"duets/{name}/{stem}.flac" for stem in ("mixture", source)]
            rows.append(
                (name, name.title(), split, *paths, source, source, f"a {source}", length, SAMPLE_RATE, "-", "-")
            )
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return folder
