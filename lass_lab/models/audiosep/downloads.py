"""Files from the hub: fetched once, and checked against the hub's own size and hash before use."""

import hashlib
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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


class NotFetched(InputError):
    """The hub cannot be reached, or does not have the file."""


def fetch(file: HubFile) -> tuple[Path, str]:
    """The file in the hub's cache, downloaded where it is not there yet.

    A connection that is cut off goes on where it stopped; a process that is killed begins anew.

    Returns:
        Its path, and what it was checked against, in words.

    Raises:
        NotFetched: it is not in the cache, and the hub does not give it.
        InputError: what came is not what the hub says it is.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        path = Path(hf_hub_download(file.repository, file.path, repo_type=file.kind))
    except LocalEntryNotFoundError as error:
        raise NotFetched(f"{file.name}: not here, and the hub cannot be reached") from error
    except Exception as error:  # the hub raises many kinds; a full disk comes as an OSError
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise NotFetched(f"{file.name}: the download failed ({reason})") from error
    blob = path.resolve()  # named by its hash; a message names it, since to delete the link to it would not suffice
    return path, verify(blob, file, etag=blob.name)


def verify(path: Path, file: HubFile, etag: str | None = None) -> str:
    """Check a file against the size and hash that the hub tells.

    Where the hub cannot be asked, `etag` and the checksums inside of an archive serve. The ETag of a large file is its
    SHA-256; that of a small one is the SHA-1 of its git blob.

    Returns:
        What it was checked against, in words.

    Raises:
        InputError: missing, of another size, of another hash, or damaged.
    """
    from huggingface_hub import get_hf_file_metadata

    if not path.is_file():
        raise InputError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")
    size, published, told = path.stat().st_size, None, None
    with suppress(Exception):  # the hub raises many kinds; each means that it says nothing
        metadata = get_hf_file_metadata(file.url)
        published, told = metadata.size, metadata.etag
    if published is not None and size != published:
        raise InputError(f"{path}: has {size:,} bytes, the hub's {file.name} {published:,}; delete it and try again")
    etag = next((one for one in (told, etag) if one and len(one) in (40, 64)), None)
    if etag:
        digest = hashlib.sha256() if len(etag) == 64 else hashlib.sha1(b"blob %d\0" % size)
        with path.open("rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
        if (found := digest.hexdigest()) != etag:
            hashes = f"{found[:12]}..., not {etag[:12]}..."
            raise InputError(f"{path}: not the hub's {file.name} (hash {hashes}); delete it and try again")
        return f"the hub's hash {etag[:12]}..."
    if zipfile.is_zipfile(path):
        check_archive(path)
        return "its size and the checksums inside"
    return "its contents"


def check_archive(path: Path) -> None:
    """Compare every record of a checkpoint with the checksum beside it, which PyTorch itself does not do."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise InputError(f"{path}: not a whole PyTorch checkpoint; fetch it again") from error
    if damaged:
        raise InputError(f"{path}: damaged (the checksum of {damaged} is wrong); fetch it again")
