"""Files and folders appear whole or not at all."""

import hashlib
import os
import signal
import subprocess
import sys

import pytest

from tsf import files
from tsf.errors import UserError


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new/folder/x.onnx"
    with files.whole_file(path) as part:
        part.write_text("half")
        assert not path.exists()
        assert part.suffix == ".onnx"  # writers choose the format by it
    assert path.read_text() == "half"
    assert os.listdir(path.parent) == ["x.onnx"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "x.txt").write_text("old")
    with pytest.raises(RuntimeError), files.whole_file(tmp_path / "x.txt") as part:
        part.write_text("new")
        raise RuntimeError
    assert (tmp_path / "x.txt").read_text() == "old" and os.listdir(tmp_path) == ["x.txt"]


def test_a_folder_replaces_the_old_one(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/stale").write_text("")
    with files.whole_folder(tmp_path / "out") as part:
        (part / "fresh").write_text("")
    assert os.listdir(tmp_path) == ["out"] and os.listdir(tmp_path / "out") == ["fresh"]


def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/kept").write_text("")
    with pytest.raises(RuntimeError), files.whole_folder(tmp_path / "out") as part:
        (part / "fresh").write_text("")
        raise RuntimeError
    assert os.listdir(tmp_path) == ["out"] and os.listdir(tmp_path / "out") == ["kept"]


def test_what_a_killed_process_left_is_not_taken_over(tmp_path):
    script = (
        "import os, signal; from pathlib import Path; from tsf import files\n"
        "with files.whole_folder(Path('out')) as part:\n"
        "    (part / 'half').write_text('')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(files.__file__).rsplit("/tsf/", 1)[0]}
    killed = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment)
    assert killed.returncode == -signal.SIGKILL and not (tmp_path / "out").exists()
    with files.whole_folder(tmp_path / "out") as part:
        (part / "fresh").write_text("")
    assert os.listdir(tmp_path) == ["out"] and os.listdir(tmp_path / "out") == ["fresh"]


def test_text_is_utf_8_and_the_digest_is_sha256(tmp_path):
    files.write_text(tmp_path / "x", "精度\n")
    assert (tmp_path / "x").read_bytes() == "精度\n".encode()
    assert files.sha256(tmp_path / "x") == hashlib.sha256("精度\n".encode()).hexdigest()


@pytest.mark.parametrize(
    "content", [b"", b'{"a": 1', b"\xca\xfd", b"[1]", b"null", b"[" * 100_000, bytes(64)]
)
def test_a_json_file_that_is_cut_or_overwritten_is_one_line(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError) as fault:
        files.read_json(tmp_path / "a.json")
    message = str(fault.value)
    assert message.startswith(f"{tmp_path / 'a.json'}: ") and "\n" not in message
    assert message.endswith("; delete it and run again")
