"""Losses agree with closed forms, and training reads no caption of any sound."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from authoring.training.sight import caption_clips, train_eye
from lass_lab.course.nb10.duets import Clips
from lass_lab.course.nb10.eye import Eye, latent_captions, strongest
from lass_lab.course.nb10.films import LOOKS, Player, Scene
from lass_lab.course.nb10.looker import Looker, load
from lass_lab.course.nb10.losses import SCALE, TEACHER_SCALE, audio_language, mask_error, pointing, trimodal
from lass_lab.course.nb10.training import Recipe, draw_batch, losses, train
from lass_lab.datasets import captions
from lass_lab.models.sentence_encoder import SentenceEncoder

BRIEF = Recipe(steps=2, batch=2)


@pytest.fixture(scope="module")
def clips():
    return Clips("train")


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder().requires_grad_(False)


def test_the_mask_error_is_zero_for_the_ideal_mask_and_weighs_by_the_mixture():
    source, mixture = torch.tensor([[[1.0, 0.0, 9.0]]]), torch.tensor([[[2.0, 3.0, 1.0]]])
    assert mask_error(torch.tensor([[[0.5, 0.0, 5.0]]]), mixture, source) == 0
    wrong = mask_error(torch.tensor([[[0.5, 1.0, 5.0]]]), mixture, source)
    assert wrong.item() == pytest.approx(math.log(4) / 3)


def test_caption_and_sound_that_point_alike_cost_nothing():
    regions = functional.normalize(torch.randn(3, 16, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    caption = regions[:, 5]
    # q is p where the sound's cosines are the caption's times the ratio of the scales; with equal scales, where a is t.
    assert trimodal(regions, torch.zeros(3, 8), torch.zeros(3, 8)) == pytest.approx(0, abs=1e-6)
    assert trimodal(regions, caption, caption) < trimodal(regions, caption, -caption)


def test_for_a_film_of_orthogonal_regions_p_and_q_are_known():
    regions, caption = 3 * torch.eye(16)[None], torch.eye(16)[:1]
    p, q = (pointing(regions, caption, scale).exp()[0] for scale in (TEACHER_SCALE, SCALE))
    for share, scale in ((p, TEACHER_SCALE), (q, SCALE)):
        assert share[0] == pytest.approx(1 / (1 + 15 * math.exp(-scale))) and share.sum() == pytest.approx(1)
    elsewhere = trimodal(regions, caption, torch.eye(16)[1:2])
    assert elsewhere.item() == pytest.approx(p[0].item() * SCALE, rel=1e-3)


def test_with_one_player_caption_and_look_point_to_the_same_region(encoder):
    shipped = load()
    acted = Scene((Player("clarinet", 6, np.array([[0.0, 1.0, 60]])),), (("chair", 1),), 0)
    regions = shipped.eye(torch.from_numpy(acted.film(1.0)))
    assert pointing(regions, strongest(regions), TEACHER_SCALE).argmax() == 6
    assert pointing(regions, encoder(["a player of the clarinet"])[0], TEACHER_SCALE).argmax() == 6


def test_a_sound_must_find_its_own_caption():
    found = functional.normalize(torch.randn(5, 8), dim=-1)
    captions_of_all = torch.eye(8)
    assert audio_language(captions_of_all[:3], captions_of_all, torch.arange(3)) < 1e-6
    assert audio_language(found * 0, captions_of_all, torch.arange(5)).item() == pytest.approx(math.log(8))


def test_a_free_caption_climbs_towards_the_picture(encoder):
    seen = encoder(["a player of the violin", "a dog on a sofa"])
    caption, cosines = latent_captions(encoder, seen, steps=15)
    assert cosines[-1] > 0.7 > cosines[0] and torch.allclose(caption.norm(dim=-1), torch.ones(2), atol=1e-5)
    assert ((caption @ seen.T).argmax(1) == torch.arange(2)).all()


def test_training_reads_no_caption_of_a_sound_and_leaves_the_eye_as_it_was(clips, encoder, monkeypatch):
    def unreadable(*_):
        raise AssertionError("a caption of a sound was read")

    for name in ("_own", "training_captions", "heldout_captions"):
        monkeypatch.setattr(captions, name, unreadable)
    monkeypatch.setattr("lass_lab.experiments.contrastive.training_captions", unreadable)
    monkeypatch.setattr("lass_lab.experiments.contrastive.heldout_captions", unreadable)
    looker = Looker(len(clips.looks))
    looker.eye.load_state_dict(train_eye(steps=2, progress=False).state_dict())
    caption_clips(looker, clips, encoder, steps=1)
    before = {key: value.clone() for key, value in looker.state_dict().items()}
    history = train(looker, clips, BRIEF, progress=False)
    assert list(history) == ["video", "text", "trimodal", "audio-language"] and len(history) == 2
    changed = {key.split(".")[0] for key, value in looker.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"network", "ear"}


def test_batches_follow_from_the_step_and_what_is_left_out_costs_nothing(clips):
    first, again, next_ = (draw_batch(clips, BRIEF, step) for step in (0, 0, 1))
    assert torch.equal(first["film"], again["film"]) and not torch.equal(first["sources"], next_["sources"])
    assert torch.allclose(first["noise"].norm(dim=-1), torch.tensor(BRIEF.noise))
    quiet, shipped = draw_batch(clips, replace(BRIEF, noise=0.0), 0), load()
    assert all(torch.equal(quiet[key], first[key]) for key in quiet if key != "noise") and not quiet["noise"].any()
    assert len({sum(losses(shipped, each)[key].item() for key in ("video", "text")) for each in (first, quiet)}) == 2
    looker = Looker(len(clips.looks)).eval()
    for share, absent in ((0.0, "text"), (1.0, "video")):
        found = losses(looker, draw_batch(clips, Recipe(batch=1, captioned=share), 0))
        assert [name for name, loss in found.items() if loss == 0] == [absent]


def test_the_eye_is_small_and_sees_the_maximum_over_the_frames():
    eye, pictures = Eye(), torch.rand(2, 4, 32, 32)
    assert sum(parameter.numel() for parameter in eye.parameters()) < 50_000 and len(LOOKS) == 9
    frames = torch.stack([eye(pictures[:, [frame]]) for frame in range(4)])
    assert torch.allclose(eye(pictures), frames.amax(0), atol=1e-5)
