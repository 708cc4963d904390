"""Notebook 10 ships the network that was trained, with captions of the clips that ship."""

from functools import partial

import pytest
import torch

from authoring.training import sight
from authoring.training.sight import save, with_shipped_captions, write_card
from lass_lab.course.nb10.duets import Clips
from lass_lab.course.nb10.looker import Looker, load
from lass_lab.signal.files import InputError


def test_weights_come_back_as_they_were_saved(tmp_path):
    looker = Looker(3).half().float().eval()
    save(looker, tmp_path)
    again = load(tmp_path)
    assert all(torch.equal(value, looker.state_dict()[key]) for key, value in again.state_dict().items())


def test_only_the_captions_are_made_anew(monkeypatch):
    monkeypatch.setattr(sight, "caption_clips", partial(sight.caption_clips, steps=2))
    looker = load()
    shipped = with_shipped_captions(looker)
    assert shipped.captions.shape[0] == len(Clips("train").looks)
    assert torch.allclose(shipped.captions.norm(dim=-1), torch.ones(len(shipped.captions)), atol=1e-5)
    kept = {key: value for key, value in looker.state_dict().items() if key != "captions"}
    assert all(torch.equal(value, shipped.state_dict()[key]) for key, value in kept.items())


def test_a_bank_without_notes_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no notes\.csv; make it with"):
        write_card(tmp_path / "out", tmp_path / "run", tmp_path)
