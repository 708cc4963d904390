"""The pack of recordings: its table is whole, and what is fetched is the original or nothing."""

import functools
import http.server
import threading

import numpy as np
import pandas as pd
import pytest
import soundfile

from authoring.recordings.bank import players_of, sound_files
from authoring.recordings.pack import blob_hash, fetch_pack, read_pack, read_sound
from lass_lab.datasets.instruments import EVERYDAY, INSTRUMENTS, SINGER
from lass_lab.signal.files import InputError


def test_the_table_knows_every_original_and_no_trumpet():
    table = read_pack()
    assert len(table) > 7000 and not table["path"].duplicated().any()
    assert table["blob"].str.fullmatch("[0-9a-f]{40}").all() and table[["repository", "commit"]].notna().all(None)
    assert not table["instrument"].str.contains("trumpet").any()


def test_players_have_pitches_and_sounds_have_files():
    assert len(players_of("violin")) >= 3 and not players_of("trumpet")
    low, high = INSTRUMENTS["violin"].low, INSTRUMENTS["violin"].high
    pitches = [pitch for notes in players_of("violin").values() for _, pitch in notes]
    assert low - 1 <= min(pitches) and max(pitches) <= high + 12
    sung = players_of(SINGER.name)["notes/olpc_berklee/singing_voicemalevoice"]
    assert {45, 57} <= {round(pitch) for _, pitch in sung}
    files = sound_files()
    assert all(len(files[name]) == 16 for name in EVERYDAY)
    assert not [path for paths in files.values() for path in paths if path.startswith("solos")]


def test_a_blob_has_the_hash_that_git_gives_it():
    assert blob_hash(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


@pytest.fixture
def published(tmp_path):
    """A server with two files, and the table that names them."""
    root, rows = tmp_path / "published", []
    for name, pitch in (("A note #1.wav", 220.0), ("B.wav", 330.0)):
        path = root / "who/what/abc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.5 * np.sin(np.arange(8000) * pitch), 16_000)
        told = {"repository": "who/what", "commit": "abc", "source_path": name, "blob": blob_hash(path.read_bytes())}
        rows.append({"path": f"notes/{name[0]}.ogg"} | told)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield pd.DataFrame(rows), f"http://127.0.0.1:{server.server_port}/{{repository}}/{{commit}}/{{path}}", root
    server.shutdown()


def test_originals_are_fetched_once_and_read_whatever_their_suffix(published, tmp_path):
    table, url, root = published
    fetch_pack(tmp_path / "pack", table, url)
    assert read_sound(tmp_path / "pack", "notes/A.ogg").shape == (16_000,)
    (root / "who/what/abc/B.wav").unlink()
    fetch_pack(tmp_path / "pack", table, url)  # nothing is asked for again
    with pytest.raises(InputError, match="C.ogg: no such file"):
        read_sound(tmp_path / "pack", "notes/C.ogg")


@pytest.mark.parametrize("fault", ["another file", "no file"])
def test_what_is_not_the_original_is_named_and_not_kept(published, tmp_path, fault):
    table, url, root = published
    (root / "who/what/abc/B.wav").unlink()
    if fault == "another file":
        (root / "who/what/abc/B.wav").write_bytes(b"something else")
    with pytest.raises(InputError, match=r"B\.wav: (is not the file|cannot be fetched)"):
        fetch_pack(tmp_path / "pack", table, url)
    assert [path.name for path in (tmp_path / "pack/notes").iterdir()] == ["A.wav"]
