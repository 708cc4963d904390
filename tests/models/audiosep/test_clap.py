"""The full-size query network, at made sizes: words, sounds, gradients, and what a saved separator keeps of it."""

import importlib.util
import re
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig, load_separator
from lass_lab.models.audiosep import clap_audio
from lass_lab.models.audiosep.clap import ClapQueryNet
from lass_lab.signal.files import InputError
from tests.models.made_clap import FAKE_HTSAT, real_shapes, write_clap_folder, write_fake_laion_clap

QUERIES = ["violin", "a trumpet playing a long and lonely melody", "Geige", "🎻", "'; DROP TABLE stems; --"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield write_clap_folder(tmp_path_factory.mktemp("cache") / "clap", patch)


@pytest.fixture
def network(folder):
    return ClapQueryNet(folder).eval()


def test_a_condition_is_the_pooled_output_projected(network):
    """Straight from transformers, padded to the end as the original pads: the neighbours' lengths change nothing."""
    for query, condition in zip(QUERIES, network(QUERIES), strict=True):
        ids = network.encoder.tokenizer.encode(query).ids
        padded = torch.tensor([ids + [1] * (32 - len(ids))])
        pooled = network.encoder.roberta(input_ids=padded, attention_mask=(padded != 1).long()).pooler_output
        first, _, second = network.projection
        expected = second(first(pooled).relu())[0]
        torch.testing.assert_close(condition, expected / expected.norm(), atol=1e-5, rtol=0)


def test_a_query_longer_than_the_network_is_cut(network):
    long = network(["violin " * 500, "violin " * 600])
    torch.testing.assert_close(long[0], long[1])


# Its folder -----------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path, monkeypatch):
    return write_clap_folder(tmp_path / "clap", monkeypatch)


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda f: (f / "model.safetensors").unlink(), "CLAP's weights are not there yet"),
        (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json: no such file"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer.json: not a tokenizer"),
    ],
)
def test_a_broken_folder_is_named(copy, break_it, fault):
    break_it(copy)
    with pytest.raises(InputError, match=re.escape(fault)) as caught:
        ClapQueryNet(copy)
    assert str(copy) in str(caught.value)


# Sounds ---------------------------------------------------------------------------------------------


@pytest.fixture
def laion_clap(tmp_path, monkeypatch):
    """Put a package in the place of laion-clap; the real one, where it is installed, is not seen."""

    def install(htsat=FAKE_HTSAT):
        write_fake_laion_clap(tmp_path / "packages", htsat)
        monkeypatch.syspath_prepend(tmp_path / "packages")

    before = set(sys.modules)
    yield install
    for name in set(sys.modules) - before:
        if name.startswith((clap_audio.__name__ + "_", "laion_clap", "torchlibrosa")):
            del sys.modules[name]


def sound(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * 32_000)).astype(np.float32)


def test_the_audio_tower_has_the_checkpoints_weights_and_is_frozen(network, laion_clap, folder):
    laion_clap()
    assert "audio_tower" not in " ".join(network.state_dict())
    network.freeze_encoder(False).train()
    assert not network([sound(0.5)]).requires_grad
    htsat, projection = network.audio_tower._parts
    stored = load_file(folder / "model.safetensors")
    assert torch.equal(htsat.linear.weight, stored["audio_tower.htsat.linear.weight"])
    assert torch.equal(projection[2].bias, stored["audio_tower.projection.2.bias"])
    assert not htsat.training and not any(p.requires_grad for part in (htsat, projection) for p in part.parameters())
    assert "audio_tower" not in " ".join([*network.state_dict(), *dict(network.named_parameters())])
    assert not [name for name in sys.modules if name.startswith("laion_clap")]  # its own start was never run


@pytest.mark.parametrize(("seconds", "times"), [(12, 1), (4, 2), (0.25, 40)])
def test_a_sound_is_brought_to_48_khz_and_repeated_whole(network, laion_clap, seconds, times):
    laion_clap()
    tone = np.sin(2 * np.pi * 440 * np.arange(round(32_000 * seconds)) / 32_000).astype(np.float32)
    network([tone])
    (heard,) = network.audio_tower._parts[0].heard
    assert heard.shape == (1, 480_000)
    period = min(480_000, round(48_000 * seconds))
    expected = np.sin(2 * np.pi * 440 * np.arange(period) / 48_000)
    np.testing.assert_allclose(heard[0, 100 : period - 100], expected[100:-100], atol=1e-2)
    for repeat in range(1, times):
        assert torch.equal(heard[0, :period], heard[0, repeat * period : (repeat + 1) * period])
    assert not heard[0, times * period :].any()


