"""Kills at random moments, full disks, a hub that drops, stalls and lies, and two processes at one folder.

Whatever happens: nothing half-written is ever taken for whole, and the same command, given again, ends in what an
undisturbed one ends in, to the last bit. `make torture` does it 50 times each.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

if sys.platform == "win32":
    pytest.skip("signals and forks of POSIX", allow_module_level=True)

import resource

from lass_lab.course import ledger
from lass_lab.datasets.duet_mixing import DuetRecipe
from lass_lab.experiments.finetuning import FinetuningData, finetune, stages
from lass_lab.experiments.recipes import FinetuningRecipe
from lass_lab.models import load_separator
from lass_lab.models.audiosep.fetching import CHECKPOINT
from lass_lab.signal import SAMPLE_RATE, AudioError, audio_info, write_audio
from lass_lab.signal.files import RunStopped
from tests.made_duets import made_duets
from tests.made_separators import small
from tests.made_sources import made_bank
from tests.torture import CHECKOUT, PATIENCE_S, Commands, Disk, Hub, environment, made_files

ROUNDS = int(os.environ.get("LASS_LAB_TORTURE", "2"))
KILLED = {-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM}
SECONDS = 12.0  # of the recording that is separated

pytestmark = pytest.mark.timeout(300 + 60 * ROUNDS)


@dataclass
class Case:
    """A command, and what it leaves.

    Attributes:
        arguments: with "OUT" where the result goes.
        marks: file -> folder that is whole where the file is there.
        passing: parts of names of what is no result: logs, and what a run goes on from.
        hub: whether OUT holds the hub's cache and ours.
        before: file -> content, an earlier result; empty where a command overwrites none.
        after: the same of an undisturbed run.
        seconds: that one takes.
    """

    arguments: tuple[object, ...]
    marks: dict[str, str] = field(default_factory=dict)
    passing: tuple[str, ...] = ()
    hub: bool = False
    before: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0

    def run(self, commands, out, **how):
        arguments = [str(argument).replace("OUT", str(out)) for argument in self.arguments]
        return commands.run(*arguments, hub=out if self.hub else None, **how)

    def start(self, out, earlier):
        for name, content in (self.before if earlier else {}).items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)

    def found(self, out):
        """Whatever has a final name: what is hidden, or called incomplete, is nobody's."""
        files = [path for path in out.rglob("*") if path.is_file() and path.suffix != ".incomplete"]
        names = {path.relative_to(out).as_posix(): path for path in files}
        hidden = [name for name in names if name.startswith(".") or "/." in name]
        return {name: names[name].read_bytes() for name in sorted(names.keys() - hidden) if not self.passes(name)}

    def passes(self, name):
        return any(part in name for part in self.passing)

    def check(self, out):
        """Every file is the old one or the new one, and a mark stands only beside all that it promises."""
        found = self.found(out)
        odd = [name for name, content in found.items() if content not in (self.before.get(name), self.after.get(name))]
        assert not odd, f"neither the old file nor the new one: {odd}"
        for mark, folder in self.marks.items():
            if mark in found:
                promised = self.after if found[mark] == self.after[mark] else self.before
                here, there = ({n: c for n, c in files.items() if n.startswith(folder)} for files in (found, promised))
                assert here == there, f"{mark} is there, and not all that it promises"
        for checkpoint in out.rglob("[!.]*.ckpt"):
            if not self.hub:
                assert torch.load(checkpoint, map_location="cpu", weights_only=False)["state_dict"]

    def check_finished(self, out):
        self.check(out)
        assert self.found(out) == self.after


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    small(channels=(2, 4), hop=85).save_pretrained(folder / "model")
    made_bank(folder / "bank")
    made_duets(folder / "data", 36.0, splits={"one": "train", "three": "test"})
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
        finetuning(made, "OUT"),
        marks={"phase1/config.json": "phase1/", "phase2/config.json": "phase2/"},
        passing=("/log/", ".ckpt"),
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
        ("weights", "audiosep"),
        marks={"lass-lab/audiosep/config.json": "lass-lab/audiosep/", "lass-lab/clap/config.json": "lass-lab/clap/"},
        passing=("/refs/", "CACHEDIR"),
        hub=True,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def cases(made, commands, tmp_path_factory):
    """Each case, once it is asked for, with what an undisturbed run leaves."""
    known = {}

    def get(name):
        if name not in known:
            case, out = CASES[name](made), tmp_path_factory.mktemp(name) / "out"
            if name == "slicing":
                old = commands.run("slice", made / "old", "--out", out / "old", "--test", "piece 0")
                assert old.status == 0, old.errors
                case.before = case.found(out / "old")
            out = out / "new"
            ended = case.run(commands, out)
            assert ended.status == 0, ended.errors
            case.after, case.seconds = case.found(out), ended.seconds
            known[name] = case
        return known[name]

    return get


