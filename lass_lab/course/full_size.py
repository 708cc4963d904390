"""The full-size separator, where it is on this computer (notebooks 02 and 09)."""

from lass_lab.models import LanguageSeparator, load_separator
from lass_lab.models.weights import FULL_SIZE, full_size_is_ready
from lass_lab.signal.files import InputError


def find_full_size(fetch: bool = False) -> LanguageSeparator | None:
    """AudioSep if its weights are on this computer; otherwise None, after a line on how to get them.

    Args:
        fetch: download what is missing. Without it nothing is downloaded, not even a small part.
    """
    why = "AudioSep's weights are not here"
    if full_size_is_ready() or fetch:
        try:
            separator = load_separator(FULL_SIZE)
        except InputError as error:  # offline, damaged, or not what was published
            why = str(error)
        else:
            print(f"AudioSep's weights are here, and it computes on: {separator.device}")
            return separator
    print(f"{why}. To get them (1.3 GB or more): lass-lab weights {FULL_SIZE}. Going on without them.")
    return None