def test_without_laion_clap_words_work_and_a_sound_says_what_to_install(network, monkeypatch):
    monkeypatch.setattr(clap_audio.importlib.util, "find_spec", lambda name: None)
    assert network(["violin"]).shape == (1, 512)
    with pytest.raises(InputError, match="^query: a sound needs .*pip install --no-deps laion-clap torchlibrosa$"):
        network(["violin", sound(1)])


def test_a_laion_clap_that_cannot_be_imported_is_named(network, laion_clap):
    laion_clap("import no_such_package_of_laions")
    for _ in range(2):  # the second try is no better informed than the first
        with pytest.raises(InputError, match="cannot be imported .*no_such_package_of_laions"):
            network([sound(1)])


def test_an_audio_tower_that_does_not_fit_its_weights_is_named(network, laion_clap):
    laion_clap(FAKE_HTSAT.replace("nn.Linear(4, 1024)", "nn.Linear(8, 1024)"))
    with pytest.raises(InputError, match="model.safetensors: not the weights of laion-clap's HTSAT-base"):
        network([sound(1)])


@pytest.mark.skipif(
    not (importlib.util.find_spec("laion_clap") and importlib.util.find_spec("torchlibrosa")),
    reason="laion-clap is not installed",
)
def test_the_real_htsat_has_the_checkpoints_keys_and_shapes():
    from types import SimpleNamespace

    real = clap_audio.htsat_module().create_htsat_model(SimpleNamespace(**clap_audio.HTSAT_BASE))
    found = {f"audio_branch.{key}": list(value.shape) for key, value in real.state_dict().items()}
    assert found == {key: shape for key, shape in real_shapes().items() if key.startswith("audio_branch.")}


# In a separator -------------------------------------------------------------------------------------


@pytest.fixture
def separator(copy, monkeypatch):
    monkeypatch.setenv("LASS_LAB_CACHE", str(copy.parent))
    torch.manual_seed(0)
    return LanguageSeparator(ClapQueryNet(), ResUNet(ResUNetConfig(channels=(4, 6), n_fft=256, hop=64))).eval()


def test_a_saved_separator_keeps_only_what_training_changed(separator, tmp_path):
    separator.save_pretrained(tmp_path / "before")
    stored = load_file(tmp_path / "before" / "model.safetensors")
    assert {key.split(".")[0] for key in stored} == {"network"}

    changed = "encoder.roberta.encoder.layer.1.output.dense.weight"
    with torch.no_grad():
        separator.query_network.get_parameter(changed).add_(0.25)
    separator.query_network.freeze_encoder(False)
    separator.save_pretrained(tmp_path / "after")
    stored = load_file(tmp_path / "after" / "model.safetensors")
    assert [key for key in stored if not key.startswith("network.")] == [f"query_network.{changed}"]

    found = load_separator(tmp_path / "after", device="cpu", precision="float32")
    assert isinstance(found.query_network, ClapQueryNet) and found.query_network.encoder_frozen
    for key, value in separator.state_dict().items():
        torch.testing.assert_close(found.state_dict()[key], value, rtol=2**-11, atol=1e-7)
    with torch.no_grad():
        torch.testing.assert_close(
            found.query_network(["violin"]), separator.query_network(["violin"]), atol=1e-3, rtol=0
        )
    mixture = sound(1)
    np.testing.assert_allclose(found.separate(mixture, "violin"), separator.separate(mixture, "violin"), atol=1e-3)


def test_the_tiny_separator_opens_without_the_full_size_tier():
    import subprocess

    code = (
        "import sys, lass_lab.models\n"
        "heavy = {'transformers', 'tokenizers', 'torchaudio'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "lass_lab.models.load_separator('tiny')\n"
        "loaded = [name for name in sys.modules if name.split('.')[0] == 'lass_lab']\n"
        "assert len(loaded) <= 14 and not [name for name in loaded if 'audiosep' in name], loaded"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
