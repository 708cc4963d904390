import pytest

from lass_lab.signal import InputError, atomic_path


def test_the_result_appears_whole_with_the_usual_permissions_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "new" / "folder" / "result.wav"
    with atomic_path(path) as temporary:
        assert (temporary.parent, temporary.suffix) == (path.parent, ".wav")
        temporary.write_bytes(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_a_file_that_appeared_meanwhile_is_kept(tmp_path):
    path = tmp_path / "result.txt"
    with pytest.raises(InputError, match="exists already"), atomic_path(path) as temporary:
        temporary.write_text("mine")
        path.write_text("somebody else's")
    assert path.read_text() == "somebody else's"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_that_were_made_for_nothing_go_again_and_others_stay(tmp_path):
    (tmp_path / "mine").mkdir()
    for folder in ("mine", "mine/new", "new/below"):
        with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / folder / "result.txt"):
            raise ZeroDivisionError
    assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "new" / "result.txt"):
        (tmp_path / "new" / "theirs.txt").touch()
        raise ZeroDivisionError
    assert (tmp_path / "new" / "theirs.txt").exists()


def test_a_block_that_writes_nothing_is_named(tmp_path):
    path = tmp_path / "never.txt"
    with pytest.raises(InputError, match=r"never\.txt: nothing was written$"), atomic_path(path):
        pass
