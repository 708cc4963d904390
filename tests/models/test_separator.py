"""What a user of `LanguageSeparator` relies on: lengths, several queries, a folder that brings it back."""

import json
import re

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lass_lab.models import load_separator, weights
from lass_lab.models.sharing import share_error
from lass_lab.signal.files import InputError
from tests.made_separators import small

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def separator():
    return small()


@pytest.fixture
def folder(separator, tmp_path):
    separator.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def noise(samples):
    return RNG.uniform(-0.5, 0.5, samples).astype(np.float32)


def test_channels_share_one_mask_and_keep_their_image(separator):
    left = noise(70_000)
    stereo = np.stack((left, -0.5 * left))
    found = separator.separate(stereo, ["violin", "trumpet"])
    assert found.shape == (2, 2, 70_000)
    np.testing.assert_allclose(found[:, 1], -0.5 * found[:, 0], atol=1e-6)
    inverted = separator.separate(np.stack((left, -left)), "violin")  # silent in mono
    np.testing.assert_allclose(inverted[0], separator.separate(left, "violin"), atol=1e-5)
    np.testing.assert_array_equal(inverted[0], -inverted[1])
    one = separator.separate(left[None], "violin")
    np.testing.assert_allclose(one[0], separator.separate(left, "violin"), atol=1e-6)


@pytest.mark.parametrize("shape", [(700_001,), (2, 330_000), (1,), (3, 5)])
def test_estimates_and_residual_add_up(separator, shape):
    mixture, queries = noise(shape), ["violin", "trumpet"]
    plain = separator.separate(mixture, queries)
    with_rest = separator.separate(mixture, queries, residual=True)
    np.testing.assert_array_equal(with_rest[:2], plain)
    consistent = separator.separate(mixture, queries, residual=True, consistent=True)
    for rows in (with_rest, consistent):
        np.testing.assert_allclose(rows.sum(0), mixture, atol=1e-6)
    np.testing.assert_array_equal(separator.remove(mixture, queries), with_rest[-1])
    shared = separator.separate(mixture, "violin", against=["trumpet"], consistent=True)
    np.testing.assert_allclose(shared, consistent[0], atol=1e-6)
    corrected = separator.separate(mixture, "violin", against=["trumpet"])
    if mixture.shape[-1] < 320_000:  # one window
        np.testing.assert_allclose(corrected, share_error(plain, mixture)[0], atol=1e-6)
    assert separator.separate(mixture, "violin", residual=True).shape == (2, *shape)


def test_separating_leaves_training_mode_and_gradients_alone(separator):
    separator.train()
    separator.separate(noise(1000), "violin")
    assert separator.training and separator.network.training
    separator.eval()
    assert all(p.grad is None for p in separator.parameters())


def test_long_audio_shows_a_progress_bar_and_short_audio_none(separator, monkeypatch, capsys):
    monkeypatch.setattr(separator.network, "separate", lambda mixture, c: mixture[:, None])
    separator.separate(noise(32_000), "violin")
    assert capsys.readouterr().err == ""
    separator.separate(noise(70 * 32_000), "violin")
    assert "separating" in capsys.readouterr().err


def test_where_memory_runs_out_fewer_queries_are_computed_at_once(monkeypatch):
    separator, mixture = small(), noise(1000)
    expected = separator.separate(mixture, ["violin", "trumpet", "flute"])
    compute, separator.network.queries_at_once = separator.network.separate, 4

    def greedy(*arguments):
        if separator.network.queries_at_once > 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return compute(*arguments)

    monkeypatch.setattr(separator.network, "separate", greedy)
    with pytest.warns(UserWarning, match="out of memory: going on with [21] queries at once") as told:
        found = separator.separate(mixture, ["violin", "trumpet", "flute"])
    assert len(told) == 2
    np.testing.assert_allclose(found, expected, atol=1e-6)
    monkeypatch.setattr(separator.network, "queries_at_once", 1)
    monkeypatch.setattr(separator.network, "separate", lambda *_: torch.empty(1 << 62))  # no accelerator's memory
    with pytest.raises(RuntimeError):
        separator.separate(mixture, "violin")


@pytest.mark.parametrize(("there", "chosen"), [((True, True), "cuda"), ((False, True), "mps"), ((False, False), "cpu")])
def test_the_best_device_there_is_chosen(monkeypatch, there, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there[0])
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: there[1])
    assert weights._device("auto").type == chosen


@pytest.mark.parametrize(
    ("mixture", "query", "fault"),
    [
        (np.zeros((2, 2, 100), np.float32), "violin", "shape (samples,) or (channels, samples)"),
        (np.zeros(100, np.int16), "violin", "int16; divide by 32768"),
        (np.full(100, 1e300), "violin", "mixture: has a peak of 1e+300, where full scale is 1"),
        (np.zeros(100, np.float32), ["violin", None], "NoneType"),
    ],
)
def test_bad_input_gets_one_line(separator, mixture, query, fault):
    with pytest.raises(InputError, match=re.escape(fault)):
        separator.separate(mixture, query)


def test_a_word_in_place_of_a_list_is_not_taken_letter_by_letter(separator):
    with pytest.raises(InputError, match="need a list"):
        separator.separate(np.zeros(100, np.float32), "violin", against="trumpet")


