"""The query network that learns its words along: what it is, that all of it learns, and that it knows no sounds."""

import numpy as np
import pytest
import torch

from lass_lab.course.nb03.lass_net import TransformerQueryNet
from lass_lab.signal.files import InputError


def test_words_become_unit_vectors_that_do_not_depend_on_their_company():
    torch.manual_seed(0)
    words = TransformerQueryNet().eval()
    conditions = words(["violin", "a trumpet far away, in a large hall"])
    assert conditions.shape == (2, 512) and torch.allclose(conditions.norm(dim=1), torch.ones(2), atol=1e-5)
    assert torch.allclose(words(["violin"]), conditions[:1], atol=1e-5)  # padded or not
    assert not torch.allclose(conditions[0], conditions[1], atol=1e-2)


def test_all_of_it_learns_from_the_separation_network_errors():
    words = TransformerQueryNet().freeze_encoder(False).train()
    words(["violin", "flute"])[:, 0].sum().backward()
    silent = [name for name, value in words.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []


def test_a_sound_is_refused():
    with pytest.raises(InputError, match="knows words only"):
        TransformerQueryNet()([np.sin(np.arange(16_000, dtype=np.float32))])
