"""The command line, `lass-lab ...`: commands import what they need as they run, to keep --help instant."""

import re
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import lass_lab
from lass_lab.signal.files import InputError

if TYPE_CHECKING:
    import numpy as np

app = typer.Typer(
    help="Separate audio by typing what you want to hear.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a fault of ours is reported best by Python's own traceback
)


Model = Annotated[str, typer.Option(help="tiny, audiosep, a folder, or a hub id.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


def main() -> None:
    """Run the command line; bad input ends in one line and exit status 2, an interrupt in exit status 130."""
    try:
        app()
    except InputError as error:
        print(f"lass-lab: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _version(asked: bool) -> None:
    if asked:
        print(lass_lab.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Separate audio by typing what you want to hear."""


@app.command()
def doctor() -> None:
    """Show versions, cores, GPU, memory, weights and profile, and what to do about whatever is missing."""
    from lass_lab.course.profile import doctor

    marks = {True: "ok", False: "!!", None: "  "}
    table = doctor()
    width = table["item"].str.len().max()
    for item, value, ok, advice in table.itertuples(index=False):
        print(f"{marks[ok]}  {item:{width}}  {value}" + (f"  ({advice})" if advice else ""))
    faults = sum(ok is False for ok in table["ok"])
    print(f"\n{faults} marked !! above: see the advice beside each." if faults else "\nEverything is here.")


@app.command()
def separate(
    mixture: Annotated[Path, typer.Argument(help="The recording: WAV, FLAC, OGG or MP3, any length.")],
    out: Annotated[Path, typer.Option(help="Folder for the estimates, one WAV file a query.")],
    query: Annotated[list[str] | None, typer.Option(help="What to hear; give it again for more estimates.")] = None,
    query_audio: Annotated[
        list[Path] | None, typer.Option(help="A clip of what to hear, in place of words; its first 10 s count.")
    ] = None,
    model: Model = "tiny",
    device: Device = "auto",
    precision: Precision = "auto",
    force: Force = False,
) -> None:
    """Separate a recording by words, or by a sound: `lass-lab separate duet.flac --query violin --out estimates`."""
    from lass_lab.models import load_separator
    from lass_lab.models.querynet import check_queries
    from lass_lab.signal import SAMPLE_RATE, read_audio, write_audio

    words, clips = query or [], query_audio or []
    if not words and not clips:
        raise InputError("separate: give --query WORDS or --query-audio CLIP")
    paths = _estimate_paths(out, mixture, [*words, *(clip.stem for clip in clips)])
    if words:
        check_queries(words)
    queries = [*words, *map(_read_clip, clips)]
    if taken := [path for path in paths if path.exists() and not force]:
        raise InputError(f"{taken[0]}: exists already; pass --force to overwrite")
    waveform = read_audio(mixture)
    separator = load_separator(model, device=device, precision=precision)
    began = time.perf_counter()
    estimates = separator.separate(waveform, queries)
    took, seconds = time.perf_counter() - began, len(waveform) / SAMPLE_RATE
    for path, estimate in zip(paths, estimates, strict=True):
        with _warnings_as_lines():
            write_audio(path, estimate, force=force)
        print(path)
    print(f"{seconds:.1f} s by {len(queries)} query(s) in {took:.1f} s: {seconds / took:.1f} times real time")


def _read_clip(path: Path) -> "np.ndarray":
    """A clip to ask by; whatever is wrong with it as a query is told with its path."""
    from lass_lab.models.querynet import check_queries
    from lass_lab.signal import read_audio

    clip = read_audio(path)
    try:
        check_queries([clip])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return clip


def _estimate_paths(out: Path, mixture: Path, queries: list[str]) -> list[Path]:
    """One file name a query: its letters and digits, or its number where it has none or they are taken."""
    names: list[str] = []
    for number, query in enumerate(queries, start=1):
        name = "_".join(re.findall(r"\w+", query.lower()))[:60] or f"query_{number}"
        names.append(f"{name}_{number}" if name in names else name)
    return [out / f"{mixture.stem}.{name}.wav" for name in names]


@app.command()
def evaluate(
    model: Annotated[list[str] | None, typer.Option(help="Separators to measure; tiny unless told.")] = None,
    piece: Annotated[list[str] | None, typer.Option(help="Pieces; those of the test split unless told.")] = None,
    longest: Annotated[float | None, typer.Option(min=5, help="Use only so many seconds of each piece.")] = None,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(help="Also write every number to this CSV file.")] = None,
    force: Force = False,
) -> None:
    """Measure separators on the duets: SDR, SDRi, SI-SDR, spectral correlation and MSE."""
    from lass_lab.datasets import list_pieces, load_piece
    from lass_lab.experiments.evaluation import evaluate, format_summary, summarise
    from lass_lab.models import load_separator
    from lass_lab.signal.files import atomic_path

    if out and out.exists() and not force:
        raise InputError(f"{out}: exists already; pass --force to overwrite")
    pieces = [load_piece(name) for name in piece or list_pieces("test")]
    separators = {name: load_separator(name, device=device) for name in model or ["tiny"]}
    table = evaluate(separators, pieces, longest=longest)
    print(format_summary(summarise(table)))
    if out:
        with atomic_path(out, force) as path:
            table.to_csv(path, index=False)


@app.command()
def pretrain(
    sources: Annotated[Path, typer.Option(help="Folder that `lass-lab render sources` wrote.")] = Path("runs/sources"),
    run: Annotated[Path, typer.Option(help="The run's folder; one that was killed is resumed.")] = Path(
        "runs/pretrain"
    ),
    out: Annotated[Path, typer.Option(help="Folder for the weights and their model card.")] = Path("runs/tiny"),
    start: Annotated[Path | None, typer.Option(help="Go on from the weights in this folder.")] = None,
    unheard: Annotated[
        Path | None, typer.Option(help="Sources in another SoundFont, to be measured as well, never trained on.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 6500,
    sounds: Annotated[float, typer.Option(min=0, max=1, help="Share of queries that are a sound, not words.")] = 0.15,
    seed: Annotated[int, typer.Option(help="Of the weights' start and of the mixtures.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make mixtures.")] = 0,
    fuse: Annotated[
        bool | None, typer.Option(help="Fused norms: faster on a CPU; by default where a C++ compiler is.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless told.")] = None,
    force: Force = False,
) -> None:
    """Train the tiny separator on mixtures of rendered sources, measure it, and write it with its numbers."""
    import torch

    from lass_lab.experiments.model_card import write_card
    from lass_lab.experiments.pretraining import PretrainingRecipe, pretrain
    from lass_lab.models.fused import can_compile

    if (out / "model.safetensors").exists() and not force:
        raise InputError(f"{out}: holds weights already; pass --force to overwrite")
    if threads:
        torch.set_num_threads(threads)
    recipe = PretrainingRecipe(steps=steps, seed=seed)
    recipe = replace(recipe, mixtures=replace(recipe.mixtures, sounds=sounds))
    fuse = can_compile() if fuse is None else fuse
    separator = pretrain(sources, run, recipe, start=start, workers=workers, fuse=fuse)
    separator.save_pretrained(out)
    print(write_card(out, sources, run, recipe, unheard=unheard))


@app.command()
def weights(
    name: Annotated[str, typer.Argument(help="The separator to make ready.")] = "audiosep",
    weights: Annotated[
        list[Path] | None,
        typer.Option(help="A file fetched by hand: the .ckpt, CLAP's .pt, or the tokenizer's .json; one option each."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Read a checkpoint even if it asks for code to be run.")
    ] = False,
) -> None:
    """Fetch a separator's weights, check them, and make them ready to open without a network."""
    from lass_lab.models.weights import fetch_weights

    print("\n".join(fetch_weights(name, weights or [], trust=trust)))


render = typer.Typer(help="Make the shipped audio again (needs the fluidsynth program and SoundFonts).")
app.add_typer(render, name="render", no_args_is_help=True)


@render.command("duets")
def render_duets(
    out: Annotated[Path, typer.Option(help="Data folder to write duets/ and manifest.csv to.")],
    force: Force = False,
) -> None:
    """Render the duets: stems, their mixture, and the manifest."""
    from lass_lab.datasets.duet_rendering import make_duets

    print(make_duets(out, force=force))


@render.command("sources")
def render_sources(
    out: Annotated[Path, typer.Option(help="Folder for the clips and sources.csv.")] = Path("runs/sources"),
    clips: Annotated[int, typer.Option(min=1, help="Training clips per instrument and SoundFont.")] = 16,
    heldout: Annotated[int, typer.Option(min=0, help="Clips for validation, and again for the test.")] = 2,
    seconds: Annotated[float, typer.Option(min=1, help="Length of a clip.")] = 30.0,
    soundfont: Annotated[list[str] | None, typer.Option(help="SoundFonts; the two that train unless told.")] = None,
    test_only: Annotated[bool, typer.Option(help="Render the test split alone.")] = False,
    seed: Annotated[int, typer.Option(help="Of the music and how it is played.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Render the pretraining sources: seeded music by every taught instrument. A killed run goes on."""
    from lass_lab.datasets.sources import SOUNDFONTS, render_sources

    splits = {"test": heldout} if test_only else {"train": clips, "validation": heldout, "test": heldout}
    fonts = tuple(soundfont or SOUNDFONTS)
    print(render_sources(out, clips=splits, seconds=seconds, soundfonts=fonts, seed=seed, workers=workers))


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(min=1, help="Length of the long file.")] = 180.0,
    out: Annotated[Path | None, typer.Option(help="Also write the table to this CSV file.")] = None,
    force: Force = False,
) -> None:
    """Measure speed and memory: every row a ratio against the plain float32 pass of the same network in this run."""
    from lass_lab.experiments.benchmark import bench
    from lass_lab.signal.files import atomic_path

    table = bench(seconds)
    print(table.to_string(index=False))
    if out:
        with atomic_path(out, force) as path:
            table.to_csv(path, index=False)


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Warnings of this package without the source line that Python prints under them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        print(f"lass-lab: {warning.message}", file=sys.stderr)


if __name__ == "__main__":
    main()
