"""mmaction2's annotation files: every form of line, and what is refused in one line."""

import pytest

from tsf.data.annotation_file import Row, read_annotation_file
from tsf.data.listing import Dataset, RawFrames, list_videos
from tsf.errors import UserError


@pytest.fixture
def write(tmp_path):
    def write(text, name="list.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize(
    "line, row",
    [
        ("some/path/000.mp4 1", Row("some/path/000.mp4", None, 1)),
        ("a.mp4 -1", Row("a.mp4", None, None)),
        ("a.mp4", Row("a.mp4", None, None)),
        ("a.mp4\t007", Row("a.mp4", None, 7)),
        ("  a.mp4   3  \r", Row("a.mp4", None, 3)),
        ("/data/a.mp4 3", Row("/data/a.mp4", None, 3)),
        ("my videos/take 2.mp4 3", Row("my videos/take 2.mp4", None, 3)),
        ("my videos/take 2.mp4", Row("my videos/take 2.mp4", None, None)),
        ("my  video.mp4 3", Row("my  video.mp4", None, 3)),
        ("视频/滑雪.mp4 3", Row("视频/滑雪.mp4", None, 3)),
        ("no_suffix", Row("no_suffix", None, None)),
        ("12 3", Row("12", None, 3)),
        ("some/directory-1 163 1", Row("some/directory-1", 163, 1)),
        ("directory 163 -1", Row("directory", 163, None)),
        ("my folder 163 0", Row("my folder", 163, 0)),
        ("empty 0 1", Row("empty", 0, 1)),
        ("\ufeffa.mp4 1", Row("a.mp4", None, 1)),
    ],
)
def test_a_line_of_every_form(write, line, row):
    assert read_annotation_file(write(line + "\n")) == [row]


@pytest.mark.parametrize(
    "line, words",
    [
        ("a.mp4 yoga", "expected PATH LABEL or FOLDER FRAMES LABEL, found 'a.mp4 yoga'"),
        ("a.mp4 1.0", "expected PATH LABEL or FOLDER FRAMES LABEL, found 'a.mp4 1.0'"),
        ("a.mp4,3 b", "expected PATH LABEL or FOLDER FRAMES LABEL, found 'a.mp4,3 b'"),
        ("a.mp4 -2", "label -2 in 'a.mp4 -2'; a video without a label has -1"),
        ("folder 163 -2", "label -2 in "),
        ("folder -163 2", "-163 frames in "),
        # an offset, or two labels
        ("folder 12 163 3", "3 numbers in 'folder 12 163 3': several labels (multi_class) and an "),
        ("folder 163 1 3 5", "4 numbers in "),
        ("a\tb.mp4 3", "a tab, a carriage return or a zero byte within 'a\\tb.mp4'"),
        ("a\rb.mp4 3", "a tab, a carriage return or a zero byte within 'a\\rb.mp4'"),
        ("a\0b.mp4 3", "a tab, a carriage return or a zero byte within 'a\\x00b.mp4'"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(write, line, words):
    path = write(f"good.mp4 1\n\n{line}\n")
    with pytest.raises(UserError) as fault:
        read_annotation_file(path)
    assert str(fault.value).startswith(f"{path}, line 3: {words}") and "\n" not in str(fault.value)


@pytest.mark.parametrize(
    "text, words",
    [
        ("\na.mp4 1\nfolder 163 1\n", "expected PATH LABEL as in line 2, found 'folder 163 1'"),
        ("\nfolder 163 1\na.mp4 1\n", "expected FOLDER FRAMES LABEL as in line 2, found 'a.mp4 1'"),
        # what mmaction2 refuses, too
        ("\nfolder 163 1\nother 7\n", "expected FOLDER FRAMES LABEL as in line 2, found 'other 7'"),
    ],
)
def test_two_forms_in_one_file_are_refused(write, text, words):
    path = write(text)
    with pytest.raises(UserError) as fault:
        read_annotation_file(path)
    assert str(fault.value) == f"{path}, line 3: {words}"


@pytest.mark.parametrize(
    "text, name, words",
    [
        ("", "list.txt", "lists no video"),
        ("\n \n", "list.txt", "lists no video"),
        ("[]", "list.json", "a list in JSON is not implemented"),
        (b"\xff\xfe\x00", "list.txt", "not a UTF-8 text file"),
    ],
)
def test_a_file_that_is_no_list_is_refused(write, text, name, words):
    path = write(text, name)
    with pytest.raises(UserError) as fault:
        read_annotation_file(path)
    assert str(fault.value).startswith(f"{path}: {words}") and "\n" not in str(fault.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no such annotation file; check dataset\.list"):
        read_annotation_file(tmp_path / "list.txt")


def test_the_order_is_the_lists_and_the_names_are_those_of_the_paths(write, tmp_path):
    text = "b/x.mp4 3\na/x.mp4 -1\nb/x.mp4 4\na x.mp4\n"
    videos = list_videos(Dataset("list", tmp_path, write(text)))
    assert [(v.path, v.label, v.rawframes) for v in videos] == [
        ("b/x.mp4", "3", None),
        ("a/x.mp4", "", None),
        ("b/x.mp4", "4", None),
        ("a x.mp4", "", None),
    ]
    names = [video.name for video in videos]
    assert names[0] == names[2] and len(set(names)) == 3  # the third is a duplicate row
    assert all(name.isascii() and " " not in name for name in names)


def test_raw_frames_have_the_files_that_the_config_says(write, tmp_path):
    text = "some/folder 163 3\n"
    (video,) = list_videos(Dataset("list", tmp_path, write(text), "frame_{:04d}.png", 0))
    assert video.rawframes == RawFrames(163, "frame_{:04d}.png", 0)
    assert video.rawframes.file_name(1) == "frame_0000.png"
    (video,) = list_videos(Dataset("list", tmp_path, write(text)))  # mmaction2's defaults
    assert video.rawframes.file_name(1) == "img_00001.jpg"
