"""The checks of notebook 03: three mask channels into one mask, and what an improvement is worth beside silence's."""

from collections.abc import Callable

import numpy as np

from lass_lab.course.checks import Wrong, ask, numbers, self_check, tell_mistake, truths

SHAPE = (4, 6)  # frames, bins


@self_check
def check_mask(make_mask) -> str:
    """Notebook 03: AudioSep's complex mask from its three channels of logits."""
    for seed in range(3):
        size, across, up = 1.5 * np.random.default_rng(seed).standard_normal((3, *SHAPE))
        given = _mask(ask(make_mask, size, across, up))
        share, unit = _share(size), _direction(np.tanh(across), np.tanh(up))
        if np.allclose(given, share * unit, atol=1e-5):
            continue
        for sentence, wrong in _masks_gone_wrong(size, across, up).items():
            if np.allclose(given, wrong, atol=1e-5):
                raise Wrong(sentence)
        apart = np.abs(given - share * unit).max()
        raise Wrong(f"it is up to {apart:.2g} away from the network's own mask for these logits.")
    return "three times, it is the network's own mask."


@self_check
def check_beats_silence(beats_silence) -> str:
    """Notebook 03: which improvements are more than silence would get."""
    generator = np.random.default_rng(0)
    for count in (6, 9):
        before = generator.uniform(-8, 8, count)
        gained = generator.uniform(-3, 8, count)
        # Better than the mixture and worse than nothing; the other way round; better than both; and barely so.
        gained[:4], before[:4] = (2.0, -1.0, 4.0, 3.0), (-5.0, 5.0, 6.0, -2.0)
        given = truths(ask(beats_silence, gained, before), count, "estimate", "those that beat silence").tolist()
        right = (before + gained > 0).tolist()
        if given == right:
            continue
        tell_mistake(given.__eq__, _misjudged(gained, before))
        first = next(place for place in range(count) if given[place] != right[place])
        told = f"from {before[first]:.1f} dB by {gained[first]:+.1f} dB"
        raise Wrong(f"{told} is an SDR of {before[first] + gained[first]:.1f} dB, and that of silence is 0.")
    return "twice, it marks exactly those whose SDR is above 0, which is silence's."


def _mask(given) -> np.ndarray:
    values = numbers(given, "a mask", kinds="fc")
    if values.shape != SHAPE:
        raise Wrong(f"it should give a mask of the shape of a channel, {SHAPE}, and gives {values.shape}.")
    if not np.isfinite(values).all():
        raise Wrong("some of its numbers are not finite: is something divided by zero?")
    return values


def _share(size: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-size))


def _direction(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    return (across + 1j * up) / np.hypot(across, up)


def _masks_gone_wrong(size: np.ndarray, across: np.ndarray, up: np.ndarray) -> dict[str, np.ndarray]:
    """What each mistake gives."""
    share, unit = _share(size), _direction(np.tanh(across), np.tanh(up))
    return {
        "the direction changes the size as well; divide it by its own length.": (
            share * (np.tanh(across) + 1j * np.tanh(up))
        ),
        "it is the share alone, and leaves the mixture's phase as it is; turn it, too.": share,
        "it is the direction alone; the share says how much to keep.": unit,
        "the share should lie between 0 and 1: channel 0 goes through a sigmoid.": size * unit,
        "channels 1 and 2 go through tanh before they make a direction.": share * _direction(across, up),
        "channel 1 is the real part and channel 2 the imaginary one; they are exchanged.": (
            share * (unit.imag + 1j * unit.real)
        ),
        "it turns the wrong way: the imaginary part has the other sign.": share * unit.conj(),
    }


def _misjudged(gained: np.ndarray, before: np.ndarray) -> dict[str, Callable[[], list[bool]]]:
    """What each mistake marks."""
    return {
        "an improvement above 0 beats the mixture; what does silence get?": lambda: (gained > 0).tolist(),
        "it marks those that silence beats; mark the others.": lambda: (before + gained <= 0).tolist(),
        "silence's SDR is 0, so its improvement is minus the mixture's SDR.": lambda: (gained > before).tolist(),
        "it looks at the mixture alone.": lambda: (before > 0).tolist(),
    }
