"""The command that uses a separator: `separate`."""

import os
import re
import shutil
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from lass_lab.commands.options import Device, Force, Model, Precision
from lass_lab.signal.files import InputError, refuse_existing

STDIN = Path("-")


def separate(
    recording: Annotated[
        list[Path],
        typer.Argument(
            help="Recordings (any format and length; of a video its sound), folders of them, or - for standard input."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the estimates, one WAV file a query.")],
    query: Annotated[list[str] | None, typer.Option(help="What to separate, in words; may be repeated.")] = None,
    query_audio: Annotated[
        list[Path] | None, typer.Option(help="A recording of a sound like it, in place of words; its first 10 s count.")
    ] = None,
    residual: Annotated[bool, typer.Option("--residual", help="Also write what no query named.")] = False,
    remove: Annotated[
        list[str] | None, typer.Option(help="Write the recording without this; may be repeated, to remove several.")
    ] = None,
    consistent: Annotated[
        bool,
        typer.Option(
            "--consistent",
            help="Correct the estimates so that they and the residual, which is written as well, add up to the "
            "recording. Pays most where the queries name all there is.",
        ),
    ] = False,
    against: Annotated[
        list[str] | None,
        typer.Option(help="What else plays and needs no file; pays where query and this are all there is."),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Also take what is in the folders of folders.")
    ] = False,
    model: Model = "tiny",
    device: Device = "auto",
    precision: Precision = "auto",
    force: Force = False,
) -> None:
    """Separate recordings by words, or by a sound: `lass-lab separate duet.flac --query violin --out estimates`.

    Estimates have the recording's channels, sample rate, bits and length.
    """
    from lass_lab.models import load_separator
    from lass_lab.models.querynet import as_sound
    from lass_lab.signal import AudioWarning, audio_info, read_audio
    from lass_lab.signal.audio import as_path

    out = as_path(out)
    words, clips, removed = query or [], query_audio or [], remove or []
    if not (words or clips or removed):
        raise InputError("separate: give --query WORDS, --query-audio CLIP or --remove WORDS")
    further = [word for word in dict.fromkeys(removed) if word not in words]
    named = [*words, *further, *(against or [])]
    if twice := [word for place, word in enumerate(named) if word in named[:place]]:
        raise InputError(f"query '{twice[0]}': is given twice")
    sounds = [as_sound(read_audio(clip), f"{clip}: query") for clip in clips]  # the separator does not know the file
    residual = (residual or consistent) and bool(words or clips)
    names = [*words, *(clip.stem for clip in clips), *["residual"] * residual]
    names += [f"without {' and '.join(removed)}"] if removed else []
    with tempfile.TemporaryDirectory() as folder:
        files = [_kept(each, Path(folder, str(place))) for place, each in enumerate(dict.fromkeys(recording))]
        plan = _plan(list(_recordings(files, out, recursive)), out, names)
        refuse_existing([path for paths in plan.values() for path in paths], force)
        if len(plan) == 1:
            audio_info(next(iter(plan)))  # an error at once where it is no recording
        separator = load_separator(model, device=device, precision=precision)
        queries, rows = [*words, *sounds, *further], len(words) + len(clips)
        gone = [words.index(word) if word in words else rows + further.index(word) for word in dict.fromkeys(removed)]
        asked = {"rows": rows, "residual": residual, "removed": gone}
        with warnings.catch_warnings():  # without the source line that Python prints under them
            warnings.simplefilter("always", AudioWarning)
            warnings.showwarning = lambda message, *_: print(f"lass-lab: {message}", file=sys.stderr)
            _separate_all(separator, plan, queries, asked | {"consistent": consistent, "against": against or []}, force)


def _separate_all(separator, plan: dict[Path, list[Path]], queries: list, asked: dict, force: bool) -> None:
    """Separate file by file; those that fail are named at the end, in one InputError, once the others are done."""
    from tqdm import tqdm

    from lass_lab.signal import SAMPLE_RATE, audio_info, write_blocks

    faults, done, began = [], 0.0, time.perf_counter()
    for path, outputs in tqdm(plan.items(), unit="file", disable=len(plan) == 1):
        try:
            info = audio_info(path)
            length = round(info.frames / info.sample_rate * SAMPLE_RATE)
            progress = None if len(plan) == 1 else False
            blocks = _outputs(separator, path, queries, length=length, progress=progress, **asked)
            write_blocks(outputs, blocks, like=info, together=asked["consistent"], force=force)
            written = audio_info(outputs[0])  # its own header may not have said how long it is
            done += written.frames / written.sample_rate
            print("\n".join(map(str, outputs)))
        except InputError as error:
            if len(plan) == 1:
                raise
            faults.append(str(error))
    took = time.perf_counter() - began
    print(f"{done:.1f} s by {len(queries)} query(s) in {took:.1f} s: {done / took:.1f} times real time")
    if faults:
        raise InputError(f"{len(faults)} of {len(plan)} recordings failed: {'; '.join(faults)}")


def _outputs(
    separator, path: Path, queries: list, *, rows: int, residual: bool, removed: list[int], **how
) -> Iterator[np.ndarray]:
    """What is written of a recording, block by block `(files, channels, samples)`, at its own sample rate."""
    from lass_lab.signal import beside

    for block, recorded in beside(lambda blocks: separator.separate_blocks(blocks, queries, **how), path):
        written = [*block[:rows]]
        written += [recorded - block[:rows].sum(0)] if residual else []
        written += [recorded - block[removed].sum(0)] if removed else []
        yield np.stack(written)


def _kept(path: Path, folder: Path) -> Path:
    """The path; of standard input or a pipe, a copy in `folder`: a pipe is read once, a header may be last."""
    try:
        mode = 0 if path == STDIN else os.stat(path).st_mode
    except OSError:  # what it is, is told where it is opened
        return path
    if mode and not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        return path
    copy = folder / ("stdin" if path == STDIN else path.name)
    try:
        folder.mkdir()
        with copy.open("wb") as file, sys.stdin.buffer if path == STDIN else path.open("rb") as source:
            shutil.copyfileobj(source, file)
    except OSError as error:
        raise InputError(f"{copy}: cannot be written ({error.strerror})") from error
    return copy


def _recordings(given: Sequence[Path], out: Path, recursive: bool) -> Iterator[tuple[Path, Path]]:
    """Every recording, and the folder under `out` for what is made of it: as it lay in the folder that was given."""
    from lass_lab.datasets.layouts import READABLE

    for path in given:
        if not os.path.isdir(path):  # False, where Path.is_dir raises: a name that is too long
            yield path, Path()
            continue
        made = out.resolve() if path.resolve() in out.resolve().parents else None  # by an earlier call
        found = [
            each
            for each in sorted(path.rglob("*") if recursive else path.iterdir())
            if each.suffix.lower() in READABLE and not each.name.startswith(".")
            if not (made and each.resolve().is_relative_to(made))
        ]
        if not found:
            raise InputError(f"{path}: holds no recordings" + ("" if recursive else "; --recursive looks deeper"))
        yield from ((each, each.parent.relative_to(path)) for each in found)


def _plan(recordings: Sequence[tuple[Path, Path]], out: Path, names: Sequence[str]) -> dict[Path, list[Path]]:
    """The files to write for each recording; recordings of one name get numbers."""
    plan: dict[Path, list[Path]] = {}
    taken: set[tuple[Path, str]] = set()
    for path, folder in recordings:
        if path in plan:  # it was given twice
            continue
        stem, number = path.stem, 1
        while (folder, stem.casefold()) in taken:
            number += 1
            stem = f"{path.stem}_{number}"
        taken.add((folder, stem.casefold()))
        plan[path] = [out / folder / f"{stem}.{name}.wav" for name in _file_names(names)]
    return plan


def _file_names(queries: Sequence[str]) -> list[str]:
    """One name a query: its letters and digits, or its number where it has none or they are taken."""
    names: list[str] = []
    for number, query in enumerate(queries, start=1):
        # A name may have 255 bytes, and a letter up to four of them.
        letters = "_".join(re.findall(r"\w+", query.lower())).encode(errors="ignore")[:60]
        name = letters.decode(errors="ignore") or f"query_{number}"
        while name in names:
            name = f"{name}_{number}"
        names.append(name)
    return names
