"""Which way of sharing out what estimates lack is best, and what it is worth to ask for something against another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.instruments import TAUGHT
from lass_lab.datasets.mixing import SourceBank, alike, match_energy
from lass_lab.experiments.evaluation import bootstrap, validation_pieces
from lass_lab.models import LanguageSeparator, load_separator
from lass_lab.models.sharing import share_error, share_out
from lass_lab.signal import SAMPLE_RATE, istft, sdr, stft
from lass_lab.signal.files import data_dir

SECONDS = 6.0
MIXTURES = 25
WINDOWS = (1024, 4096, 8192)
Shares = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (queries, samples), (samples,) -> (queries, samples)


@dataclass(frozen=True)
class Case:
    """A mixture `(samples,)` in which names play, their sources `(names, samples)`, and how many are asked for."""

    mixtures: str
    separator: LanguageSeparator
    names: Sequence[str]
    sources: np.ndarray
    asked: int

    @property
    def mixture(self) -> np.ndarray:
        return self.sources.sum(0)

    def gains(self, estimates: np.ndarray) -> list[float]:
        """SDR (dB) of every estimate."""
        return [sdr(source, estimate) for source, estimate in zip(self.sources, estimates, strict=False)]


def cases() -> list[Case]:
    """The training duets' last 30 s, and random mixtures of the test split of the bank that ships."""
    fine, tiny = load_separator("tiny-finetuned"), load_separator("tiny")
    made = []
    for piece in validation_pieces():
        made.append(Case("duets", fine, list(piece.sources), np.stack(list(piece.sources.values())), 2))
    bank, rng = SourceBank(data_dir() / "sources", "test", TAUGHT), np.random.default_rng(0)
    for _ in range(MIXTURES):
        names: list[str] = []
        while len(names) < 3:
            name = str(rng.choice(bank.instruments))
            names += [name] * (not any(alike(name, other) for other in names))
        sources = [bank.cut(rng, name, round(SECONDS * SAMPLE_RATE)) for name in names]
        sources = np.stack([sources[0], *(match_energy(each, sources[0]) for each in sources[1:])])
        made.append(Case("two play, both named", tiny, names[:2], sources[:2], 2))
        made.append(Case("two play, one named", tiny, names[:2], sources[:2], 1))
        made.append(Case("three play, two named", tiny, names, sources, 2))
        made.append(Case("three play, one named", tiny, names, sources, 1))
    return made


def compare_shares(made: Sequence[Case]) -> pd.DataFrame:
    """A row for each way of sharing out: SDR by kind of mixture, and the change with its 95% interval over answers."""
    ways: dict[str, Shares] = {
        "none": lambda estimates, mixture: estimates,
        "equal parts": lambda estimates, mixture: estimates + (mixture - estimates.sum(0)) / len(estimates),
    }
    for size in WINDOWS:
        ways[f"Wiener's ratio, window of {size}"] = lambda *given, size=size: _by_ratio(*given, size, 2)
        ways[f"ratio of magnitudes, {size}"] = lambda *given, size=size: _by_ratio(*given, size, 1)
    ways["`--consistent`"] = share_out
    found = {way: {} for way in ways}
    for case in tqdm(made, desc="mixtures"):
        estimates = case.separator.separate(case.mixture, case.names[: case.asked], progress=False)
        for way, share in ways.items():
            found[way].setdefault(case.mixtures, []).extend(case.gains(share(estimates, case.mixture)))
    return _beside_the_first(found)


def compare_against(made: Sequence[Case]) -> pd.DataFrame:
    """A row for each thing to be asked against: what else plays, what is likest and does not play, anything absent."""
    rng = np.random.default_rng(1)
    found: dict[str, dict[str, list[float]]] = {}
    for case in tqdm([case for case in made if case.asked == 2], desc="mixtures"):
        absent = [name for name in TAUGHT if not any(alike(name, other) for other in case.names)]
        vectors = case.separator.query_network([*case.names, *absent]).detach().numpy()
        likest = [absent[int(np.argmax(vectors[len(case.names) :] @ vectors[place]))] for place in range(2)]
        words = [*case.names, *likest, str(rng.choice(absent))]
        estimates = dict(zip(words, case.separator.separate(case.mixture, words, progress=False), strict=True))
        for place, name in enumerate(case.names[:2]):
            against = {
                "nothing": None,
                "what else plays": case.names[1 - place],
                "the likest thing, absent": likest[place],
            }
            for way, other in (against | {"something absent": words[-1]}).items():
                estimate = estimates[name]
                if other:
                    estimate = share_error(np.stack((estimate, estimates[other])), case.mixture)[0]
                gains = found.setdefault(way, {}).setdefault(case.mixtures, [])
                gains.append(sdr(case.sources[place], estimate))
    return _beside_the_first(found)


def _by_ratio(estimates: np.ndarray, mixture: np.ndarray, size: int, power: int) -> np.ndarray:
    """Every estimate as its share of the mixture, in which what is lacking takes part."""
    whole = stft(mixture, size, size // 4)
    parts = np.abs(stft(np.concatenate((estimates, (mixture - estimates.sum(0))[None])), size, size // 4)) ** power
    return istft(parts[:-1] / np.maximum(parts.sum(0), 1e-20) * whole, len(mixture), size // 4)


def _beside_the_first(found: dict[str, dict[str, list[float]]]) -> pd.DataFrame:
    (first, plain), *_ = found.items()
    rows = []
    for way, kinds in found.items():
        texts = {}
        for kind, gains in kinds.items():
            change = np.subtract(gains, plain[kind])
            low, high = bootstrap(change)
            told = "" if way == first else f" ({change.mean():+.2f}; {low:+.2f} to {high:+.2f})"
            texts[kind] = f"{np.mean(gains):.2f}{told}"
        rows.append({"": way, **texts})
    return pd.DataFrame(rows)
