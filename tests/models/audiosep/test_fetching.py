"""The full-size separator from its published files: the hub's, or those brought by hand; whole, or one clear line."""

import hashlib
import json
import os
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lass_lab.models import ResUNetConfig, load_separator
from lass_lab.models.audiosep import clap, fetching
from lass_lab.models.audiosep.keys import original_key
from lass_lab.models.weights import fetch_weights
from lass_lab.signal.files import InputError
from tests.models.audiosep.test_checkpoints import Malice
from tests.models.made import FIXTURES, draw, made_audiosep_state
from tests.models.made_clap import SMALL, made_clap_state, write_tokenizer
from tests.test_commands import run

INSIDE = "query_encoder.model."


def lightning_checkpoint(path, **parts):
    """AudioSep's: 332 keys under `ss_model.`, and in most files the query network."""
    shapes = json.loads((FIXTURES / "audiosep_state_dict.json").read_text())
    state = made_audiosep_state(prefix="ss_model.")
    state |= {f"ss_model.{key}": torch.zeros(1).expand(shape) for key, shape in shapes.items() if "stft" in key}
    torch.save({"global_step": 4_000_000, "state_dict": state | parts}, path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Made files under their published names, at a small CLAP's size."""
    folder = tmp_path_factory.mktemp("published")
    return SimpleNamespace(
        folder=folder,
        whole=lightning_checkpoint(folder / fetching.CHECKPOINT.name, **made_clap_state(INSIDE)),
        tokenizer=write_tokenizer(folder / "tokenizer.json"),
    )


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a CLAP of the made files' size."""
    monkeypatch.setenv("LASS_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(clap, "ROBERTA_BASE", SMALL)
    return tmp_path / "cache"


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


WRITTEN = ["audiosep/config.json", "audiosep/model.safetensors", "clap/model.safetensors", "clap/tokenizer.json"]


def test_files_brought_by_hand_make_the_separator(cache, files, monkeypatch):
    """Every tensor in its place; test_resunet.py shows that the network then answers as AudioSep's does."""
    report = fetch_weights("audiosep", [files.whole, files.tokenizer])
    assert names(cache) == WRITTEN
    assert any(str(files.whole) in line and "checksums" in line for line in report)
    monkeypatch.setattr(fetching, "fetch", None)  # from here on nothing may be fetched
    monkeypatch.setattr(fetching, "read_state", None)
    separator = load_separator("audiosep", device="cpu", precision="float32")
    shapes = json.loads((FIXTURES / "audiosep_state_dict.json").read_text())
    for key, value in separator.network.state_dict().items():
        theirs = original_key(key, depth=6)
        assert torch.equal(value, draw(theirs, shapes[theirs], salt=0)), key
    assert separator.network.config == ResUNetConfig.audiosep()
    made = made_clap_state()
    assert torch.equal(separator.query_network.projection[0].weight, made["text_projection.0.weight"])
    stored = load_file(cache / "audiosep" / "model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float32, torch.int64}
    assert all(key.startswith("network.") for key in stored)
    assert [line.partition(":")[2][:7] for line in fetch_weights("audiosep")] == [" ready,"] * 2


@pytest.mark.parametrize("layout", [{"prefix": "module.", "count": True}, {"prefix": "", "count": False}])
def test_claps_own_checkpoint_stands_in_where_audioseps_has_no_query_network(cache, files, tmp_path, layout):
    bare = lightning_checkpoint(tmp_path / "audiosep.ckpt")
    own = tmp_path / "clap.pt"
    torch.save({"epoch": np.int64(15), "loss": np.float64(0.1), "state_dict": made_clap_state(**layout)}, own)
    with pytest.raises(InputError, match=f"{fetching.CLAP.name}: .*--weights {fetching.CLAP.name}$"):
        fetch_weights("audiosep", [bare, files.tokenizer])
    assert not cache.exists()
    fetch_weights("audiosep", [bare, own, files.tokenizer])
    stored = load_file(cache / "clap" / "model.safetensors")
    assert torch.equal(
        stored["encoder.roberta.pooler.dense.weight"], made_clap_state()["text_branch.pooler.dense.weight"]
    )


def test_offline_one_line_says_what_is_missing_and_where_to_put_it(cache, files):
    space = "https://huggingface.co/spaces/Audio-AGI/AudioSep/resolve/main/checkpoint/audiosep_base_4M_steps.ckpt"
    with pytest.raises(InputError) as caught:
        load_separator("audiosep")
    line = str(caught.value)
    assert "\n" not in line and space in line
    assert "https://huggingface.co/FacebookAI/roberta-base/resolve/main/tokenizer.json" in line
    assert line.endswith("lass-lab weights audiosep --weights tokenizer.json --weights audiosep_base_4M_steps.ckpt")
    with pytest.raises(InputError) as caught:
        fetch_weights("audiosep", [files.tokenizer])
    assert str(caught.value).endswith(f"--weights {files.tokenizer} --weights audiosep_base_4M_steps.ckpt")
    assert "roberta" not in str(caught.value)


def test_the_command_runs_code_in_a_checkpoint_only_when_it_is_told_to(cache, files, tmp_path, monkeypatch, capsys):
    path, target = tmp_path / "audiosep.ckpt", tmp_path / "made by malice"
    torch.save({"state_dict": made_clap_state(INSIDE), "hook": Malice(target)}, path)
    arguments = ("weights", "audiosep", "--weights", path, "--weights", files.tokenizer)
    assert run(monkeypatch, *arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"lass-lab: {path}: asks for code to be run") and err.count("\n") == 1
    assert not target.exists() and not cache.exists()
    assert run(monkeypatch, *arguments, "--trust") == 2  # it has no separation network
    assert "AudioSep state: 327 key(s) missing" in capsys.readouterr().err
    assert target.exists()


def _flipped(source, path, place):
    """A copy with one bit flipped in the byte at `place`, counted from the end."""
    shutil.copyfile(source, path)
    with path.open("r+b") as file:
        file.seek(place, os.SEEK_END)
        (byte,) = file.read(1)
        file.seek(place, os.SEEK_END)
        file.write(bytes([byte ^ 1]))
    return path


def _damaged(files, tmp_path):
    path = _flipped(files.whole, tmp_path / "damaged.ckpt", -files.whole.stat().st_size // 2)
    return [path, files.tokenizer], "damaged (the checksum of"


def _missing(files, tmp_path):
    return [tmp_path / "no.ckpt", files.tokenizer], "no.ckpt: no such file"


def _another_kind(files, tmp_path):
    return [tmp_path / "weights.bin"], "weights.bin: ends in none of .ckpt, .pt, .json"


def _another_network(files, tmp_path):
    path = tmp_path / "other.ckpt"
    torch.save({"state_dict": {"ss_model.base.bn0.weight": torch.zeros(1025)}}, path)
    return [path, files.tokenizer], f"{path}: AudioSep state: "


def _another_clap(files, tmp_path):
    state = made_clap_state(INSIDE)
    state[INSIDE + "text_projection.0.bias"] = torch.zeros(7)
    path = lightning_checkpoint(tmp_path / "other.ckpt", **state)
    return [path, files.tokenizer], "CLAP: projection.0.bias has shape (7,), not (512,)"


def _another_tokenizer(files, tmp_path):
    return [files.whole, write_tokenizer(tmp_path / "tokenizer.json", 301)], "a tokenizer of 301 entries"


CASES = (_damaged, _missing, _another_kind, _another_network, _another_clap, _another_tokenizer)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.strip("_"))
def test_a_file_that_is_not_the_one_is_named_and_nothing_is_written(cache, files, tmp_path, case):
    given, fault = case(files, tmp_path)
    with pytest.raises(InputError, match=re.escape(fault)) as caught:
        fetch_weights("audiosep", given)
    assert "\n" not in str(caught.value)
    assert not cache.exists()


def test_the_shipped_one_has_nothing_to_fetch():
    (line,) = fetch_weights("tiny")
    assert line.endswith("ships with the checkout")


def test_what_is_brought_by_hand_is_compared_with_the_hubs_size_and_hash(cache, files, tmp_path, monkeypatch):
    """Of a large file the hub tells the SHA-256, of a small one, here the first, the SHA-1 of its git blob."""
    small, large = files.tokenizer.read_bytes(), files.whole.read_bytes()
    told = {"json": (len(small), hashlib.sha1(b"blob %d\0" % len(small) + small))}
    told |= {"ckpt": (len(large), hashlib.sha256(large))}

    def metadata(url):
        size, digest = told[url.rpartition(".")[2]]
        return SimpleNamespace(size=size, etag=digest.hexdigest())

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", metadata)
    flipped = _flipped(files.whole, tmp_path / "audiosep.ckpt", -1)
    with pytest.raises(InputError, match=re.escape(f"{flipped}: not the hub's audiosep_base_4M_steps.ckpt (hash ")):
        fetch_weights("audiosep", [flipped, files.tokenizer])
    told["ckpt"] = (len(large) + 1, told["ckpt"][1])
    with pytest.raises(InputError, match="bytes, the hub's audiosep_base_4M_steps.ckpt"):
        fetch_weights("audiosep", [files.whole, files.tokenizer])
    assert not cache.exists()
