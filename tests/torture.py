"""Processes to kill, files that may not grow and a hub that lies: what tests/test_torture.py does its harm with.

Loading torch takes seconds in which nothing is written. So one process loads it once (`Commands`), and every command is
a fork of it, which runs `lass-lab` from there on as any process does, and dies as any does. `python -m tests.torture
ARGUMENTS` is the same command, at the same small sizes, in a process of its own.
"""

import gc
import hashlib
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

CHECKOUT = Path(__file__).resolve().parents[1]
PATIENCE_S = 100
CHANNELS = (2, 2, 2, 2, 2, 2)


# The commands ---------------------------------------------------------------------------------------


def environment(**more: str) -> dict[str, str]:
    """One thread, so that sums are made in one order; no proxy between a test and its hub."""
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return kept | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""} | more


def small_sizes() -> None:
    """Make everything so small that a run takes a second: what a run costs is no part of what a kill does."""
    from lass_lab.course.profile import PROFILES
    from lass_lab.datasets import duets
    from lass_lab.experiments import trainer
    from lass_lab.experiments.recipes import RECIPES
    from lass_lab.models.audiosep import clap
    from lass_lab.models.resunet import ResUNetConfig
    from tests.models.made_clap import SMALL

    PROFILES["ci"] = replace(PROFILES["ci"], items=2, item_seconds=0.4)
    RECIPES["preserving"] = replace(RECIPES["preserving"], checkpoint_every=2, validate_every=1)
    duets.VALIDATION_S = 5.0
    trainer.WAIT_S = 1.0
    clap.ROBERTA_BASE = SMALL
    small = ResUNetConfig(channels=CHANNELS, n_fft=256, hop=64, inert_parameters=True)
    ResUNetConfig.audiosep = classmethod(lambda _: small)


def serve() -> None:
    """Fork a command for every line that comes; print its process and, once it has ended, its status."""
    import audiomentations  # noqa: F401
    import peft  # noqa: F401
    import torch.utils.tensorboard  # noqa: F401

    import lass_lab.datasets.slicing
    import lass_lab.experiments.evaluation
    import lass_lab.experiments.finetuning  # noqa: F401
    from lass_lab import cli
    from lass_lab.models.querynet import TinyQueryNet

    small_sizes()
    TinyQueryNet()(["violin"])  # what is read once is read now
    gc.freeze()  # what is never looked at is never copied
    for line in sys.stdin:
        job = json.loads(line)
        process = os.fork()
        if not process:
            break
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
    else:
        return
    os.setsid()
    for stream, place in enumerate((os.devnull, os.devnull, job["errors"])):
        os.dup2(os.open(place, os.O_RDWR | os.O_CREAT | os.O_TRUNC), stream)
    if job["hub"]:
        from huggingface_hub import constants

        constants.HF_HUB_CACHE = f"{job['hub']}/hub"
        constants.DOWNLOAD_CHUNK_SIZE = 1 << 16  # what has come goes to the disk in these steps
        os.environ["LASS_LAB_CACHE"] = f"{job['hub']}/lass-lab"
    if job["limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["limit"], job["limit"]))
    sys.argv = ["lass-lab", *job["arguments"]]
    cli.main()


@dataclass
class Ended:
    """A command's end. status: the exit status, or minus the signal that ended it. seconds: that it took."""

    status: int
    errors: str
    seconds: float

    @property
    def last_line(self) -> str:
        return self.errors.rstrip().rpartition("\n")[2]


class Commands:
    """Runs `lass-lab`, one command at a time, each in a process of its own."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.errors = folder / "errors"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture"],
            cwd=CHECKOUT, env=environment(**more), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.replies: queue.Queue[int] = queue.Queue()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.replies.put(int(line))

    def run(
        self,
        *arguments: object,
        kill: signal.Signals | None = None,
        after: float = PATIENCE_S,
        hub: Path | None = None,
        limit: int | None = None,
    ) -> Ended:
        """Run a command to its end, or send it a signal `after` so many seconds."""
        job = {"arguments": [*map(str, arguments)], "errors": str(self.errors), "hub": hub and str(hub), "limit": limit}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        process, began = self.replies.get(timeout=PATIENCE_S), time.perf_counter()
        try:
            status = self.replies.get(timeout=after)
        except queue.Empty:
            with suppress(ProcessLookupError):  # it may have ended this very moment
                os.kill(process, kill or signal.SIGKILL)
            status = self.replies.get(timeout=PATIENCE_S)
        return Ended(status, self.errors.read_text(errors="replace"), time.perf_counter() - began)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)


# The hub --------------------------------------------------------------------------------------------


class Hub:
    """A server that gives files as the hub does, slowly, and damages as many answers as asked.

    files: path in its repository -> content. harm: "corrupts" a bit of the longest file, or gives "fewer" bytes of it.
    times: how many more answers it harms.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.longest = files, max(files.values(), key=len)
        self.harm, self.times = "", 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Answer,), {"hub": self}))
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # whoever asked was killed meanwhile
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Answer(BaseHTTPRequestHandler):
    """What a `Hub` answers."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET(body=False)

    def do_GET(self, body: bool = True) -> None:
        given = (content for path, content in self.hub.files.items() if self.path.endswith(f"/resolve/main/{path}"))
        content = next(given, None)
        if content is None:
            self.head(404, {"Content-Length": 0})
            return
        harm = ""
        begin = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if body and content == self.hub.longest and self.hub.times:
            harm, self.hub.times = self.hub.harm, self.hub.times - 1
        part = bytearray(content[begin:])
        if harm == "corrupts":
            part[len(part) // 2] ^= 1
        if harm == "fewer":
            del part[len(part) // 2 :]
        headers = {"Content-Length": len(part), "Accept-Ranges": "bytes", "X-Repo-Commit": "c" * 40}
        headers |= {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Linked-Size": len(content)}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self.head(206 if begin else 200, headers)
        if body:
            self.send(part)

    def head(self, status: int, headers: dict[str, object]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def send(self, part: bytearray) -> None:
        size = max(1, len(part) // 40)
        for start in range(0, len(part), size):
            self.wfile.write(part[start : start + size])
            time.sleep(0.0125 if len(part) > 100_000 else 0)


def made_files(folder: Path) -> dict[str, bytes]:
    """What the full-size separator is made of, at the sizes of `small_sizes`."""
    import torch

    from lass_lab.models import ResUNet, ResUNetConfig
    from lass_lab.models.audiosep import fetching
    from lass_lab.models.audiosep.keys import original_key
    from tests.models.made import draw
    from tests.models.made_clap import made_clap_state, write_tokenizer

    network = ResUNet(ResUNetConfig(channels=CHANNELS, n_fft=256, hop=64, inert_parameters=True))
    shapes = {original_key(key, 6): list(value.shape) for key, value in network.state_dict().items()}
    state = {f"ss_model.{key}": draw(key, shape, salt=0) for key, shape in shapes.items()}
    torch.save({"state_dict": state | made_clap_state("query_encoder.model.")}, folder / "made.ckpt")
    return {
        fetching.CHECKPOINT.path: (folder / "made.ckpt").read_bytes(),
        fetching.TOKENIZER.path: write_tokenizer(folder / "made.json").read_bytes(),
    }


if __name__ == "__main__":
    if sys.argv[1:]:
        from lass_lab import cli

        small_sizes()
        cli.main()
    else:
        serve()
