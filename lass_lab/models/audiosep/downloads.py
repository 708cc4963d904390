"""Files from the hub: fetched once, and checked against the hub's own size and hash before use."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lass_lab.signal.files import InputError


@dataclass(frozen=True)
class HubFile:
    """One file on the hub.

    Attributes:
        repository: owner/name.
        path: of the file within the repository.
        kind: of the repository, "model" or "space".
        gigabytes: its size as the hub's page tells it, in 1e9 bytes; None where that is not known.
    """

    repository: str
    path: str
    kind: str = "model"
    gigabytes: float | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def url(self) -> str:
        from huggingface_hub import hf_hub_url

        return hf_hub_url(self.repository, self.path, repo_type=self.kind)


@dataclass(frozen=True)
class Published:
    """What the hub says of a file: its size in bytes and its ETag, each None where it says nothing.

    The ETag of a large file is its SHA-256; that of a small one is the SHA-1 of its git blob.
    """

    size: int | None = None
    etag: str | None = None


class NotFetched(InputError):
    """The hub cannot be reached, or does not have the file."""


def cache_dir() -> Path:
    """The folder for weights made ready for use: $LASS_LAB_CACHE, or `lass-lab` beside the hub's own cache."""
    from huggingface_hub import constants

    return Path(os.environ.get("LASS_LAB_CACHE") or Path(constants.HF_HUB_CACHE).parent / "lass-lab").expanduser()


def fetch(file: HubFile) -> tuple[Path, str]:
    """The file in the hub's cache, downloaded where it is not there yet.

    A connection that is cut off goes on where it stopped; a process that is killed begins anew.

    Returns:
        Its path, and what it was checked against, in words.

    Raises:
        NotFetched: it is not in the cache, and the hub does not give it.
        InputError: what came is not what the hub says it is.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    published = ask(file)
    if published is None:
        cached = try_to_load_from_cache(file.repository, file.path, repo_type=file.kind)
        if not isinstance(cached, str):
            raise NotFetched(f"{file.name}: not here, and the hub cannot be reached")
        # Without symbolic links (Windows), the cache does not tell the hash.
        blob = Path(cached).resolve().name
        return Path(cached), verify(Path(cached), file, Published(etag=blob if len(blob) in (40, 64) else None))
    try:
        path = Path(hf_hub_download(file.repository, file.path, repo_type=file.kind))
    except OSError as error:  # a full disk among them, which is no fault of the hub's
        raise NotFetched(f"{file.name}: the download failed ({_reason(error)})") from error
    except Exception as error:  # the hub raises many kinds
        raise NotFetched(f"{file.name}: the download failed ({type(error).__name__})") from error
    # Told by its own name: deleting a mere link to it would not have it fetched again.
    return path, verify(path.resolve(), file, published)


def ask(file: HubFile) -> Published | None:
    """What the hub says of the file; None where it cannot be asked."""
    from huggingface_hub import get_hf_file_metadata

    try:
        found = get_hf_file_metadata(file.url)
    except Exception:  # the hub raises many kinds; each means that it says nothing
        return None
    return Published(found.size, found.etag if len(found.etag or "") in (40, 64) else None)


def verify(path: Path, file: HubFile, published: Published) -> str:
    """Check a file's size and hash; returns what it was checked against, in words.

    Raises:
        InputError: missing, empty, of another size, or of another hash.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")
    size = path.stat().st_size
    if published.size is not None and size != published.size:
        raise InputError(
            f"{path}: has {size:,} bytes, the hub's {file.name} {published.size:,}; delete it and try again"
        )
    if file.gigabytes is not None and abs(size / 1e9 - file.gigabytes) > 0.01:  # the page rounds
        raise InputError(f"{path}: has {size / 1e9:.4f} GB, {file.name} {file.gigabytes:.2f}: cut off, or another file")
    if published.etag is None:
        return "its size" if file.gigabytes else "its contents"
    if (found := _etag(path, len(published.etag))) != published.etag:
        raise InputError(
            f"{path}: not the hub's {file.name} (hash {found[:12]}..., not {published.etag[:12]}...); "
            "delete it and try again"
        )
    return f"the hub's hash {found[:12]}..."


def _etag(path: Path, length: int) -> str:
    """The file's ETag in the form that has so many hexadecimal digits."""
    digest: Any = hashlib.sha256() if length == 64 else hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
