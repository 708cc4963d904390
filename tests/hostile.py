"""Recordings as strangers have them, made from one duet, for tests/test_faults.py; a file's name says what it is.

Every maker writes one file, and may return what must be known to judge it: by which `gain` it differs from the duet,
that it is to be compared from its `last` sample on, of which of the `TWINS` its estimate is `like`, and how much at
`least`.
"""

import os
import struct
import zipfile
from functools import cache
from threading import Thread

import av
import numpy as np
import soundfile
import soxr

from lass_lab.signal import SAMPLE_RATE, read_audio
from lass_lab.signal.files import data_dir

RATE, SECONDS = 48_000, 3
LONG = "long" * 70  # no file system takes it


@cache
def duet():
    """A violin on the left and a trumpet on the right, each a little on the other side, `(2, samples)` at 48 kHz."""
    stems = [read_audio(data_dir() / "duets" / "joy" / f"{name}.flac") for name in ("violin", "trumpet")]
    stems = np.stack([stem[SAMPLE_RATE : SAMPLE_RATE * (1 + SECONDS)] for stem in stems], axis=1)
    panned = np.array([[0.8, 0.2], [0.2, 0.8]]) @ soxr.resample(stems, SAMPLE_RATE, RATE).T
    return np.float32(0.5 * panned / np.abs(panned).max())


def pcm(subtype="PCM_16", change=lambda sound: sound, rate=RATE, form=None, **told):
    """Written by libsndfile; `change` makes other samples of the duet's."""

    def make(path):
        sound = change(soxr.resample(duet().T, RATE, rate).T if rate != RATE else duet())
        with path.open("wb") as file:  # by its name, libsndfile takes UTF-8 alone
            soundfile.write(file, sound.T, rate, subtype, format=form or path.suffix[1:])
        return told

    return make


def add_picture(file):
    stream = file.add_stream("mpeg4", 25, width=64, height=64, pix_fmt="yuv420p")
    for frame in (av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), "yuv420p"), None):
        file.mux(stream.encode(frame))


def coded(codec, rate=RATE, layout="stereo", form=None, film=False, quality=None, **told):
    """Encoded by FFmpeg, with `quality` at a variable rate and without the header that tells the length."""

    def make(path):
        with av.open(str(path), "w", format=form, options={"write_xing": "0"} if quality else {}) as file:
            stream = file.add_stream(codec, rate, layout=layout)
            stream.bit_rate = 256_000 if rate > 8_000 else 12_200
            if quality:
                stream.codec_context.qscale, stream.codec_context.global_quality = True, 118 * quality
            if film:
                add_picture(file)
            size = stream.codec_context.frame_size or 1024
            resampler = av.AudioResampler(stream.format, layout, rate, frame_size=size)
            frame = av.AudioFrame.from_ndarray(duet(), "fltp", "stereo")
            frame.sample_rate, frame.pts = RATE, 0
            for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                file.mux(stream.encode(part))
        return told

    return make


vorbis = pcm("VORBIS", form="OGG")


def edited(make, change, **told):
    """Another file with its bytes changed."""

    def edit(path):
        make(path)
        path.write_bytes(change(path.read_bytes()))
        return told

    return edit


