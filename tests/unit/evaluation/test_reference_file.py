"""The file of the reference: read as it was written, and refused in one line if it is not whole."""

import numpy as np
import pytest

from tsf.errors import UserError
from tsf.evaluation.reference_file import Reference, read_reference, write_reference


@pytest.fixture
def file(tmp_path):
    clips = np.arange(24, dtype=np.float32).reshape(1, 1, 3, 2, 2, 2)
    reference = Reference(["a"], clips, None, np.ones((1, 4), np.float32))
    write_reference(tmp_path / "reference.npz", reference)
    return tmp_path / "reference.npz"


def test_it_is_read_as_written(file):
    found = read_reference(file)
    assert found.names == ["a"] and found.uint8_clips is None
    assert found.clips.tolist() == np.arange(24).reshape(1, 1, 3, 2, 2, 2).tolist()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: b"text",
        lambda content: content[:100],
        lambda content: content[:-1],
        lambda content: content[:150] + bytes([content[150] ^ 1]) + content[151:],
    ],
)
def test_a_file_that_is_not_whole_is_one_line(file, spoil):
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(UserError) as fault:
        read_reference(file)
    assert str(fault.value).startswith(f"{file}: not a whole .npz file (")
    assert "\n" not in str(fault.value)
