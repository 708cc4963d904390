"""Commands that use a separator: `separate`, `evaluate`."""

import re
import sys
import time
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Data, Device, Force, Model, Precision, finite
from lass_lab.signal.files import InputError, atomic_path, refuse_existing


def separate(
    mixture: Annotated[Path, typer.Argument(help="The recording: WAV, FLAC, OGG or MP3, any length.")],
    out: Annotated[Path, typer.Option(help="Folder for the estimates, one WAV file a query.")],
    query: Annotated[list[str] | None, typer.Option(help="What to separate, in words; may be repeated.")] = None,
    query_audio: Annotated[
        list[Path] | None, typer.Option(help="A recording of a sound like it, in place of words; its first 10 s count.")
    ] = None,
    model: Model = "tiny",
    device: Device = "auto",
    precision: Precision = "auto",
    force: Force = False,
) -> None:
    """Separate a recording by words, or by a sound: `lass-lab separate duet.flac --query violin --out estimates`."""
    from lass_lab.models import load_separator
    from lass_lab.models.querynet import check_sound
    from lass_lab.signal import SAMPLE_RATE, AudioWarning, audio_info, read_audio, read_blocks, write_blocks

    words, clips = query or [], query_audio or []
    if not words and not clips:
        raise InputError("separate: give --query WORDS or --query-audio CLIP")
    paths = _estimate_paths(out, mixture, [*words, *(clip.stem for clip in clips)])
    sounds = [read_audio(clip) for clip in clips]
    for clip, sound in zip(clips, sounds, strict=True):
        check_sound(sound, f"{clip}: query")  # the separator cannot say which file it came from
    refuse_existing(paths, force)
    info = audio_info(mixture)  # and an error at once where it is no recording
    separator = load_separator(model, device=device, precision=precision)
    seconds, began = info.frames / info.sample_rate, time.perf_counter()
    estimates = separator.separate_blocks(read_blocks(mixture), [*words, *sounds], length=round(seconds * SAMPLE_RATE))
    with warnings.catch_warnings():  # without the source line that Python prints under them
        warnings.simplefilter("always", AudioWarning)
        warnings.showwarning = lambda message, *_: print(f"lass-lab: {message}", file=sys.stderr)
        write_blocks(paths, estimates, force=force)
    took = time.perf_counter() - began
    for path in paths:
        print(path)
    print(f"{seconds:.1f} s by {len(paths)} query(s) in {took:.1f} s: {seconds / took:.1f} times real time")


def _estimate_paths(out: Path, mixture: Path, queries: list[str]) -> list[Path]:
    """One file name a query: its letters and digits, or its number where it has none or they are taken."""
    names: list[str] = []
    for number, query in enumerate(queries, start=1):
        # A name may have 255 bytes, and a letter up to four of them.
        letters = "_".join(re.findall(r"\w+", query.lower())).encode(errors="ignore")[:60]
        name = letters.decode(errors="ignore") or f"query_{number}"
        while name in names:
            name = f"{name}_{number}"
        names.append(name)
    return [out / f"{mixture.stem}.{name}.wav" for name in names]


def evaluate(
    model: Annotated[list[str] | None, typer.Option(help="Separators to measure; by default tiny.")] = None,
    piece: Annotated[list[str] | None, typer.Option(help="Pieces; by default those of the test split.")] = None,
    longest: Annotated[
        float | None, typer.Option(callback=finite, min=5, help="Use only so many seconds of each piece.")
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Measure a fine-tuning run: paper (beside the paper's numbers) or probes.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="For --table: a fine-tuning run; by default runs/finetune, or else what ships.")
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(help="For the probe for forgetting: sources to mix; by default the shipped ones.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=2, help="For the same: how many mixtures.")] = 50,
    data: Data = None,
    music: Annotated[
        Path | None, typer.Option("--music-eval", help="AudioSep's list of mixtures, with its audio beside it.")
    ] = None,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(help="Also write every number to this CSV file.")] = None,
    force: Force = False,
) -> None:
    """Measure separators on the duets: SDR, SDRi, SI-SDR, spectral correlation and MSE.

    With --table, measure the stages of a fine-tuning run: pretrained, phase 1, phase 2, and each --model beside them.
    With --music-eval, measure on AudioSep's mixtures instead of the duets.
    """
    if table not in (None, "paper", "probes"):
        raise InputError(f"table '{table}': choose paper or probes")
    if table == "probes" and piece and len(piece) > 1:
        raise InputError(f"probes: need one --piece, and were given {len(piece)}")
    named = {}
    if table:
        from lass_lab.course.runs import find_stages, finetune_folder
        from lass_lab.experiments.finetuning import stages

        run = run or (folder if (folder := finetune_folder()).is_dir() else None)
        named = stages(run) if run else find_stages()
    named |= {name: name for name in model or ([] if table else ["tiny"])}

    from lass_lab.commands import tables
    from lass_lab.datasets import list_pieces, load_piece
    from lass_lab.experiments import evaluation, music_eval, paper_tables, probing
    from lass_lab.models import load_separator

    with atomic_path(out, force) if out else nullcontext() as path:  # what is in the way is named now, not afterwards
        if music:
            items = music_eval.read_music_eval(music, music.parent)
        else:
            pieces = [load_piece(name, data) for name in piece or list_pieces("test", data)]
        separators = {name: load_separator(where, device=device) for name, where in named.items()}
        if music:
            numbers = music_eval.evaluate_items(separators, items)
            summary = music_eval.summarise_items(numbers)
            print(summary.to_string(index=False, na_rep="", float_format="{:.2f}".format))
        elif table == "probes":
            numbers = probing.probe(separators, piece=pieces[0], longest=longest, bank=sources, pairs=pairs)
            print(tables.format_probes(numbers))
        else:
            numbers = evaluation.evaluate(separators, pieces, longest=longest, oracles=table == "paper")
            if table:
                print(tables.format_paper_tables(paper_tables.paper_tables(numbers)))
            else:
                print(tables.format_summary(evaluation.summarise(numbers)))
        if path:
            numbers.to_csv(path, index=False)