def cut(make):
    return edited(make, lambda content: content[: len(content) * 6 // 10])


def twice(make):
    return edited(make, lambda content: 2 * content, last=True)


def holding(content):
    def make(path):
        path.write_bytes(content)

    return make


def replaced(at, new):
    """Bytes of a WAV file replaced: its channels from 22 on, rate 24, a frame's bytes 32, bits 34, length 40."""
    return edited(pcm(), lambda content: content[:at] + new + content[at + len(new) :])


def chunk(name, content, before=b"data"):
    """A WAV file with a further chunk before another."""
    added = name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    return edited(pcm(), lambda whole: whole.replace(before, added + before, 1))


def without_page(content):
    pages = content.split(b"OggS")
    return b"OggS".join(pages[:-3] + pages[-2:])


def with_hole(content):
    return content[: len(content) // 2] + bytes(400) + content[len(content) // 2 + 400 :]


def unmeasured(flac):
    """Without the number of samples, the last 36 bits of these."""
    return flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:]


def from_left(gain):
    return lambda sound: np.stack([sound[0], gain * sound[0]])


def among(count, places):
    """So many channels, silent but for two."""

    def change(sound):
        channels = np.zeros((count, sound.shape[1]), np.float32)
        channels[places] = sound
        return channels

    return change


def with_offset(start, end):
    return lambda sound: sound + np.linspace(start, end, sound.shape[1], dtype=np.float32)


def with_sample(value):
    def change(sound):
        sound = sound.copy()
        sound[1, RATE] = value
        return sound

    return change


def denormal_end(sound):
    return np.concatenate([sound, np.full((2, RATE), 1e-41, np.float32)], axis=1)


def joined(path):
    mp3(path)
    first = path.read_bytes()
    coded("libmp3lame", rate=32_000)(path)
    path.write_bytes(first + path.read_bytes())


def piped(path):
    pcm()(path.with_suffix(".kept.wav"))
    os.mkfifo(path)
    Thread(target=lambda: path.write_bytes(path.with_suffix(".kept.wav").read_bytes()), daemon=True).start()


def zipped(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("song.wav", bytes(9_999))


def film(path):
    with av.open(str(path), "w") as file:
        add_picture(file)


mp3, aac, opus, wave = coded("libmp3lame"), coded("aac"), coded("libopus"), pcm()
ID3 = b"ID3\x04\x00\x00\x00\x00\x08\x00" + bytes(1024)
PCM = ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW", "IMA_ADPCM", "MS_ADPCM")

TWINS = {"duet.wav": pcm("FLOAT"), "left.wav": pcm("FLOAT", lambda sound: sound[:1])}
INPUTS = {
    "Formats": {f"{name}.wav": pcm(name) for name in PCM}
    | {f"{rate} Hz.wav": pcm(rate=rate) for rate in (8_000, 11_025, 22_050, 44_100, 96_000, 192_000, 384_000)}
    | {
        "16 bits.aiff": wave, "8 bits.aiff": pcm("PCM_S8"), "16 bits.caf": wave, "16 bits.au": wave,
        "16 bits.voc": wave, "24 bits.w64": pcm("PCM_24"), "RF64.wav": pcm(form="RF64"),
        "WAVEX.wav": pcm(form="WAVEX"), "16 bits.flac": wave, "24 bits.flac": pcm("PCM_24"), "Vorbis.ogg": vorbis,
        "Opus.opus": opus, "Opus.webm": opus, "FLAC.ogg": coded("flac"), "MP3.mp3": mp3, "MP3.wav": mp3,
        "MPEG layer 2.mp2": coded("mp2"), "AAC.m4a": aac, "AAC.aac": coded("aac", form="adts"), "AAC.ts": aac,
        "ALAC.m4a": coded("alac"), "WMA.wma": coded("wmav2"), "AC-3.ac3": coded("ac3"), "E-AC-3.mka": coded("eac3"),
        "WavPack.wv": coded("wavpack"), "TTA.tta": coded("tta"),
        "AMR of a telephone.amr": coded("libopencore_amrnb", rate=8_000, layout="mono", least=0.9),
        "a film.mp4": coded("aac", film=True), "a film.mkv": coded("libopus", film=True),
        "a film.avi": coded("libmp3lame", film=True),
    },
    "Compressed sound": {
        "no Xing header, a variable rate.mp3": coded("libmp3lame", quality=4),
        "begins in mid-frame.mp3": edited(mp3, lambda content: content[5_000:], last=True),
        "64 kB of zeros before.mp3": edited(mp3, lambda content: bytes(65_536) + content),
        "text before.mp3": edited(mp3, lambda content: b"what comes first " * 99 + content),
        "a tag before and after.mp3": edited(mp3, lambda content: ID3 + content + b"TAG" + bytes(125)),
        "MP3 called.wav": coded("libmp3lame", form="mp3"), "AAC called.mp3": coded("aac", form="ipod"),
        "WAV called.ogg": pcm(form="WAV"), "one after the other.mp3": twice(mp3),
        "one after the other.ogg": twice(vorbis), "one after the other.opus": twice(opus),
        "another rate after.mp3": joined, "a page is missing.ogg": edited(vorbis, without_page),
        "a page is missing.opus": edited(opus, without_page), "400 zeros in the middle.mp3": edited(mp3, with_hole),
        "400 zeros in the middle.flac": edited(wave, with_hole), "400 zeros in the middle.m4a": edited(aac, with_hole),
    },
    "Cut and mistaken headers": {
        **{f"cut.{suffix}": cut(wave) for suffix in ("wav", "aiff", "caf", "au", "w64", "flac")},
        "cut, RF64.wav": cut(pcm(form="RF64")), "cut.mp3": cut(mp3), "cut.ogg": cut(vorbis), "cut.opus": cut(opus),
        "cut.m4a": cut(aac), "cut.webm": cut(opus), "cut.aac": cut(coded("aac", form="adts")),
        "cut.wma": cut(coded("wmav2")), "has 8 samples, promises more.wav": edited(wave, lambda whole: whole[:76]),
        "a length of 0.wav": replaced(40, bytes(4)), "a length of 0xFFFFFFFF.wav": replaced(40, b"\xff" * 4),
        "no length, from a pipe.flac": edited(wave, unmeasured),
        "a frame of 0 bytes.wav": replaced(32, bytes(2)), "no channels.wav": replaced(22, bytes(2)),
        "no rate.wav": replaced(24, bytes(4)), "no bits.wav": replaced(34, bytes(2)),
        "a chunk of junk before.wav": chunk(b"junk", bytes(4_321)),
        "a broadcast chunk.wav": chunk(b"bext", bytes(602), b"fmt "),
        "a chunk that ends early.wav": edited(wave, lambda content: content + b"LIST\xff\xff\xff\x7fINFO"),
    },
    "Channels": {
        "mono.wav": pcm(change=lambda sound: sound.mean(0, keepdims=True)),
        "one side is the other upside down.wav": pcm("FLOAT", from_left(-1), like="left"),
        "nearly upside down.wav": pcm("FLOAT", from_left(-0.999), like="left"),
        "one side is silent.wav": pcm(change=from_left(0), like="left"),
        "six, of which four are silent.wav": pcm(change=among(6, [0, 1])),
        "twelve, of which ten are silent.wav": pcm(change=among(12, [4, 9])),
    },
    "Levels": {
        "40 dB quieter.wav": pcm("FLOAT", lambda sound: sound / 100, gain=0.01),
        "80 dB quieter.wav": pcm("FLOAT", lambda sound: sound / 1e4, gain=1e-4),
        "20 dB louder.wav": pcm("FLOAT", lambda sound: sound * 10, gain=10),
        "an offset of 0.3.wav": pcm("FLOAT", with_offset(0.3, 0.3)),
        "an offset of 0.9.wav": pcm("FLOAT", with_offset(0.9, 0.9)),
        "an offset that drifts.wav": pcm("FLOAT", with_offset(-0.5, 0.5)),
        "denormals at the end.wav": pcm("FLOAT", denormal_end), "silence.wav": pcm(change=np.zeros_like),
        "NaN.wav": pcm("FLOAT", with_sample(np.nan)), "infinite.wav": pcm("FLOAT", with_sample(np.inf)),
        "numbers that are no sound.wav": pcm("FLOAT", with_sample(1e30)),
    },
    "No sound": {
        "gone.wav": lambda path: None, "a link to nothing.wav": lambda path: path.symlink_to("nowhere.wav"),
        "a link to itself.wav": lambda path: path.symlink_to(path.name), "a folder.wav": lambda path: path.mkdir(),
        "0 bytes.wav": holding(b""), "no samples.wav": pcm(change=lambda sound: sound[:, :0]),
        "one sample.wav": pcm(change=lambda sound: sound[:1, :1], rate=192_000),
        "text.wav": holding(b"hello " * 99), "a page.mp3": holding(b"<!doctype html><title>404</title>" * 99),
        "zeros.raw": holding(bytes(999)), "noise.mp3": holding(np.random.default_rng(0).bytes(99_999)),
        "an archive.wav": zipped, "a playlist.m3u8": holding(b"#EXTM3U\n#EXTINF:4,\nsong.wav\n"),
        "a list.txt": holding(b"ffconcat version 1.0\nfile 'song.wav'\n"), "a film without sound.mp4": film,
        "MIDI.mid": holding(b"MThd" + bytes(10) + b"MTrk" + bytes(99)), LONG: lambda path: None,
    },
    "Names": {
        "-take1.wav": wave, "%d %s.wav": wave, "C: take 1?.wav": wave, "🎻 小提琴.wav": wave, "two\nlines.wav": wave,
        os.fsdecode(b"no \xff\xe9 UTF-8.wav"): wave, "no suffix": pcm(form="WAV"), "SHOUTED.WAV": wave,
        ".hidden.wav": wave, "a pipe.wav": piped,
    },
}  # fmt: skip