def test_an_undisturbed_run_of_each_leaves_what_is_looked_for_after_kills(cases, made, tmp_path):
    """As far as numbers know it: else equality with such a run would say little."""
    for name in CASES:
        (tmp_path / name).mkdir()
        for file, content in cases(name).after.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_bytes(content)
    lengths = [audio_info(path).frames for path in sorted((tmp_path / "separating").iterdir())]
    assert lengths == [round(SECONDS * SAMPLE_RATE)] * 2
    assert len(list((tmp_path / "slicing").rglob("*.flac"))) == 4 * 3
    assert {"manifest.csv", "slices.csv"} < cases("slicing").after.keys() == cases("slicing").before.keys()
    assert list(stages(tmp_path / "finetuning")) == ["pretrained", "phase 1", "phase 2"]
    before, first, last = (load_separator(path) for path in stages(tmp_path / "finetuning").values())
    key = "network.bottleneck.conv1.weight"
    assert len({float(separator.state_dict()[key].sum()) for separator in (before, first, last)}) == 3
    assert b"SDRi" in cases("evaluating").after["table.csv"]
    assert len([name for name in cases("downloading").after if "/blobs/" in name]) == 2
    assert len([name for name in cases("downloading").after if name.endswith("model.safetensors")]) == 2


@pytest.mark.parametrize("name", CASES)
def test_killed_at_any_moment_a_command_leaves_nothing_half_and_a_rerun_finishes(cases, commands, tmp_path, name):
    """Now and then it is killed several times in a row before it is left alone."""
    case, chance, killed, out = cases(name), random.Random(f"{name} {ROUNDS}"), 0, None
    for attempt in range(20 * ROUNDS):
        if out is None:
            out = tmp_path / str(attempt)
            out.mkdir()
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
            ended = case.run(commands, out)
            assert ended.status == 0, ended.errors
        case.check_finished(out)
        out = None
        if killed == ROUNDS:
            return
    raise AssertionError(f"of {20 * ROUNDS} signals, {killed} came in time")


