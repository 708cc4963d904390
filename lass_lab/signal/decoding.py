"""Audio files decoded: every container and codec that FFmpeg knows, through PyAV; nothing is resampled or mixed yet.

FFmpeg honours what a file says of its encoder's delay and padding, so a recording begins at its first sample.
"""

import os
import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np

from lass_lab.signal.files import LOUDEST, AudioError, AudioInfo, DamageWarning

BLOCK = 65_536  # samples at a time, at least
HOLE_S, JITTER_S = 0.005, 0.1  # timestamps that jump by more leave a hole; the latter where they are imprecise
# Where the samples of a file begin: by its first bytes the place of the first chunk, and a chunk's head; its length may
# count the head, and chunks begin at multiples of so many bytes.
CHUNKS = {b"RIFF": (12, "<4sI", 0, 2), b"riff": (40, "<4s12xQ", 24, 8), b"caff": (8, ">4sQ", 0, 1)}
# Containers whose headers have the exact length; codecs whose samples have more than 16 bits, in libsndfile's words.
EXACT = ("wav", "w64", "aiff", "flac", "caf", "au", "ogg", "mov,mp4,m4a,3gp,3g2,mj2")
LOSSLESS = ("flac", "alac", "wavpack", "tta", "ape", "mlp", "truehd")
FINER = {"pcm_s24": "PCM_24", "pcm_s32": "PCM_32", "pcm_f32": "FLOAT", "pcm_f64": "DOUBLE"}


class Decoder:
    """An open recording: its `info`, and its samples once, in `blocks`."""

    def __init__(self, path: Path, file: BinaryIO, container: av.container.InputContainer, longer: float = 1.0) -> None:
        self.path, self._file, self._container = path, file, container
        self._stream = stream = container.streams.audio[0]
        stream.codec_context.options = {"err_detect": "crccheck+explode"}  # a damaged frame is left out, not guessed at
        codec, format_name = stream.codec_context, container.format.name
        seconds = stream.duration * stream.time_base if stream.duration else (container.duration or 0) / av.time_base
        finer = [name for start, name in FINER.items() if codec.name.startswith(start)]
        lossless = codec.name in LOSSLESS and codec.format.bytes > 2
        subtype = finer[0] if finer else "PCM_24" if lossless else "PCM_16"
        frames = round(seconds * codec.sample_rate * longer)
        self.info = AudioInfo(codec.sample_rate, codec.channels, frames, subtype)
        # An MP3's length is exact where its first frame tells the encoder's delay as well, and else a guess.
        alone = format_name == "matroska,webm" and len(container.streams) == 1  # else the film's, which may go on
        self._exact = format_name in EXACT or alone or (format_name == "mp3" and bool(stream.start_time))
        # Where the clock counts samples, but for Ogg, which tells the time of whole pages.
        exact = format_name != "ogg" and not stream.time_base.denominator % (codec.sample_rate or 1)
        self._hole = round((HOLE_S if exact else JITTER_S) * codec.sample_rate)

    def blocks(self) -> Iterator[np.ndarray]:
        """The samples, float32 `(channels, samples)`, all finite. A `DamageWarning` at the end says what is missing.

        Raises:
            AudioError: no samples, NaN, infinite or beyond `LOUDEST`, or a rate or channels that change on the way.
        """
        info, done, held = self.info, 0, []
        for samples in self._decoded():
            if samples.shape[0] != info.channels:
                where = done / info.sample_rate
                raise AudioError(f"{self.path}: goes on with {len(samples)} channels after {where:.3f} s")
            finite = np.isfinite(samples).all(axis=0)
            if not finite.all():
                where = (done + np.argmin(finite)) / info.sample_rate
                raise AudioError(f"{self.path}: holds NaN or infinite samples, the first at {where:.3f} s")
            if (peak := float(np.abs(samples).max(initial=0))) > LOUDEST:
                raise AudioError(f"{self.path}: has a peak of {peak:.3g}, where full scale is 1")
            done += samples.shape[1]
            held.append(samples)
            if sum(each.shape[1] for each in held) >= BLOCK:
                yield np.concatenate(held, axis=1)
                held = []
        if held:
            yield np.concatenate(held, axis=1)
        if not done:
            raise AudioError(f"{self.path}: holds no samples")
        seconds, told = done / info.sample_rate, info.frames / info.sample_rate
        if self._exact and seconds < told - JITTER_S:
            self._warn(f"holds {seconds:.3f} s of the {told:.3f} s that it should")
        elif self._container.format.name == "ogg" and not self._whole_ogg():
            self._warn(f"ends after {seconds:.3f} s without the mark of its end")

    def _decoded(self) -> Iterator[np.ndarray]:
        """Frame by frame, `(channels, samples)`; what cannot be decoded is left out, and what is missing is silence."""
        rate, given, ahead, told = self.info.sample_rate, 0, None, False
        total = self.info.frames if self._exact and self._container.format.name.startswith("mov") else None
        for frame in self._frames():
            if frame.sample_rate != rate:
                raise AudioError(f"{self.path}: goes on at {frame.sample_rate} Hz after {given / rate:.3f} s")
            try:
                samples = _scaled(frame)
            except ValueError as error:
                raise AudioError(f"{self.path}: samples of the form {frame.format.name} cannot be read") from error
            if frame.pts is not None:
                now = round(frame.pts * frame.time_base * rate) - given
                ahead = now if ahead is None or now < ahead else ahead
                if (hole := now - ahead) > self._hole:
                    if not told:
                        self._warn(f"has a hole of {hole / rate:.3f} s at {given / rate:.3f} s")
                    told, ahead = True, now - hole
                    for start in range(0, hole, BLOCK):
                        yield np.zeros((len(samples), min(BLOCK, hole - start)), np.float32)
                    given += hole
            if total is not None:
                samples = samples[:, : max(total - given, 0)]
            given += samples.shape[1]
            yield samples

    def _frames(self) -> Iterator[av.AudioFrame]:
        decoded, told = 0, False
        try:
            for packet in self._container.demux(self._stream):
                try:
                    if decoded and packet.has_sidedata("strings_metadata"):  # another stream follows in the file
                        self._stream.codec_context.flush_buffers()
                    for frame in packet.decode():
                        decoded += frame.samples
                        yield frame
                except av.error.InvalidDataError:
                    if decoded and not told:
                        self._warn(f"cannot be decoded at {decoded / self.info.sample_rate:.3f} s; goes on after that")
                        told = True
        except (av.error.FFmpegError, OSError) as error:
            if not decoded:
                raise AudioError(f"{self.path}: cannot be read as audio ({error.strerror})") from error
            self._warn(f"cannot be decoded from {decoded / self.info.sample_rate:.3f} s on ({error.strerror})")

    def _whole_ogg(self) -> bool:
        """Whether the last page of an Ogg file is marked as the last."""
        self._file.seek(max(0, os.fstat(self._file.fileno()).st_size - BLOCK))
        end = self._file.read()
        page = end.rfind(b"OggS")
        return page >= 0 and len(end) > page + 5 and bool(end[page + 5] & 4)

    def _warn(self, what: str) -> None:
        warnings.warn(f"{self.path}: {what}", DamageWarning, stacklevel=2)


