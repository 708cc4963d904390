"""Kills at random moments, disks that take no more, a hub that lies, and two processes at one folder.

Whatever happens: nothing half-written is ever taken for whole, and the same command, given again, ends in what an
undisturbed one ends in, to the last bit. `make torture` does it 50 times each.
"""

import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from lass_lab.course import ledger
from lass_lab.signal import SAMPLE_RATE, AudioError, write_audio
from tests.made_duets import made_duets
from tests.made_separators import small
from tests.made_sources import made_bank
from tests.torture import CHECKOUT, PATIENCE_S, Commands, Hub, environment, made_files

ROUNDS = int(os.environ.get("LASS_LAB_TORTURE", "2"))
KILLED = {-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM}
SECONDS = 12.0  # of the recording that is separated

pytestmark = pytest.mark.timeout(300 + 60 * ROUNDS)


NO_RESULT = ("/.", ".incomplete", "/log/", ".ckpt", "/refs/", "CACHEDIR")  # hidden, a log, or what a run goes on from


@dataclass
class Case:
    """A command, with "OUT" where its result goes, and what it leaves: each file's content, of an earlier result
    (`before`, empty where it overwrites none) and of an undisturbed run (`after`), which takes `seconds`.

    marks: file -> folder that is whole where the file is there. hub: whether OUT holds the hub's cache and ours.
    """

    arguments: tuple[object, ...]
    marks: dict[str, str] = field(default_factory=dict)
    hub: bool = False
    before: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0

    def run(self, commands, out, **how):
        arguments = [str(argument).replace("OUT", str(out)) for argument in self.arguments]
        return commands.run(*arguments, hub=out if self.hub else None, **how)

    def start(self, out, earlier=True):
        out.mkdir()
        for name, content in (self.before if earlier else {}).items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)

    def check(self, out):
        """Every file is the old one or the new one, and a mark stands only beside all that it promises."""
        there = found(out)
        odd = [name for name, content in there.items() if content not in (self.before.get(name), self.after.get(name))]
        assert not odd, f"neither the old file nor the new one: {odd}"
        for mark, folder in self.marks.items():
            if mark in there:
                promised = self.after if there[mark] == self.after[mark] else self.before
                here, whole = ({n: c for n, c in files.items() if n.startswith(folder)} for files in (there, promised))
                assert here == whole, f"{mark} is there, and not all that it promises"
        for checkpoint in out.glob("phase*/[!.]*.ckpt"):
            assert torch.load(checkpoint, map_location="cpu", weights_only=False)["state_dict"]

    def finish(self, commands, out):
        """The same command, given again, ends in what an undisturbed one ends in."""
        ended = self.run(commands, out)
        assert ended.status == 0, ended.errors
        assert found(out) == self.after


