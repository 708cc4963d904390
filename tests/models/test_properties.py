"""What holds of every estimate, whatever the recording, its file and the query: searched for by hypothesis."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from lass_lab.commands.separating import _outputs, _plan
from lass_lab.signal import InputError, audio_info, read_audio, write_blocks
from tests.made_separators import small

QUERIES = {
    "words": "violin",
    "very long": "the sound of a violin and " * 5_000,
    "one long word": "v" * 100_000,
    "emoji": "🎻🔥👩‍👩‍👧‍👦",
    "Chinese": "小提琴的声音",
    "Arabic": "صوت الكمان",
    "Hindi": "वायलिन",
    "combining marks": "v\u0301\u0308\u0323iolin" * 50,
    "right to left": "\u202eniloiv",
    "SQL": "violin'; DROP TABLE sources; --",
    "a path": "../../etc/passwd",
    "a format": "%s %n {0} {violin!r} ${HOME} `ls`",
    "zero": "violin\0trumpet",
    "lines": "violin\r\ntrumpet\t",
    "marks of the encoder itself": "[CLS] [SEP] [PAD] [MASK] <s> </s>",
    "nothing to see": "\u200b\u00ad",
    "digits": "0",
}
ROUNDING = 1e-5  # of the mixture's peak: float32 sums in another order
queries = some.sampled_from(list(QUERIES.values()))
gains = some.sampled_from([1e-30, 1e-8, 1e-3, 0.3, 1.0, 37.0, 3e4, 1e9])
seeds = some.integers(0, 99)


def search(examples):
    """The same ones every time, however slow the machine."""
    unhurried = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    return settings(max_examples=examples, derandomize=True, database=None, **unhurried)


@pytest.fixture(scope="module")
def separator():
    """A small one whose windows last a quarter of a second."""
    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in (("WINDOW_S", 0.25), ("OVERLAP_S", 0.04), ("MARGIN_S", 0.01)):
            patch.setattr(f"lass_lab.models.separator.{name}", seconds)
        yield small(channels=(2, 4))


def noise(samples, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, samples)


def assert_near(one, other, mixture):
    assert np.abs(one - other).max() <= ROUNDING * np.abs(mixture).max()


@search(60)
@given(
    samples=some.integers(1, 30_000), gain=gains, dtype=some.sampled_from(["float16", "float32", "float64"]),
    query=queries, seed=seeds,
)  # fmt: skip
def test_an_estimate_is_as_long_as_its_mixture_and_finite(separator, samples, gain, dtype, query, seed):
    with np.errstate(over="ignore"):
        mixture = (gain * noise(samples, seed)).astype(dtype)
    if not np.isfinite(mixture).all():
        with pytest.raises(InputError, match="mixture: holds NaN or infinite samples"):
            separator.separate(mixture, query)
        return
    estimate = separator.separate(mixture, query)
    assert estimate.shape == (samples,) and estimate.dtype == np.float32
    assert np.isfinite(estimate).all()


@search(25)
@given(
    samples=some.integers(1, 6_000), gain=gains, other=some.sampled_from(["noise", "silence", "padding"]), seed=seeds,
    asked=some.lists(queries, min_size=1, max_size=3),
)  # fmt: skip
def test_an_estimate_does_not_depend_on_its_company(separator, samples, gain, other, seed, asked):
    """Another file beside it in the batch, louder, silent or filled up, and other queries in the list."""
    mixture = (0.5 * noise(samples, seed)).astype(np.float32)
    beside = (gain * noise(samples, seed + 100)).astype(np.float32)
    if other != "noise":
        beside[0 if other == "silence" else samples // 3 :] = 0
    batch = torch.from_numpy(np.stack([mixture, beside]))
    with torch.inference_mode():
        conditions = separator.query_network(asked)
        alone = separator.network.separate(batch[:1], conditions[-1:])[0, 0].numpy()
        both = separator.network.separate(batch, conditions)[0, -1].numpy()
    assert_near(both, alone, mixture)


@search(20)
@given(samples=some.integers(1, 30_000), dtype=some.sampled_from(["float32", "float64"]), query=queries)
def test_silence_stays_silent(separator, samples, dtype, query):
    assert not separator.separate(np.zeros(samples, dtype), query).any()


SUBTYPES = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"]


@search(50)
@given(
    frames=some.integers(1, 40_000), rate=some.integers(1_000, 200_000), channels=some.integers(1, 9),
    gain=some.sampled_from([0.0, 1e-4, 0.9, 1.0, 40.0, 1e6]), subtype=some.sampled_from(SUBTYPES), query=queries,
    seed=seeds,
)  # fmt: skip
def test_from_file_to_file_nothing_is_lost_and_nothing_wraps(
    separator, tmp_path_factory, frames, rate, channels, gain, subtype, query, seed
):
    """Whatever the file: channels, rate, length and fine steps stay, and estimate and residual are the recording."""
    folder = tmp_path_factory.mktemp("files")
    path, outs = folder / "mixture.wav", [folder / "out.wav", folder / "rest.wav"]
    samples = gain * noise((frames, channels), seed)
    if subtype == "ULAW":  # libsndfile looks what is above full scale up beyond its table
        samples = samples.clip(-1, 1)
    soundfile.write(path, samples, rate, subtype=subtype)
    info, how = audio_info(path), {"rows": 1, "residual": True, "removed": []}
    try:
        mixture = read_audio(path)
    except InputError as error:
        assert "too short" in str(error) and frames * 32_000 / rate < 1
        return
    assert abs(len(mixture) - frames * 32_000 / rate) <= 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        blocks = _outputs(separator, path, [query], consistent=seed % 2 == 0, **how)
        gains = write_blocks(outs, blocks, like=info, together=True)
    written = [soundfile.read(out, dtype="float32", always_2d=True)[0] for out in outs]
    kept = subtype if subtype in ("PCM_24", "PCM_32", "FLOAT", "DOUBLE") else "PCM_16"
    assert all(audio_info(out) == (rate, channels, frames, kept) for out in outs)
    recorded, _ = soundfile.read(path, dtype="float32", always_2d=True)
    step = {"PCM_16": 2**-14, "PCM_24": 2**-22, "PCM_32": 2**-30}.get(kept, 0)
    expected = recorded * 10 ** (gains[0] / 20)
    assert gains[0] == gains[1] and np.abs(sum(written) - expected).max() <= step + 1e-6 * np.abs(expected).max()
    assert gain or not (written[0].any() or written[1].any())


names = some.lists(
    some.one_of(queries, some.text(max_size=90), some.sampled_from(["a", "a 2", "a 3", "A"])), max_size=9
)


@search(200)
@given(asked=names)
def test_every_query_has_a_file_name_of_its_own(tmp_path_factory, asked):
    folder = tmp_path_factory.getbasetemp()
    recordings = [folder / "mixture.flac", folder / "b" / "mixture.wav", folder / "Mixture.ogg"]
    plan = _plan([(path, Path()) for path in recordings], folder, asked)
    paths = [path for each in plan.values() for path in each]
    assert len({str(path).casefold() for path in paths}) == len(paths) == 3 * len(asked)
    assert all(path.parent == folder and len(path.name.encode()) < 150 for path in paths)
    assert all(path.name.lower().startswith("mixture") and path.suffix == ".wav" for path in paths)
