import io
import os
import warnings

import numpy as np
import pytest
import soundfile

from lass_lab.signal import AudioError, AudioWarning, audio, audio_info, read_audio, write_audio

RATE = 32_000


def tone(hz, seconds=1.0, rate=RATE, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_sixteen_bits_are_written_to_the_nearest_step(tmp_path, suffix):
    waveform = np.random.default_rng(0).uniform(-1, 1, RATE).astype(np.float32)
    path = tmp_path / f"noise{suffix}"
    assert write_audio(path, waveform) == 0.0
    assert audio_info(path) == (RATE, 1, RATE, "PCM_16")
    got = read_audio(path)
    assert got.dtype == np.float32
    inside = waveform < 32_767 / 32_768
    assert np.abs(got - waveform)[inside].max() <= 0.5 / 32_768
    assert abs(np.mean(got - waveform)) < 1e-6  # rounding down would leave half a step, 1.5e-5


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_full_scale_does_not_wrap(tmp_path, suffix):
    path = tmp_path / f"square{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert write_audio(path, np.array([1.0, -1.0] * 500)) == 0.0
    steps, _ = soundfile.read(path, dtype="int16")
    assert steps.reshape(-1, 2).tolist() == [[32_767, -32_768]] * 500


def test_a_peak_above_one_scales_the_whole_and_says_by_how_much(tmp_path):
    waveform = tone(440, amplitude=2.0)
    path = tmp_path / "loud.wav"
    message = r"loud\.wav: peak 2 is above full scale; all of it is scaled by -6\.02 dB$"
    with pytest.warns(AudioWarning, match=message):
        gain = write_audio(path, waveform)
    assert gain == pytest.approx(-20 * np.log10(np.abs(waveform).max()))
    assert np.abs(read_audio(path) - waveform * 10 ** (gain / 20)).max() <= 1.01 / 32_768


@pytest.mark.parametrize("suffix", [".ogg", ".mp3", ".MP3"])
def test_lossy_formats_come_back_close_and_in_time(tmp_path, suffix):
    waveform = tone(440, seconds=5)
    path = tmp_path / f"tone{suffix}"
    write_audio(path, waveform)
    got = read_audio(path)
    assert abs(len(got) - len(waveform)) <= 1152  # at most one frame of MP3
    middle = slice(RATE, 4 * RATE)
    assert np.sqrt(np.mean((got[middle] - waveform[middle]) ** 2)) < 0.01


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    path = tmp_path / "secret.wav"
    write_audio(path, tone(440))
    path.chmod(0)
    with pytest.raises(AudioError, match=r"secret\.wav: may not be read \(permission denied\)"):
        read_audio(path)


def test_channels_that_cancel_are_no_silence(tmp_path):
    """Stereo that cancels, wholly or nearly, and four empty channels of six: the loudest is taken, with a warning."""
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, RATE).astype(np.float32)
    quiet, other, empty = 0.9 * sound, 0.9 * np.roll(sound, 99), np.zeros_like(sound)
    for channels in ([-sound, quiet], [-sound, sound], [other, empty, sound, empty, empty, empty]):
        soundfile.write(tmp_path / "cancel.wav", np.stack(channels, 1), RATE, subtype="FLOAT")
        with pytest.warns(AudioWarning, match=r"cancel\.wav: (\d+|inf) dB are lost where its \d channels are mixed"):
            found = read_audio(tmp_path / "cancel.wav")
        np.testing.assert_array_equal(np.abs(found), np.abs(sound))
    soundfile.write(tmp_path / "apart.wav", np.stack([sound, np.roll(sound, 99)], 1), RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "apart.wav"), (sound + np.roll(sound, 99)) / 2, atol=1e-7)


def test_every_bad_waveform_is_refused_and_nothing_is_left(tmp_path):
    good = tone(440)
    cases = [
        (
            "a.wav",
            np.zeros((2, 9, 9)),
            "needs a waveform of shape (samples,) or (channels, samples), was given (2, 9, 9)",
        ),
        (
            "a.wav",
            np.zeros(99, np.int16),
            "needs a waveform of floating-point numbers, was given int16; divide by 32768",
        ),
        ("a.wav", np.array([0.0, np.nan]), "holds NaN or infinite samples"),
        ("a.wav", np.zeros((99_999, 2)), "cannot be written (Format not recognised. with 99999 channels at 32000 Hz)"),
        ("a.aac", good, "cannot write .aac; use .wav, .flac, .ogg, .mp3"),
        ("a", good, "cannot write a file without a suffix; use .wav, .flac, .ogg, .mp3"),
    ]
    for name, waveform, fault in cases:
        with pytest.raises(AudioError) as caught:
            write_audio(tmp_path / name, waveform)
        assert str(caught.value) == f"{tmp_path / name}: {fault}"
    assert not list(tmp_path.iterdir())


def test_paths_may_be_bytes_or_begin_at_home_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_audio("~/song.wav", tone(440))
    for path in ("~/song.wav", os.fsencode(tmp_path / "song.wav")):
        assert read_audio(path).shape == tone(440).shape
    with pytest.raises(AudioError, match="BytesIO: is no path"):
        read_audio(io.BytesIO())
    monkeypatch.chdir(tmp_path)
    write_audio("~nobody of that name.wav", tone(440))
    assert (tmp_path / "~nobody of that name.wav").exists()


def test_what_a_wav_cannot_count_is_written_as_rf64(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "LARGEST_WAV", 2 * 31_999)
    for size, form in ((31_999, "WAV"), (32_000, "RF64")):
        write_audio(tmp_path / f"{form}.wav", tone(440)[:size])
        assert soundfile.info(tmp_path / f"{form}.wav").format == form
        assert len(read_audio(tmp_path / f"{form}.wav")) == size


def test_long_vorbis_files_are_written(tmp_path):
    # libsndfile crashes the interpreter when one write hands its Vorbis encoder minutes of audio.
    write_audio(tmp_path / "long.ogg", tone(440, seconds=180))
    assert audio_info(tmp_path / "long.ogg").frames == 180 * RATE