def test_a_saved_separator_comes_back(separator, folder):
    """Matrices to float16's precision (11 bits), vectors and running statistics to the last bit."""
    expected, found = separator.state_dict(), load_separator(folder, precision="float32").state_dict()
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        if value.ndim > 1 and "query_network.encoder" not in key:
            torch.testing.assert_close(found[key], value, rtol=2**-11, atol=1e-7)
        else:
            assert torch.equal(found[key], value), key


def test_a_separator_on_the_hub_opens_by_its_id(separator, folder, monkeypatch):
    fetch = lambda repo_id, filename, revision=None, **how: str(folder / filename)  # noqa: E731
    for place in ("huggingface_hub.hub_mixin.hf_hub_download", "lass_lab.models.separator.hf_hub_download"):
        monkeypatch.setattr(place, fetch)
    assert load_separator("somebody/separator").fingerprint() == load_separator(folder).fingerprint()


def test_saving_twice_gives_the_same_bytes(separator, folder, tmp_path):
    load_separator(folder).save_pretrained(tmp_path / "again")
    for name in ("model.safetensors", "config.json"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


HEAD = "network.head.conv.weight"


def _edited(change):
    def edit(folder):
        state = load_file(folder / "model.safetensors")
        change(state)
        save_file(state, folder / "model.safetensors")

    return edit


def _truncate(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def _network(part="network", **sizes):
    def change(folder):
        config = json.loads((folder / "config.json").read_text())
        config[part] |= sizes
        (folder / "config.json").write_text(json.dumps(config))

    return change


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (_edited(lambda state: state.pop(HEAD)), f"1 key(s) missing, the first is {HEAD}"),
        (_edited(lambda state: state.update(stranger=torch.zeros(1))), "1 key(s) foreign, the first is stranger"),
        (_edited(lambda state: state.update({HEAD: torch.zeros(3, 5, 1, 1)})), f"{HEAD} has shape (3, 5, 1, 1)"),
        (_edited(lambda state: state[HEAD].fill_(torch.nan)), f"{HEAD} holds NaN or infinite numbers"),
        (_truncate, "not a whole safetensors file"),
        (_network(width=7), "config.json: not a separator's configuration"),
        (_network(channels=[4.5, 6]), "whole numbers, got 4.5"),
        (_network(condition_size=64), "a condition of 64 numbers, not 512"),
        (_network("query_network", hidden=10**12), "hidden of 1000000000000, not a whole number up to"),
        (_network(hop=200), "ResUNetConfig: hop 200 is not within"),
        (_network(channels=[8_000, 8]), "bytes cannot hold the "),
        (_network("query_network", kind="Oracle"), "a query network of kind 'Oracle'"),
        (lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe\x00"), "not a separator's configuration ("),
        (lambda folder: (folder / "config.json").write_text("[" * 99_999), "configuration (nested too deep)"),
        (lambda folder: (folder / "config.json").unlink(), "config.json: no such file"),
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors: no such file"),
    ],
)
def test_a_broken_folder_is_named(folder, break_it, fault):
    break_it(folder)
    with pytest.raises(InputError, match=re.escape(fault)):
        load_separator(folder)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"device": "cuda:99"}, "CUDA GPU(s)"),
        ({"device": "mps"}, "no GPU of Apple's"),
        ({"precision": "float8"}, "choose float32, bfloat16 or auto"),
    ],
)
def test_what_cannot_be_opened_is_named(folder, arguments, fault):
    with pytest.raises(InputError, match=re.escape(fault)):
        load_separator(**{"name": folder, **arguments})


def test_missing_shipped_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("LASS_LAB_DATA", str(tmp_path))
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'tiny'}: the weights of 'tiny' are not there")):
        load_separator("tiny")


@pytest.mark.parametrize(
    "change",
    [
        lambda clip: clip[::-1].copy()[::-1],
        lambda clip: clip.astype(">f4"),
        lambda clip: torch.from_numpy(clip).requires_grad_(),
        lambda clip: clip + np.float32(0.3),
        lambda clip: np.concatenate((np.zeros(9 * 32_000, np.float32), clip)),
        lambda clip: np.frombuffer(clip.tobytes(), np.float32),
        lambda clip: torch.from_numpy(clip).bfloat16(),
    ],
    ids=["backwards", "big-endian", "gradient", "offset", "silence first", "read-only", "bfloat16"],
)
def test_clips_are_taken_as_they_come(separator, change):
    mixture, clip = (torch.from_numpy(noise(32_000)).bfloat16().float().numpy() for _ in range(2))
    expected = separator.separate(mixture, clip)
    np.testing.assert_allclose(separator.separate(mixture, change(clip)), expected, atol=1e-5)
    if len(taken := change(mixture)) == len(mixture):
        np.testing.assert_allclose(separator.separate(taken, clip), expected, atol=1e-5)


@pytest.mark.parametrize("cast", ["half", "double", "bfloat16"])
def test_weights_of_another_kind_are_named(folder, cast):
    separator = getattr(load_separator(folder), cast)()
    with pytest.raises(InputError, match="separator: its weights must be float32, and are torch"):
        separator.separate(noise(3_200), "violin")
