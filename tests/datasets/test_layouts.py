"""Foreign folders: what is recognised, and that whatever does not fit is named."""

import pytest

from lass_lab.datasets.layouts import find_pieces
from lass_lab.signal.files import InputError


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


JESUS = ("AuMix_09_Jesus_tpt_vn.wav", "AuSep_1_tpt_09_Jesus.wav", "AuSep_2_vn_09_Jesus.wav")


def test_a_piece_of_urmp_is_read_by_the_names_of_its_files(tmp_path):
    place = tmp_path / "09_Jesus_tpt_vn"
    touch(place, *JESUS, "Sco_09_Jesus_tpt_vn.mid", "Notes_1_tpt_09_Jesus.txt", "Vid_09_Jesus_tpt_vn.mp4", "._x.wav")
    pieces, faults = find_pieces(tmp_path)
    assert faults == []
    (piece,) = pieces
    assert (piece.name, piece.mixture) == ("09_Jesus_tpt_vn", place / JESUS[0])
    assert piece.stems == {"trumpet": [place / JESUS[1]], "violin": [place / JESUS[2]]}
    assert find_pieces(place) == (pieces, faults), "a piece may be given directly"


def test_players_of_one_instrument_are_one_source(tmp_path):
    names = ["AuSep_1_vn_12_Spring.wav", "AuSep_2_vn_12_Spring.wav", "AuSep_3_vc_12_Spring.wav"]
    touch(tmp_path / "12_Spring_vn_vn_vc", *names)
    touch(tmp_path / "trio", "violin_1.wav", "Violin 2.flac", "synth_2.wav")
    (urmp, plain), faults = find_pieces(tmp_path)
    assert faults == []
    assert {source: len(paths) for source, paths in urmp.stems.items()} == {"violin": 2, "cello": 1}
    assert {source: len(paths) for source, paths in plain.stems.items()} == {"violin": 2, "synth 2": 1}


def test_pieces_of_musdb_and_our_own_are_found_at_any_depth(tmp_path):
    touch(tmp_path / "train" / "A song", "mixture.wav", "vocals.wav", "drums.wav", "readme.txt")
    touch(tmp_path / "test" / "B song", "french_horn.FLAC", "Lead Synth.mp3", ".hidden.wav")
    (second, first), faults = find_pieces(tmp_path)
    assert faults == []
    assert (first.name, first.mixture.name, list(first.stems)) == ("A song", "mixture.wav", ["drums", "vocals"])
    assert (second.name, second.mixture, list(second.stems)) == ("B song", None, ["lead synth", "french horn"])


@pytest.mark.parametrize(
    ("names", "file", "what"),
    [
        ([*JESUS, "AuSep_3_kz_09_Jesus.wav"], "AuSep_3_kz_09_Jesus.wav", "'kz' is none of URMP's instruments"),
        ([*JESUS, "AuSep_2_vn_09_Jesus.flac"], "AuSep_2_vn_09_Jesus.wav", "a second file of player 2"),
        ([*JESUS, "AuMix_09_Jesus_tpt_vn.flac"], JESUS[0], "a second mixture, beside"),
        ([*JESUS, "hum.wav"], "hum.wav", "neither AuMix_PIECE nor AuSep_NUMBER_INSTRUMENT_PIECE"),
        (JESUS[:2], "AuSep_2_vn_09_Jesus.wav", "this stem is missing"),
        (JESUS[:1], JESUS[0], "a mixture without stems"),
        (["AuSep_1_fl_04_A.wav", "AuSep_3_vn_04_A.wav"], "AuSep_2_INSTRUMENT_04_A.wav", "this stem is missing"),
        (["mixture.wav", "vocals.wav"], "piece", "has one source only, vocals"),
        (["mix.wav", "bass.wav", "drums.wav"], "mix.wav", "is this the mixture? Then call it mixture.wav"),
        (["bass.wav", "bass.flac", "drums.wav"], "bass.wav", "a second file of the source 'bass', beside bass.flac"),
        (["bass.wav", "drums.wav", "other.stem.mp4"], "other.stem.mp4", "cannot be decoded here"),
        (["bass.wav", "drums.wav", "_.wav"], "_.wav", "does not say what plays in it"),
    ],
)
def test_what_does_not_fit_is_named_and_its_piece_left_out(tmp_path, names, file, what):
    touch(tmp_path / "piece", *names)
    touch(tmp_path / "good", "violin.wav", "trumpet.wav")
    pieces, faults = find_pieces(tmp_path)
    assert [piece.name for piece in pieces] == ["good"]
    assert {fault.piece for fault in faults} == {"piece"}
    assert any(fault.path.name == file and what in fault.what for fault in faults), faults
    assert all(str(fault).startswith(f"{fault.path}: ") and "\n" not in str(fault) for fault in faults)


def test_a_file_between_pieces_is_named(tmp_path):
    touch(tmp_path / "one", "violin.wav", "trumpet.wav")
    touch(tmp_path, "loose.wav")
    pieces, (fault,) = find_pieces(tmp_path)
    assert len(pieces) == 1 and fault.path == tmp_path / "loose.wav" and "belongs to none of them" in fault.what


def test_two_pieces_of_one_name_are_a_fault_of_both(tmp_path):
    for place in ("train/Song", "test/song", "test/Other"):
        touch(tmp_path / place, "vocals.wav", "drums.wav")
    pieces, faults = find_pieces(tmp_path)
    assert [piece.name for piece in pieces] == ["Other"]
    (fault,) = faults
    assert "another piece has the same name" in fault.what and "test" in fault.what


def test_links_are_followed_once(tmp_path):
    touch(tmp_path / "store" / "song", "vocals.wav", "drums.wav")
    given = tmp_path / "given"
    given.mkdir()
    (given / "song").symlink_to(tmp_path / "store" / "song")
    (given / "song" / "round").symlink_to(given)
    pieces, faults = find_pieces(given)
    assert [piece.name for piece in pieces] == ["song"] and faults == []


def test_what_is_no_folder_is_refused(tmp_path):
    touch(tmp_path, "song.wav")
    for name, fault in (("gone", "no such folder"), ("song.wav", "is a file")):
        with pytest.raises(InputError, match=f"{name}: {fault}"):
            find_pieces(tmp_path / name)
