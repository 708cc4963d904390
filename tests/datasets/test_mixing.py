"""Mixtures made on the fly: repeatable, never the same twice, and what the recipe says they are."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from authoring.training.prepared import prepare
from lass_lab.datasets.captions import heldout_captions, training_captions
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.datasets.mixing import MixtureDataset, MixtureRecipe, PairDataset, SourceBank, collate, match_energy
from lass_lab.signal.files import InputError
from tests.made_sources import DISTRACTORS, TONES, made_bank

PAIRS = MixtureRecipe(aligned=0.0, absent=0.0, level_db=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="module")
def bank(folder):
    return SourceBank(folder, "train")


def energy(waveform):
    return float(np.sum(np.square(np.asarray(waveform, dtype=np.float64))))


@pytest.mark.parametrize("recipe", [MixtureRecipe(), MixtureRecipe(third=0.5, sounds=0.5)])
def test_an_item_is_the_same_whichever_came_before(bank, recipe):
    mixtures = MixtureDataset(bank, 8, 0.5, recipe)
    in_order = [mixtures[index] for index in range(8)]
    for index in (7, 6, 0, 0, 3):
        item = mixtures[index]
        assert torch.equal(item["mixture"], in_order[index]["mixture"])
        assert torch.equal(item["target"], in_order[index]["target"])
        assert str(item["query"]) == str(in_order[index]["query"])
    for other in ({"epoch": 1}, {"seed": 1}):
        assert not torch.equal(MixtureDataset(bank, 8, 0.5, recipe, **other)[3]["mixture"], in_order[3]["mixture"])


def test_two_banks_are_used_as_one(tmp_path):
    tones = {"violin": 700.0, "tuba": 60.0}  # another violin: its clips have the paths and scores of the first bank's
    folders = [made_bank(tmp_path / "a"), made_bank(tmp_path / "b", tones=tones)]
    both = SourceBank(folders, "train")
    assert both.instruments == ["cello", "flute", "tuba", "violin"]
    assert len(both.rows["violin"]) == 4 and len(both.rows["tuba"]) == 2
    singles = [SourceBank(folder, "train") for folder in folders]
    read = {each.read(row, 0, 3200).tobytes() for each in singles for row in each.rows["violin"]}
    assert {both.read(row, 0, 3200).tobytes() for row in both.rows["violin"]} == read and len(read) == 4
    assert all(both.clips.loc[rows, "folder"].nunique() == 1 for rows in both.scores)  # voices of one score
    with pytest.raises(InputError, match="c/sources.csv: no such file"):
        SourceBank([folders[0], tmp_path / "c"], "train")


@pytest.mark.parametrize(("heldout", "captions"), [(False, training_captions), (True, heldout_captions)])
def test_shapes_and_queries(bank, heldout, captions):
    for item in map(MixtureDataset(bank, 30, 1.0, MixtureRecipe(heldout_captions=heldout)).__getitem__, range(30)):
        assert item["mixture"].shape == item["target"].shape == (1, 32_000)
        assert item["mixture"].dtype == torch.float32 and item["mixture"].abs().max() <= 1
        assert item["query"] in captions(item["instrument"])


def test_sounds_stand_in_for_words_as_often_as_asked(bank):
    items = [MixtureDataset(bank, 200, 0.5, MixtureRecipe(sounds=0.3))[index] for index in range(200)]
    batch = collate(items)
    assert batch["mixture"].shape == batch["target"].shape == (200, 1, 16_000)
    sounds = [item for item in items if isinstance(item["query"], torch.Tensor)]
    assert 40 < len(sounds) < 80
    for item in sounds:
        spectrum = np.abs(np.fft.rfft(item["query"][:32_000].numpy()))
        pitch = float(np.argmax(spectrum))
        assert min(abs(pitch / TONES[item["instrument"]] - ratio) for ratio in (1, 8 / 7)) < 0.01


def test_every_mixture_is_asked_for_each_of_its_two_sources(bank):
    items, ratios = MixtureDataset(bank, 200, 1.0, PAIRS), []
    for first, second in ((items[index], items[index + 1]) for index in range(0, 200, 2)):
        assert first["instrument"] != second["instrument"]
        ratios.append(10 * np.log10(energy(second["target"]) / energy(first["target"])))
        torch.testing.assert_close(first["mixture"], second["mixture"], atol=1e-6, rtol=0)
        torch.testing.assert_close(first["target"] + second["target"], first["mixture"], atol=1e-6, rtol=0)
    assert -10.1 < min(ratios) < -8 and 8 < max(ratios) < 10.1


def test_the_target_is_the_source_that_the_query_names(bank):
    for item in map(MixtureDataset(bank, 20, 1.0, PAIRS).__getitem__, range(20)):
        spectrum = np.abs(np.fft.rfft(item["target"][0].numpy()))
        pitch = float(np.argmax(spectrum))  # one second: bins are Hz
        assert min(abs(pitch / TONES[item["instrument"]] - ratio) for ratio in (1, 8 / 7)) < 0.01


def test_an_absent_query_has_a_silent_target_and_names_nobody_who_plays(bank):
    recipe = MixtureRecipe(aligned=0.0, absent=1.0)
    for item in map(MixtureDataset(bank, 20, 1.0, recipe).__getitem__, range(20)):
        assert not item["target"].any() and item["mixture"].any()
        spectrum = np.abs(np.fft.rfft(item["mixture"][0].numpy()))
        for ratio in (1, 8 / 7):
            assert spectrum[round(TONES[item["instrument"]] * ratio)] < 0.01 * spectrum.max()


def test_a_distractor_plays_and_is_never_asked_for(bank, tmp_path):
    """Of two queries for such a mixture one names the other source, and one an instrument that is not there."""
    distractors = SourceBank(made_bank(tmp_path, tones=DISTRACTORS), "train")
    recipe = MixtureRecipe(distractors=1.0, absent=0.0, level_db=0.0)
    items = MixtureDataset(bank, 60, 1.0, recipe, distractors=distractors)
    for asked, absent in ((items[index], items[index + 1]) for index in range(0, 60, 2)):
        assert asked["instrument"] in TONES and asked["target"].any() and not absent["target"].any()
        assert absent["instrument"] in TONES and absent["instrument"] != asked["instrument"]
        other = np.abs(np.fft.rfft((asked["mixture"] - asked["target"])[0].numpy()))
        pitch = float(np.argmax(other))
        name = min(DISTRACTORS, key=lambda each: min(abs(pitch / DISTRACTORS[each] - ratio) for ratio in (1, 8 / 7)))
        assert INSTRUMENTS[name].family != INSTRUMENTS[asked["instrument"]].family


def test_a_third_source_is_in_the_mixture_and_in_no_target(bank):
    items = MixtureDataset(bank, 40, 1.0, MixtureRecipe(aligned=0, absent=0, level_db=0, third=1.0))
    for first, second in ((items[index], items[index + 1]) for index in range(0, 40, 2)):
        rest = np.abs(np.fft.rfft((first["mixture"] - first["target"] - second["target"])[0].numpy()))
        pitch = float(np.argmax(rest))
        name = min(TONES, key=lambda each: min(abs(pitch / TONES[each] - ratio) for ratio in (1, 8 / 7)))
        assert name not in (first["instrument"], second["instrument"]) and rest.max() > 1


def test_voices_and_everyday_sounds_have_the_shares_that_the_recipe_says(tmp_path):
    names = ("violin", "speech", "singing voice", "rain", "dog bark")
    bank = SourceBank(
        made_bank(tmp_path, tones={name: 200.0 + 50 * place for place, name in enumerate(names)}), "train"
    )
    items = MixtureDataset(bank, 400, 0.1, MixtureRecipe(aligned=0, absent=0, voices=0.3, everyday=0.2))
    first = [items[index]["instrument"] for index in range(0, 400, 2)]
    shares = [sum(name in kind for name in first) / 200 for kind in (names[:1], names[1:3], names[3:])]
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.1)
    pairs = [{items[index]["instrument"], items[index + 1]["instrument"]} for index in range(0, 400, 2)]
    assert all(len(pair) == 2 and pair != {"speech", "singing voice"} for pair in pairs)


def test_a_bank_without_what_the_recipe_asks_for_is_drawn_from_all_the_same(tmp_path):
    bank = SourceBank(made_bank(tmp_path, tones={"rain": 300.0, "dog bark": 900.0}), "train")
    items = MixtureDataset(bank, 10, 0.1, PAIRS)
    assert {items[index]["instrument"] for index in range(10)} == {"rain", "dog bark"}


def test_recordings_have_the_share_that_the_recipe_says(tmp_path):
    folder = made_bank(tmp_path)
    table = pd.read_csv(folder / "sources.csv")
    table.assign(recorded=table["path"].str.contains("/0-")).to_csv(folder / "sources.csv", index=False)
    bank, rng, rows = SourceBank(folder, "train"), np.random.default_rng(0), []
    read = bank.read
    bank.read = lambda row, start, samples: rows.append(row) or read(row, start, samples)
    for _ in range(200):
        bank.cut(rng, "violin", 100, recorded=0.8)
    assert bank.clips.loc[rows, "recorded"].mean() == pytest.approx(0.8, abs=0.1)


def test_a_bank_of_a_lower_rate_gives_items_at_that_rate(tmp_path):
    folder = made_bank(tmp_path)
    lower = prepare([folder], tmp_path / "lower", 8000)
    bank = SourceBank(lower, "train")
    item = MixtureDataset(bank, 2, 1.0, PAIRS)[0]
    assert item["mixture"].shape == (1, 8000)
    pitch = float(np.argmax(np.abs(np.fft.rfft(item["target"][0].numpy()))))
    assert min(abs(pitch / TONES[item["instrument"]] - ratio) for ratio in (1, 8 / 7)) < 0.01
    with pytest.raises(InputError, match="different rates"):
        SourceBank([folder, lower], "train")


def test_aligned_mixtures_are_voices_of_one_score(bank, monkeypatch):
    read, starts = bank.read, []
    monkeypatch.setattr(bank, "read", lambda row, start, n: starts.append((row, start)) or read(row, start, n))
    MixtureDataset(bank, 1, 1.0, MixtureRecipe(aligned=1.0))[0]
    (first, start), (second, other_start) = starts[:2]
    assert bank.clips.at[first, "score"] == bank.clips.at[second, "score"] and start == other_start
    assert bank.clips.at[first, "instrument"] != bank.clips.at[second, "instrument"]


def test_energy_matching_is_exact_and_clamped():
    source, target = np.full(100, 0.5, np.float32), np.full(100, 0.25, np.float32)
    assert energy(match_energy(source, target)) == pytest.approx(energy(target))
    assert energy(match_energy(source, target, 10)) == pytest.approx(10 * energy(target))
    assert energy(match_energy(source, target / 100)) == pytest.approx(0.02 * energy(source))
    assert np.isfinite(match_energy(np.zeros(5, np.float32), target[:5])).all()


def test_clipping_is_prevented_by_one_gain_for_all():
    class Loud(PairDataset):
        def _pair(self, number):
            return ["one", "other"], [np.full(8, 1.5, np.float32), np.full(8, 0.5, np.float32)], np.random.default_rng()

        def _query(self, rng, names, asked):
            return names[asked], names[asked]

    item = Loud(MixtureRecipe(level_db=0.0), 1.0, 0)._item(0, 1)
    assert item["mixture"].max() == pytest.approx(0.9) and item["target"].max() == pytest.approx(0.225)


def test_missing_sources_are_named(folder, tmp_path):
    with pytest.raises(InputError, match="python -m authoring render sources"):
        SourceBank(tmp_path, "train")
    with pytest.raises(InputError, match="no clip of the split 'exam'"):
        SourceBank(folder, "exam")
    head = b"path,instrument,score,split,seconds\n"
    for content, fault in (
        (b"path,instrument\n", "column 'score' is missing"),
        (b"\xff\xfe\x00\x01", "cannot be read as a CSV table"),
        (head + b"a.wav,b,c,train,1\n,b,c,train,1\n", "line 3: column "),
    ):
        (tmp_path / "sources.csv").write_bytes(content)
        with pytest.raises(InputError, match=fault):
            SourceBank(tmp_path, "train")


def test_a_clip_at_another_rate_or_in_stereo_is_named(tmp_path):
    folder = made_bank(tmp_path, splits=("train",))
    for clip in folder.rglob("*.wav"):
        soundfile.write(clip, np.ones((9_000, 2)), 44_100)
    bank = SourceBank(folder, "train")
    with pytest.raises(InputError, match="is stereo or more at 44100 Hz; a bank's clips are mono, here at 32000 Hz"):
        bank.read(0, 0, 100)


def test_silent_sources_end_in_an_error_and_not_in_a_search_without_end(tmp_path):
    folder = made_bank(tmp_path, splits=("train",))
    silent = SourceBank(folder, "train")
    silent.read = lambda row, start, samples: np.zeros(samples, np.float32)
    with pytest.raises(InputError, match="in a row were silent"):
        MixtureDataset(silent, 1, 1.0, PAIRS)[0]