def found(out):
    """The files that have a final name, and their contents."""
    files = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file()}
    return {
        name: path.read_bytes() for name, path in files.items() if not any(part in f"/{name}" for part in NO_RESULT)
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    small(channels=(2, 4), hop=85).save_pretrained(folder / "model")
    made_bank(folder / "bank")
    made_duets(folder / "data", 11.0, splits={"one": "train", "three": "test"})
    rng = np.random.default_rng(0)
    for generation in ("old", "new"):
        for piece in range(4):
            for stem in ("violin", "trumpet"):
                noise = rng.uniform(-0.4, 0.4, 12 * SAMPLE_RATE).astype(np.float32)
                write_audio(folder / generation / f"piece {piece}" / f"{stem}.wav", noise)
    write_audio(folder / "mixture.wav", rng.uniform(-0.5, 0.5, round(SECONDS * SAMPLE_RATE)).astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with closing(Hub(made_files(tmp_path_factory.mktemp("hub")))) as hub:
        yield hub


@pytest.fixture(scope="module")
def commands(hub, tmp_path_factory):
    online = {"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    patience = {"HF_HUB_DOWNLOAD_TIMEOUT": "1", "HF_HUB_ETAG_TIMEOUT": "5"}
    folder = tmp_path_factory.mktemp("commands")
    with closing(Commands(folder, **online, **patience, HF_HOME=str(folder))) as commands:
        yield commands


def finetuning(made, run):
    where = ("--model", made / "model", "--data", made / "data", "--sources", made / "bank", "--run", run)
    return ("finetune", *where, "--profile", "ci", "--set", "phase1.epochs=2", "--set", "phase2.epochs=1")


CASES = {
    "slicing": lambda made: Case(
        ("slice", made / "new", "--out", "OUT", "--test", "piece 0", "--force"), marks={"manifest.csv": ""}
    ),
    "finetuning": lambda made: Case(
        finetuning(made, "OUT"), marks={f"{phase}/config.json": f"{phase}/" for phase in ("phase1", "phase2")}
    ),
    "evaluating": lambda made: Case(
        ("evaluate", "--model", made / "model", "--data", made / "data", "--piece", "three", "--longest", 6,
         "--device", "cpu", "--out", "OUT/table.csv", "--force"),
        before={"table.csv": b"old"},
    ),
    "separating": lambda made: Case(
        ("separate", made / "mixture.wav", "--query", "violin", "--query", "flute", "--model", made / "model",
         "--device", "cpu", "--precision", "float32", "--out", "OUT", "--force"),
        before={f"mixture.{query}.wav": b"old" for query in ("violin", "flute")},
    ),
    "downloading": lambda made: Case(
        ("weights", "audiosep"), hub=True,
        marks={f"lass-lab/{mark}": f"lass-lab/{mark.partition('/')[0]}/"
               for mark in ("audiosep/config.json", "clap/model.safetensors")},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def cases(made, commands, tmp_path_factory):
    """Each case, once it is asked for, with what an undisturbed run leaves."""

    @cache
    def get(name):
        case, out = CASES[name](made), tmp_path_factory.mktemp(name) / "out"
        if name == "slicing":
            old = commands.run("slice", made / "old", "--out", out / "old", "--test", "piece 0")
            assert old.status == 0, old.errors
            case.before = found(out / "old")
        ended = case.run(commands, out / "new")
        assert ended.status == 0, ended.errors
        case.after, case.seconds = found(out / "new"), ended.seconds
        return case

    return get


def test_an_undisturbed_run_of_each_leaves_what_is_looked_for_after_kills(cases):
    """Else equality with such a run would say little."""
    after = {name: cases(name).after for name in CASES}
    assert len([name for name in after["slicing"] if name.endswith(".flac")]) == 4 * 3
    assert {"manifest.csv", "slices.csv"} < after["slicing"].keys() == cases("slicing").before.keys()
    phases = [after["finetuning"][f"{phase}/model.safetensors"] for phase in ("phase1", "phase2")]
    assert phases[0] != phases[1]
    assert after["separating"].keys() == {"mixture.violin.wav", "mixture.flute.wav"}
    assert all(len(content) > 2 * SECONDS * SAMPLE_RATE for content in after["separating"].values())
    assert b"SDRi" in after["evaluating"]["table.csv"]
    for part in ("/blobs/", "model.safetensors"):
        assert len([name for name in after["downloading"] if part in name]) == 2


@pytest.mark.parametrize("name", CASES)
def test_killed_at_any_moment_a_command_leaves_nothing_half_and_a_rerun_finishes(cases, commands, tmp_path, name):
    """Now and then it is killed several times in a row before it is left alone."""
    case, chance, killed, out = cases(name), random.Random(f"{name} {ROUNDS}"), 0, None
    for attempt in range(20 * ROUNDS):
        if out is None:
            out = tmp_path / str(attempt)
            case.start(out, earlier=chance.random() < 0.5)
        kill = chance.choice((signal.SIGKILL, signal.SIGTERM))
        ended = case.run(commands, out, kill=kill, after=chance.uniform(0, case.seconds))
        print(f"{attempt}: {kill.name} after {ended.seconds:.3f} of {case.seconds:.3f} s: status {ended.status}")
        if ended.status:
            assert ended.status in KILLED, ended.errors
            case.check(out)
            killed += 1
            if killed < ROUNDS and chance.random() < 0.6:
                continue  # again, in the same folder
            case.finish(commands, out)
        assert found(out) == case.after
        out = None
        if killed == ROUNDS:
            return
    raise AssertionError(f"of {20 * ROUNDS} signals, {killed} came in time")


@pytest.mark.parametrize("name", CASES)
def test_a_disk_that_takes_no_more_ends_in_one_line_and_what_was_there_stays(cases, commands, tmp_path, name):
    case, chance = cases(name), random.Random(f"{name} {ROUNDS}")
    out = tmp_path / "out"
    case.start(out)
    for _ in range(max(1, ROUNDS // 3)):
        limit = round(chance.uniform(0.1, 0.9) * max(map(len, case.after.values())))
        print(f"no file beyond {limit} bytes")
        ended = case.run(commands, out, limit=limit)
        refused(ended)
        assert "too large" in ended.last_line, ended.errors
        case.check(out)
        assert not case.before or found(out) == case.before
        assert not list(out.rglob(".partial-*"))
    case.finish(commands, out)


def refused(ended):
    """A command ended as it does on bad input: in one line, and no traceback."""
    assert ended.status == 2 and "Traceback" not in ended.errors, ended.errors
    assert ended.last_line.startswith("lass-lab: "), ended.errors


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_a_disk_that_is_full_before_the_very_last_byte_keeps_the_old_recording(tmp_path, suffix):
    """The last bytes are written as the file is closed, and libsndfile is silent about them."""
    path, whole = tmp_path / f"old{suffix}", tmp_path / f"whole{suffix}"
    waveform = np.random.default_rng(0).uniform(-0.4, 0.4, SAMPLE_RATE).astype(np.float32)
    write_audio(whole, waveform)
    path.write_text("old")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (whole.stat().st_size - 1, hard))
    try:
        with pytest.raises(AudioError, match="File too large"):
            write_audio(path, waveform, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert path.read_text() == "old" and sorted(tmp_path.iterdir()) == [path, whole]


@pytest.mark.parametrize(("harm", "fault"), [("corrupts", "not the hub's "), ("fewer", "the download failed (")])
def test_a_download_that_is_not_whole_is_refused_in_one_line_and_never_used(
    cases, commands, hub, tmp_path, harm, fault
):
    case = cases("downloading")
    hub.harm, hub.times = harm, 1
    ended = case.run(commands, tmp_path)
    refused(ended)
    assert fault in ended.last_line and not (tmp_path / "lass-lab").exists()
    if harm == "corrupts":
        again = case.run(commands, tmp_path)
        assert again.status == 2 and again.last_line == ended.last_line  # refused as long as it is there
        Path(ended.last_line.removeprefix("lass-lab: ").partition(": not the hub's")[0]).unlink()  # as the line says
    case.finish(commands, tmp_path)
    for blob in tmp_path.glob("hub/*/blobs/*"):
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name


def test_a_second_run_in_a_folder_is_told_that_it_is_taken_and_does_the_first_no_harm(cases, commands, made, tmp_path):
    """The first is a process of its own, and is paused while the second tries."""
    case, run = cases("finetuning"), tmp_path / "run"
    call = [sys.executable, "-m", "tests.torture", *map(str, finetuning(made, run))]
    first = subprocess.Popen(call, cwd=CHECKOUT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        patience = time.monotonic() + PATIENCE_S
        while not (run / "phase1" / "last.ckpt").exists():
            assert first.poll() is None and time.monotonic() < patience, first.communicate()[0]
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)
        second = case.run(commands, run)
        refused(second)
        assert f"{run}: another process trains in this folder" in second.last_line
    finally:
        first.send_signal(signal.SIGCONT)
    output = first.communicate(timeout=PATIENCE_S)[0]
    assert first.returncode == 0, output
    assert found(run) == case.after
    # One for each of the two loggers, which number their folders apart.
    assert sorted(path.name for path in (run / "phase1" / "log").iterdir()) == ["version_0", "version_1"]


RECORD = """if True:
    import itertools, sys
    from lass_lab.course.ledger import record
    for number in itertools.count():
        record(sys.argv[1], str(number), number)
        print(number, flush=True)
"""


def test_two_processes_record_into_one_ledger_and_what_was_recorded_outlives_them(tmp_path, monkeypatch):
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path))
    chance = random.Random(ROUNDS)
    for attempt in range(ROUNDS):
        recorders = {}
        for kill in (signal.SIGKILL, signal.SIGTERM):
            call = [sys.executable, "-c", RECORD, f"{attempt} {kill.name}"]
            recorders[kill] = subprocess.Popen(call, cwd=CHECKOUT, env=environment(), stdout=subprocess.PIPE, text=True)
        for recorder in recorders.values():
            assert recorder.stdout.readline() == "0\n"
        time.sleep(chance.uniform(0, 0.3))
        for kill, recorder in recorders.items():
            recorder.send_signal(kill)
        for kill, recorder in recorders.items():
            # Not `communicate`: it would pass over what `readline` has read ahead.
            numbers = [0, *map(int, recorder.stdout.read().split())]
            recorder.wait(PATIENCE_S)
            table = ledger.read()
            kept = table[table["notebook"] == f"{attempt} {kill.name}"]["value"].tolist()
            assert kept[: len(numbers)] == numbers
            assert len(kept) - len(numbers) <= 1  # killed before it printed the last
    ledger.record("after", "all", 1)
    assert len(ledger.read()) == len(table) + 1
