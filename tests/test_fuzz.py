"""Readers of what comes from elsewhere, given thousands of damaged files: an `InputError` or a result, never else."""

import csv
import io
import json
import pickle
import random
import struct
import zipfile

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from lass_lab.datasets import load_piece
from lass_lab.datasets.manifest import COLUMNS, read_manifest
from lass_lab.datasets.mixing import SourceBank
from lass_lab.models import LanguageSeparator, querynet
from lass_lab.models.audiosep.checkpoints import clap_state, read_state
from lass_lab.models.audiosep.downloads import check_archive
from lass_lab.signal import InputError
from tests.made_separators import small
from tests.models.audiosep.test_checkpoints import Malice

NASTY = (
    "", " ", "nan", "-nan", "inf", "-1", "0", "1e999", "9" * 5_000, "1_0", "0x10", "١", "true", "None", "[]", "\0", '"',
    "'", ",", ";", "|", "||", "a|", "\n", "\r", "\ufeff", "\u2028", "🎻", "x" * 200_000, "/", "..", "/dev/null", "a\0b",
    "=1+1", "{}", "%s", "test", "train",
)  # fmt: skip


def damaged(content, chance):
    """Bytes with one kind of damage to them: cut off, cut out, zeroed, filled in, doubled, or with bits flipped."""
    place = chance.randrange(len(content))
    end = min(len(content), place + chance.choice((1, 4, 64, 4096)))
    before, part, after = content[:place], content[place:end], content[end:]
    flipped = bytearray(content)
    for _ in range(chance.choice((1, 2, 16))):
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    more = chance.randbytes(chance.choice((1, 8, 1000)))
    middles = (b"", bytes(len(part)), more + part, part + part)
    return chance.choice((before, bytes(flipped), *(before + middle + after for middle in middles)))


def outcomes(rounds, change, read):
    """How many damaged files were read after all, and how many refused; what else is raised fails the test."""
    counts = {"read": 0, "refused": 0}
    for seed in range(rounds):
        change(random.Random(seed))
        try:
            read()
            counts["read"] += 1
        except InputError as error:
            assert str(error)
            counts["refused"] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    return counts


# Tables ---------------------------------------------------------------------------------------------


def table(rows, chance=None):
    """CSV text; with `chance` a table that is well-formed but wrong."""
    rows = [list(row) for row in rows]
    for _ in range(chance.randrange(1, 4) if chance else 0):
        row = chance.choice(rows)
        kind = chance.randrange(5)
        if kind == 0 and len(row) > 1:
            del row[chance.randrange(len(row))]
        elif kind == 1:
            rows.insert(chance.randrange(len(rows)), list(chance.choice(rows)))
        elif kind == 2:
            row.insert(chance.randrange(len(row)), chance.choice(NASTY))
        else:
            row[chance.randrange(len(row))] = chance.choice(NASTY)
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


def tables(path, rows):
    """A change that writes a damaged table: half of them well-formed."""
    assert len(rows) > 1
    return lambda chance: path.write_bytes(
        table(rows, chance) if chance.random() < 0.5 else damaged(table(rows), chance)
    )


def test_manifests(tmp_path):
    for name in ("mixture", "violin", "trumpet"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(3_200), 32_000)
    shared = {"piece": "duo", "title": "Duo", "split": "train", "mixture": "mixture.wav", "queries": "a fiddle|a horn"}
    shared |= {"seconds": "0.1", "sample_rate": "32000", "mixture_sha256": "-", "target_sha256": "-"}
    rows = [shared | {"source": name, "query": name, "target_path": f"{name}.wav"} for name in ("violin", "trumpet")]
    path = tmp_path / "manifest.csv"

    def read():
        for row in read_manifest(path).itertuples():
            assert row.seconds > 0 and all(query.strip() for query in row.queries)
            load_piece(row.piece, tmp_path)

    counts = outcomes(1_500, tables(path, [COLUMNS, *([row[column] for column in COLUMNS] for row in rows)]), read)
    assert min(counts.values()) > 50, counts


def test_tables_of_sources(tmp_path):
    soundfile.write(tmp_path / "clip.wav", np.zeros(3_200), 32_000)
    columns = ["path", "instrument", "soundfont", "score", "voice", "split", "seconds", "rms_db"]
    rows = [["clip.wav", name, "made", "train-0", str(voice), "train", "0.1", "-20"] for voice, name in enumerate("ab")]

    def read():
        bank = SourceBank(tmp_path, "train")
        for row in range(len(bank.clips)):
            bank.read(row, 0, max(int(32_000 * bank.clips.at[row, "seconds"]), 10) % 10_000)

    counts = outcomes(500, tables(tmp_path / "sources.csv", [columns, *rows]), read)
    assert min(counts.values()) > 30, counts


# Checkpoints ----------------------------------------------------------------------------------------


def inside(path, chance, change):
    """Change one record of an archive, with checksums that fit: only the unpickler can notice."""
    with zipfile.ZipFile(path) as old:
        records = {name: old.read(name) for name in old.namelist()}
    name = next(name for name in records if name.endswith("data.pkl"))
    records[name] = change(records[name], chance)
    with zipfile.ZipFile(path, "w") as new:
        for name, content in records.items():
            new.writestr(name, content)


