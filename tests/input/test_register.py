"""The register: what breaks its chain, and what a full disk or a kill leaves of it."""

import errno
import hashlib
import json
import os
import threading

import pytest

from bayes_distill._input import register as module
from bayes_distill._input.register import (
    append_line,
    read_register,
    register_problem,
    repair,
)
from bayes_distill.errors import InputError


@pytest.fixture
def three(tmp_path):
    path = tmp_path / "forecasts.jsonl"
    for number in range(3):
        append_line(path, {"kind": "forecast", "number": number, "name": "a\x1b[31m\u2028b"})
    return path


def rows_at_fault(path):
    return [fault.row for fault in read_register(path).faults]


def test_each_line_has_the_sha256_of_the_one_before(three):
    lines = three.read_bytes().split(b"\n")
    assert lines.pop() == b""
    contents = [json.loads(line) for line in lines]
    assert contents[0]["previous"] == "0" * 64
    for before, content in zip(lines, contents[1:], strict=False):
        assert content["previous"] == hashlib.sha256(before).hexdigest()
    found = read_register(three)
    assert [line["number"] for line in found.lines] == [0, 1, 2]
    assert (found.faults, found.torn, found.size) == ((), b"", three.stat().st_size)
    assert found.head == hashlib.sha256(lines[-1]).hexdigest()


def test_a_changed_line_is_named_wherever_it_is(three):
    whole = three.read_bytes()
    for number in range(3):
        three.write_bytes(whole.replace(b'"number": %d' % number, b'"number": 7'))
        assert rows_at_fault(three) == [number]
    with pytest.raises(InputError, match=r"the last line of .* was changed"):
        append_line(three, {})


def test_a_line_that_was_rehashed_removed_or_put_in_breaks_the_chain(three, tmp_path):
    lines = three.read_bytes().splitlines(keepends=True)
    other = tmp_path / "other.jsonl"
    append_line(other, {"number": 9})
    for changed, fault in (
        ([other.read_bytes(), *lines[1:]], 1),
        ([lines[0], lines[2]], 1),
        ([lines[1], lines[2]], 0),
        ([*lines, other.read_bytes()], 3),
        ([lines[0], b"\n", *lines[1:]], 1),
    ):
        three.write_bytes(b"".join(changed))
        assert rows_at_fault(three) == [fault]


def test_a_torn_last_line_is_told_and_repaired_only_on_request(three):
    whole = three.read_bytes()
    before = whole.splitlines(keepends=True)
    for cut in (1, 5, 40, len(before[-1]) - 2):
        three.write_bytes(whole[: -1 - cut])
        found = read_register(three)
        assert len(found.lines) == 2
        assert found.torn
        assert "was not written to its end" in str(register_problem(three))
        with pytest.raises(InputError, match="verify"):
            append_line(three, {})
        assert three.read_bytes() == whole[: -1 - cut]
        assert repair(three).torn == found.torn
        assert three.read_bytes() == b"".join(before[:2])
        assert register_problem(three) is None
    three.write_bytes(whole[:-1])  # only the line break is missing
    append_line(three, {"number": 3})
    assert rows_at_fault(three) == []
    assert len(read_register(three).lines) == 4


def test_a_full_disk_leaves_the_register_as_it_was(three, tmp_path, monkeypatch):
    real = os.write

    def full(handle, data):
        if len(data) < 60:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, data[: len(data) // 2])

    monkeypatch.setattr(module.os, "write", full)
    whole = three.read_bytes()
    with pytest.raises(InputError, match="No space left"):
        append_line(three, {"number": 3})
    with pytest.raises(InputError, match="No space left"):
        append_line(tmp_path / "new.jsonl", {"number": 3})
    assert three.read_bytes() == whole
    assert not (tmp_path / "new.jsonl").exists()


def test_those_who_append_together_wait_for_each_other(tmp_path):
    path = tmp_path / "forecasts.jsonl"
    threads = [
        threading.Thread(target=lambda: [append_line(path, {"n": n}) for n in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read_register(path)
    assert (len(found.lines), found.faults, found.torn) == (40, (), b"")


@pytest.mark.parametrize(
    "garbage",
    [
        b"params,tokens\n1,2\n",
        b"\x00\xff" * 50,
        b"{}",
        b"[" * 5000 + b"\n",
        b"\n",
        b'{"rows": 1}\n',
    ],
)
def test_another_file_is_no_register(tmp_path, garbage):
    path = tmp_path / "runs.csv"
    path.write_bytes(garbage)
    for call in (lambda: append_line(path, {}), lambda: read_register(path), lambda: repair(path)):
        with pytest.raises(InputError, match="is not a register"):
            call()
    assert path.read_bytes() == garbage
    assert "is not a register" in str(register_problem(path))


def test_what_cannot_be_a_register_is_told(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for name in (".", "none/f.jsonl", "pipe", "x" * 300, "a\0b"):
        with pytest.raises(InputError):
            append_line(tmp_path / name, {})
        with pytest.raises(InputError):
            read_register(tmp_path / name)
    monkeypatch.setattr(module, "LONGEST", 300)
    with pytest.raises(InputError, match="would be longer"):
        append_line(tmp_path / "new.jsonl", {"name": "x" * 300})
    (tmp_path / "long.jsonl").write_bytes(b'{"register": 1' + b" " * 400 + b"\n")
    with pytest.raises(InputError, match="is longer than"):
        read_register(tmp_path / "long.jsonl")
