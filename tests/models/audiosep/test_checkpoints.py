"""Checkpoints from elsewhere: every layout is understood, and nothing in one is run."""

import os
import pickle
import re
import shutil
import zipfile

import numpy as np
import pytest
import torch

from lass_lab.models.audiosep.checkpoints import clap_state, read_state
from lass_lab.models.separator import check_tensors
from lass_lab.signal.files import InputError
from tests.models.made_clap import COUNT, real_shapes

TENSORS = {"weight": torch.arange(6.0).view(2, 3), "count": torch.tensor(4)}


class Malice:
    """Unpickled, it leaves a mark on the disk; a real one would do worse."""

    def __init__(self, target, *call):
        self.call = call or (shutil.copyfile, (__file__, str(target)))

    def __reduce__(self):
        return self.call


def assert_read(path, **options):
    state = read_state(path, **options)
    assert state.keys() == TENSORS.keys()
    assert all(torch.equal(state[key], value) for key, value in TENSORS.items())


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "before PyTorch 1.6"])
@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: {"state_dict": t, "epoch": 3, "optimizer": [{"lr": 1e-3}]}])
def test_tensors_are_read_bare_and_beside_other_things(tmp_path, wrap, archive):
    torch.save(wrap(TENSORS), tmp_path / "made.ckpt", _use_new_zipfile_serialization=archive)
    assert_read(tmp_path / "made.ckpt")


NUMBERS = {"epoch": np.int64(15), "loss": np.float64(0.5), "scale": np.float32(2), "best": np.bool_(True)}


def test_numpy_numbers_beside_the_tensors_are_read(tmp_path):
    """CLAP's own checkpoint has them, so that PyTorch alone reads it only by running whatever is in it."""
    path = tmp_path / "made.pt"
    torch.save({"state_dict": TENSORS, **NUMBERS}, path)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    assert_read(path)
    with pytest.raises(pickle.UnpicklingError):  # what was allowed for one file is not allowed for good
        torch.load(path, weights_only=True)


def test_numbers_of_numpy_1_are_read(tmp_path):
    torch.save({"state_dict": TENSORS, **NUMBERS}, tmp_path / "new.pt")
    with zipfile.ZipFile(tmp_path / "new.pt") as new, zipfile.ZipFile(tmp_path / "old.pt", "w") as old:
        for name in new.namelist():
            old.writestr(name, new.read(name).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert b"numpy.core" in (tmp_path / "old.pt").read_bytes()
    assert_read(tmp_path / "old.pt")


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "before PyTorch 1.6"])
@pytest.mark.parametrize("function", ["shutil.copyfile", f"{os.name}.mkdir"])
def test_code_in_a_checkpoint_is_named_and_not_run(tmp_path, function, archive):
    path, target = tmp_path / "made.pt", tmp_path / "made by malice"
    call = (os.mkdir, (str(target),)) if function.endswith("mkdir") else ()
    content = {"state_dict": TENSORS, "epoch": np.int64(1), "extra": Malice(target, *call)}
    torch.save(content, path, _use_new_zipfile_serialization=archive)
    with pytest.raises(InputError, match=re.escape(f"{path}: asks for code to be run ({function})")):
        read_state(path)
    assert not target.exists()
    assert_read(path, trust=True)
    assert target.exists()  # so the file was not harmless


def test_numpys_own_loader_of_objects_is_no_way_around(tmp_path):
    """A number whose type is "object" would hold a pickle of its own."""
    path, target = tmp_path / "made.pt", tmp_path / "made by malice"

    class Number:
        def __reduce__(self):
            scalar = np.float64(0).__reduce__()[0]
            return scalar, (np.dtype("O"), pickle.dumps(Malice(target)))

    torch.save({"state_dict": TENSORS, "epoch": Number()}, path)
    with pytest.raises(InputError):
        read_state(path)
    assert not target.exists()


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1000]), "not a whole PyTorch checkpoint"),
        (lambda path: torch.save([1, 2], path), "holds no state dictionary"),
        (lambda path: torch.save({"state_dict": {"weight": 3}}, path), "holds no state dictionary"),
    ],
)
def test_what_is_no_checkpoint_is_named(tmp_path, break_it, fault):
    path = tmp_path / "made.ckpt"
    torch.save({"state_dict": {"weight": torch.full((1000,), 7.0)}}, path)
    break_it(path)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path}: {fault}')}"):
        read_state(path)


# CLAP's keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "module.", "query_encoder.model.", "query_encoder.model.module."])
@pytest.mark.parametrize("count", [True, False])
def test_claps_full_size_state_is_ours_in_every_layout(prefix, count):
    """The real keys and shapes, without data."""
    from lass_lab.models.audiosep.clap import ROBERTA_BASE, word_shapes

    shapes = real_shapes()
    if count:
        shapes[COUNT] = [1, 514]
    state = {prefix + key: torch.empty(shape, device="meta") for key, shape in shapes.items()}
    state |= {"ss_model.base.bn0.weight": torch.empty(1025, device="meta")}
    found = clap_state(state)
    words = {key: value for key, value in found.items() if not key.startswith("audio_tower.")}
    check_tensors(words, word_shapes(ROBERTA_BASE), "made.pt")
    audio = {key.removeprefix("audio_tower.htsat.") for key in found if key.startswith("audio_tower.htsat.")}
    assert audio == {key.removeprefix("audio_branch.") for key in shapes if key.startswith("audio_branch.")}
    assert len(found) == len(words) + len(audio) + 4  # and the audio projection; nothing of CLAP's training


def test_values_come_over_in_float32():
    state = {
        "module.text_branch.embeddings.word_embeddings.weight": torch.ones(2, 2, dtype=torch.float16),
        "module.audio_branch.index": torch.tensor([3]),
    }
    found = clap_state(state)
    assert {value.dtype for value in found.values()} == {torch.float32, torch.int64}


def test_a_checkpoint_without_clap_gives_nothing():
    assert clap_state({"ss_model.base.bn0.weight": torch.zeros(3)}) == {}