def spliced(pickled, chance):
    """A pickle with calls of its own in it: of code, of a constructor with wrong arguments, of huge numbers."""
    calls = (
        b"cos\nsystem\n(S'true'\ntR0", b"cbuiltins\neval\n(S'1'\ntR0", b"ctorch\nzeros\n(I-1\ntR0",
        b"ctorch\nSize\n(I1\ntR0", b"ctorch._utils\n_rebuild_tensor_v2\n(NI9223372036854775807\n(I7\nt(I1\ntI0\nNtR0",
        b"ccollections\nOrderedDict\n)R0", b"ctorch.storage\n_load_from_bytes\n(S'x'\ntR0", b"L" + b"9" * 400 + b"L\n0",
        b"h\xff", b"}(KKsb", b"]q\x00h\x00b",
    )  # fmt: skip
    at = pickled.index(b"\x80") + 2
    return pickled[:at] + chance.choice(calls) + pickled[at:]


@pytest.mark.parametrize("malicious", [False, True], ids=["harmless", "malicious"])
@pytest.mark.parametrize("archive", [True, False], ids=["archive", "before PyTorch 1.6"])
def test_checkpoints(tmp_path, archive, malicious):
    path, target = tmp_path / "made.ckpt", tmp_path / "made by malice"
    tensors = {"module.text_branch.embeddings.word_embeddings.weight": torch.ones(4, 3, dtype=torch.float16)}
    tensors |= {"module.text_projection.0.bias": torch.arange(5), "bool": torch.ones(2, dtype=torch.bool)}
    content = {"epoch": np.int64(15), "state_dict": tensors, "optimizer": [{"lr": 1e-3, "betas": (0.9, 0.999)}]}
    if malicious:
        content["hook"] = Malice(target)
    torch.save(content, path, _use_new_zipfile_serialization=archive)
    whole = path.read_bytes()

    def change(chance):
        path.write_bytes(whole)
        kind = chance.random()
        if archive and kind < 0.5:
            inside(path, chance, damaged if kind < 0.35 else spliced)
        else:
            path.write_bytes(damaged(whole, chance))

    def read():
        for value in clap_state(read_state(path)).values():
            assert isinstance(value, torch.Tensor)
        if archive:
            check_archive(path)

    counts = outcomes(400, change, read)
    assert counts["refused"] > 100 and (malicious or counts["read"] > 5), counts
    assert not target.exists()


ONE = torch.zeros(1)
KINDS = (
    None, 3, -1.5, "text", b"bytes", [], {}, (), [1, 2], range(3), complex(1, 2), 10**400, ONE, nn.Parameter(ONE),
    torch.Size([3]), torch.float16, np.float64(3), {"state_dict": None}, {"state_dict": []}, {"state_dict": {}},
    {"state_dict": {3: 4}}, {"state_dict": {"a": "b"}}, {"state_dict": {"state_dict": {}}}, {None: ONE}, {"": ONE},
    {"a": torch.zeros(0)}, {"a": torch.zeros(())}, {"a": [ONE]}, {"a": np.zeros(3)}, {"a": ONE.to(torch.cfloat)},
    {"state_dict": {"a": ONE.to_sparse()}}, {"state_dict": {"a": ONE.to("meta")}},
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=range(len(KINDS)))
def test_what_is_whole_and_of_the_wrong_kind(tmp_path, kind):
    path = tmp_path / "made.pt"
    for write in (lambda: torch.save(kind, path), lambda: path.write_bytes(pickle.dumps(kind))):
        write()
        try:
            assert all(isinstance(value, torch.Tensor) for value in clap_state(read_state(path)).values())
        except InputError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)


# A separator's folder -------------------------------------------------------------------------------


class Words(nn.Module):
    """Stands in for the sentence encoder, which takes half a second to open and is no part of the folder."""

    size = 384


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(querynet, "SentenceEncoder", Words)
    monkeypatch.setattr(querynet.TinyQueryNet, "published_state", lambda self: {})
    small(channels=(2, 4)).save_pretrained(tmp_path)
    return tmp_path


VALUES = (
    None, True, -1, 0, 1, 7, 2**40, 10**30, 0.5, float("nan"), "", "text", [], [1], [[2]], [10**9] * 6, {}, {"a": 1},
)  # fmt: skip


def test_configurations_of_separators(folder):
    path = folder / "config.json"
    whole = json.loads(path.read_text())

    def change(chance):
        config = json.loads(json.dumps(whole))
        part = chance.choice((config, config["network"], config["query_network"]))
        key = chance.choice([*part, "stranger"])
        if chance.random() < 0.2:
            part.pop(key, None)
        else:
            part[key] = chance.choice(VALUES)
        text = json.dumps(config).encode()
        path.write_bytes(damaged(text, chance) if chance.random() < 0.3 else text)

    counts = outcomes(400, change, lambda: LanguageSeparator.from_folder(folder))
    assert min(counts.values()) > 5, counts


def test_weights_of_separators(folder):
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    (header,) = struct.unpack("<Q", whole[:8])

    def change(chance):
        if chance.random() < 0.7:  # the header, where all that can go wrong is told
            path.write_bytes(damaged(whole[: 8 + header], chance) + whole[8 + header :])
        else:
            path.write_bytes(damaged(whole, chance))

    counts = outcomes(250, change, lambda: LanguageSeparator.from_folder(folder))
    assert min(counts.values()) > 5, counts
