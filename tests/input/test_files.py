import stat

import pytest

from bayes_distill._input.files import atomic_path, unwritable
from bayes_distill.errors import InputError


def test_a_file_is_written_whole(tmp_path):
    target = tmp_path / "out.csv"
    with atomic_path(target) as temporary:
        assert temporary.suffix == ".csv"
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("old")

    def fail_half_way():
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    with atomic_path(tmp_path / "a"):
        pass
    (tmp_path / "b").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"]
    assert modes[0] == modes[1]


@pytest.mark.parametrize(
    ("name", "words"),
    [(".", "is a folder"), ("none/out.csv", "does not exist"), ("x" * 300, "cannot be written")],
)
def test_what_cannot_be_written_is_an_input_error(tmp_path, name, words):
    with pytest.raises(InputError, match=words), atomic_path(tmp_path / name):
        raise AssertionError("the block must not run")


def test_a_long_name_is_as_good_as_a_short_one(tmp_path):
    target = tmp_path / ("x" * 250)
    with atomic_path(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"


def test_unwritable_says_nothing_about_a_good_target(tmp_path):
    assert unwritable(tmp_path / "out.csv") is None