@contextmanager
def opened(path: Path) -> Iterator[Decoder]:
    """A recording, open to be decoded.

    Raises:
        AudioError: missing, a folder, unreadable, or not audio.
    """
    try:
        if path.is_dir():
            raise AudioError(f"{path}: is a folder, not an audio file")
        if not path.exists():
            raise AudioError(f"{path}: no such file")
        if not os.access(path, os.R_OK):
            raise AudioError(f"{path}: may not be read (permission denied)")
        kind = path.stat()
        if stat.S_ISREG(kind.st_mode) and not kind.st_size:
            raise AudioError(f"{path}: is empty (0 bytes)")
        file = path.open("rb")
    except OSError as error:  # a name that is too long, or a folder on the way to it that is locked
        raise AudioError(f"{path}: cannot be read ({error.strerror})") from error
    with file:
        longer = _longer(file)
        try:  # a playlist may name other files, or addresses: none of them is opened
            container = av.open(file, metadata_errors="ignore", options={"protocol_whitelist": "none"})
        except (av.error.FFmpegError, OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise AudioError(f"{path}: cannot be read as audio ({why})") from error
        with container:
            if not container.streams.audio or not container.streams.audio[0].codec_context:
                raise AudioError(f"{path}: holds no sound")
            decoder = Decoder(path, file, container, longer)
            if not (decoder.info.sample_rate > 0 and decoder.info.channels > 0):
                raise AudioError(f"{path}: cannot be read as audio (it has no sample rate)")
            yield decoder


def _longer(file: BinaryIO) -> float:
    """How much longer a WAV, W64 or CAF file says its samples are than it is: FFmpeg goes by the file. Else 1."""
    if not file.seekable():
        return 1.0
    size, factor = os.fstat(file.fileno()).st_size, 1.0
    if kind := CHUNKS.get(file.read(4)):
        start, form, counted, multiple = kind
        file.seek(start)
        while len(head := file.read(struct.calcsize(form))) == struct.calcsize(form):
            name, told = struct.unpack(form, head)
            if name == b"data":
                streamed = told in (0, 2**32 - 1, 2**64 - 1)
                factor = 1.0 if streamed else (told - counted) / max(size - file.tell(), 1)
                break
            end = file.tell() + max(told - counted, 0)
            if end >= size:
                break
            file.seek(end + -end % multiple)
    file.seek(0)
    return max(factor, 1.0)


def _scaled(frame: av.AudioFrame) -> np.ndarray:
    """A frame's samples as float32 `(channels, samples)`, where full scale is 1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if np.issubdtype(samples.dtype, np.integer):
        return (samples / float(2 ** (8 * samples.dtype.itemsize - 1))).astype(np.float32)
    return samples.astype(np.float32)