@pytest.mark.parametrize("name", CASES)
def test_a_full_disk_ends_in_one_line_and_what_was_there_stays(cases, commands, tmp_path, name):
    case, chance = cases(name), random.Random(f"{name} {ROUNDS}")
    with closing(Disk(tmp_path / "disk")) as disk:
        out = disk.folder / "out"
        case.start(out, earlier=True)
        for _ in range(max(1, ROUNDS // 3)):
            free = round(chance.uniform(0.1, 0.9) * max(map(len, case.after.values())))
            print(f"{free} bytes free")
            ended = case.run(commands, out, limit=disk.fill(free))
            assert ended.status == 2, ended.errors
            assert ended.last_line.startswith("lass-lab: "), ended.errors
            assert any(told in ended.last_line for told in ("No space left", "too large")), ended.errors
            assert "Traceback" not in ended.errors
            case.check(out)
            if case.before:
                assert case.found(out) == case.before
            assert not list(out.rglob(".partial-*"))
        disk.clear()
        ended = case.run(commands, out)
        assert ended.status == 0, ended.errors
        case.check_finished(out)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_a_disk_that_is_full_before_the_very_last_byte_keeps_the_old_recording(tmp_path, suffix):
    """The last bytes are written as the file is closed, and libsndfile is silent about them."""
    path, whole = tmp_path / f"old{suffix}", tmp_path / f"whole{suffix}"
    waveform = np.random.default_rng(0).uniform(-0.4, 0.4, SAMPLE_RATE).astype(np.float32)
    write_audio(whole, waveform)
    path.write_text("old")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (whole.stat().st_size - 1, 10):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises(AudioError, match=r"cannot be written \(File too large\)$"):
                write_audio(path, waveform, force=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert path.read_text() == "old" and sorted(tmp_path.iterdir()) == [path, whole]


@pytest.mark.parametrize("harm", ["drops", "stalls"])
def test_a_download_that_is_cut_off_goes_on_where_it_stopped(cases, commands, hub, tmp_path, harm):
    case, given = cases("downloading"), len(hub.given)
    hub.harms(harm, times=2)
    ended = case.run(commands, tmp_path)
    assert ended.status == 0, ended.errors
    case.check_finished(tmp_path)
    begins = [begin for path, begin, _ in hub.given[given:] if path == CHECKPOINT.path]
    assert begins[0] == 0 < begins[1] < begins[2] and len(begins) == 3


@pytest.mark.parametrize(
    ("harm", "fault"),
    [("corrupts", "not the hub's audiosep_base_4M_steps.ckpt (hash "), ("fewer", "the download failed (")],
)
def test_a_download_that_is_not_whole_is_told_in_one_line_and_never_used(cases, commands, hub, tmp_path, harm, fault):
    case = cases("downloading")
    for attempt in range(max(1, ROUNDS // 3)):
        out = tmp_path / str(attempt)
        hub.harms(harm)
        ended = case.run(commands, out)
        assert ended.status == 2 and "Traceback" not in ended.errors, ended.errors
        assert ended.last_line.startswith("lass-lab: ") and fault in ended.last_line
        assert not (out / "lass-lab").exists()
        path = Path(ended.last_line.removeprefix("lass-lab: ").partition(": not the hub's")[0])
        if harm == "corrupts":
            again = case.run(commands, out)
            assert again.status == 2 and again.last_line == ended.last_line  # refused as long as it is there
            path.unlink()  # as the line says
        ended = case.run(commands, out)
        assert ended.status == 0, ended.errors
        case.check_finished(out)
        for blob in out.glob("hub/*/blobs/*"):
            assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name


def test_a_run_that_is_asked_to_stop_before_it_listens_says_that_it_stopped(made, tmp_path, monkeypatch):
    """Between Lightning's start and its first step, where Lightning alone would end in status 0."""
    loader, before = FinetuningData.train_dataloader, signal.getsignal(signal.SIGTERM)

    def asked(data):
        assert signal.getsignal(signal.SIGTERM) != before  # Lightning listens, and what runs this test is not ended
        os.kill(os.getpid(), signal.SIGTERM)
        return loader(data)

    recipe = FinetuningRecipe(items=DuetRecipe(seconds=0.4), batch=2, checkpoint_every=2, validate_every=1)
    monkeypatch.setattr(FinetuningData, "train_dataloader", asked)
    with pytest.raises(RunStopped, match="stopped by a signal"):
        finetune(made / "model", tmp_path, recipe, data=made / "data", bank=made / "bank", progress=False)
    assert signal.getsignal(signal.SIGTERM) == before and not list(tmp_path.rglob("*.safetensors"))


def test_a_second_run_in_a_folder_is_told_that_it_is_taken_and_does_the_first_no_harm(cases, commands, made, tmp_path):
    """The first is a process of its own, and stands still while the second tries."""
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
        assert second.status == 2, second.errors
        assert (
            second.last_line
            == f"lass-lab: {run}: another process trains in this folder; wait for it, or choose another"
        )
    finally:
        first.send_signal(signal.SIGCONT)
    told = first.communicate(timeout=PATIENCE_S)[0]
    assert first.returncode == 0, told
    case.check_finished(run)
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
    chance, told = random.Random(ROUNDS), {}
    for attempt in range(ROUNDS):
        recorders = {}
        for name in (f"{attempt} killed", f"{attempt} asked"):
            call = [sys.executable, "-c", RECORD, name]
            recorders[name] = subprocess.Popen(call, cwd=CHECKOUT, env=environment(), stdout=subprocess.PIPE, text=True)
        for recorder in recorders.values():
            assert recorder.stdout.readline() == "0\n"
        time.sleep(chance.uniform(0, 0.3))
        for recorder, kill in zip(recorders.values(), (signal.SIGKILL, signal.SIGTERM), strict=True):
            recorder.send_signal(kill)
        for name, recorder in recorders.items():
            told[name] = [0, *map(int, recorder.stdout.read().split())]
            recorder.wait(PATIENCE_S)
        json.loads((tmp_path / "ledger.json").read_text())
    table = ledger.read()
    for name, numbers in told.items():
        kept = table[table["notebook"] == name]["value"].tolist()
        assert kept[: len(numbers)] == numbers and len(kept) - len(numbers) in (0, 1)  # a kill before it was told
    ledger.record("after", "all", 1)
    assert len(ledger.read()) == len(table) + 1
