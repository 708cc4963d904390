"""AudioSep's evaluation on MUSIC: its list is read and checked."""

import numpy as np
import pytest
import soundfile

from lass_lab.experiments.music_eval import read_music_eval
from lass_lab.signal.files import InputError


@pytest.fixture
def music(tmp_path):
    """Two lines of music_eval.csv and their audio."""
    table = tmp_path / "music_eval.csv"
    table.write_text("idx,caption,src_wav,noise_wav\n0,accordion,Ya_0.wav,Yb_6.wav\n17,acoustic guitar,Yc.wav,Yd.wav\n")
    for index in (0, 17):
        for kind in ("segment", "mixture"):
            soundfile.write(tmp_path / f"{kind}-{index}.wav", np.full(3200, 0.1), 32_000)
    return table


def test_missing_and_faulty_files_of_music_eval_are_named(music):
    (music.parent / "mixture-17.wav").write_text("no sound")
    with pytest.raises(InputError, match="mixture-17.wav: cannot be read as audio"):
        read_music_eval(music)
    soundfile.write(music.parent / "segment-0.wav", np.full(1000, 0.1), 32_000)
    with pytest.raises(InputError, match="segment-0.wav: differs in length"):
        read_music_eval(music)
    for name in ("segment-0.wav", "mixture-17.wav"):
        (music.parent / name).unlink()
    with pytest.raises(InputError, match="2 of 4 files missing, the first segment-0.wav"):
        read_music_eval(music)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("idx,words\n0,flute\n", "line 1: column 'caption' is missing"),
        ("idx,caption\n0\n", "line 2: column 'caption' is empty"),
        ("idx,caption\n0,flute\n0,tuba\n", "line 3: idx 0 stands there twice"),
    ],
)
def test_a_bad_music_eval_is_named_with_its_line(tmp_path, content, fault):
    table = tmp_path / "music_eval.csv"
    table.write_text(content)
    with pytest.raises(InputError, match=fault) as caught:
        read_music_eval(table)
    assert str(caught.value).startswith(str(table)) and "\n" not in str(caught.value)
