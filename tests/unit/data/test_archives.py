"""Where the files lie in tar archives, of every kind that tar programs write."""

import io
import os
import subprocess
import tarfile

import datasets
import pytest

from tsf.data import archives
from tsf.data.archives import find_archives, members, scan
from tsf.errors import UserError

NAME = "abcdefghijk_000000_000010.mp4"


def add(tar, name, content=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(content))


def content_of(archive, member):
    with open(archive, "rb") as file:
        file.seek(member.offset)
        return file.read(member.size)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_every_file_is_found_with_its_bytes(tmp_path, form):
    files = {
        NAME: b"at the root",
        f"./a/b/c/{NAME}": b"x" * 1000,
        f"{'long/' * 60}{NAME}": b"a name of more than 255 bytes",
        f"视频/{NAME}": b"in another script",
        "empty.mp4": b"",
    }
    archive = tmp_path / "part_0.tar"
    with tarfile.open(archive, "w", format=form) as tar:
        add(tar, "a", type=tarfile.DIRTYPE)
        for name, content in files.items():
            add(tar, name, content)
    found = scan(archive)
    assert {m.path: content_of(archive, m) for m in found} == {
        name.removeprefix("./"): content for name, content in files.items()
    }
    assert not any(m.fault for m in found)
    assert [m.name for m in found] == [NAME] * 4 + ["empty.mp4"]


def test_what_gnu_tar_packs(tmp_path):
    """Links, a sparse file, a name in GBK: none stops the others."""
    folder = tmp_path / "val"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"first")
    os.link(folder / "a.mp4", folder / "b.mp4")
    (folder / "c.mp4").symlink_to("a.mp4")
    with open(folder / "d.mp4", "wb") as file:
        file.truncate(1 << 20)
        file.seek(1 << 19)
        file.write(b"in the middle")
    os.mkfifo(folder / "e.mp4")
    name = os.path.join(os.fsencode(folder), "视频.mp4".encode("gbk"))
    with open(name, "wb") as file:
        file.write(b"last")
    archive = tmp_path / "part_0.tar"
    command = ["tar", "--sparse", "--sort=name", "-cf", archive, "-C", tmp_path, "./val"]
    subprocess.run(command, check=True)

    found = {m.path: m for m in scan(archive)}
    assert content_of(archive, found["val/a.mp4"]) == b"first"
    assert content_of(archive, found["val/b.mp4"]) == b"first"  # a hard link to a.mp4
    assert found["val/b.mp4"].fault == ""
    assert found["val/c.mp4"].fault == "a symbolic link in an archive, to a.mp4"
    assert found["val/d.mp4"].fault.startswith("a sparse file in an archive")
    assert found["val/e.mp4"].fault == "not a file"
    (odd,) = (m for path, m in found.items() if "\\udc" in path)
    assert content_of(archive, odd) == b"last"


def test_of_a_path_that_is_there_twice_the_last_counts_as_for_tar(tmp_path):
    archive = tmp_path / "part_0.tar"
    for mode, content in (("w", b"old"), ("a", b"newer")):
        with tarfile.open(archive, mode) as tar:
            add(tar, NAME, content)
    (member,) = scan(archive)
    assert content_of(archive, member) == b"newer"


def test_an_archive_that_is_cut_anywhere_is_refused(tmp_path):
    whole = tmp_path / "part_0.tar"
    with tarfile.open(whole, "w") as tar:
        for number in range(2):
            add(tar, f"{number}.mp4", b"x" * 700)
    data, end = whole.read_bytes(), 2 * (512 + 1024)
    cut = tmp_path / "cut.tar"
    for length in range(end + 512):
        cut.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"cut\.tar: .*cut short.*(copy it again|missing)"):
            scan(cut)
    cut.write_bytes(data[: end + 512])  # one block of zeros is an end
    assert len(scan(cut)) == 2


def test_a_damaged_header_is_refused_and_loses_nothing_in_silence(tmp_path):
    archive = tmp_path / "part_0.tar"
    with tarfile.open(archive, "w") as tar:
        for number in range(3):
            add(tar, f"{number}.mp4", b"x" * 700)
    data = bytearray(archive.read_bytes())
    data[1536] ^= 1
    archive.write_bytes(data)
    with pytest.raises(UserError, match="damaged or cut short at byte 1536 of 10240"):
        scan(archive)
    data[1536:2048] = bytes(512)  # as an end mark, with more behind it
    archive.write_bytes(data)
    with pytest.raises(UserError, match="goes on behind the end mark at byte 1536"):
        scan(archive)


def test_an_archive_whose_end_has_not_arrived_is_refused(tmp_path):
    """Its disk is reserved first, as aria2 and rsync --preallocate do, so the length is right."""
    whole = tmp_path / "part_0.tar"
    with tarfile.open(whole, "w") as tar:
        for number in range(2):
            add(tar, f"{number}.mp4", b"x" * 20_000)
    size = whole.stat().st_size
    assert len(scan(whole)) == 2
    for arrived in (5000, 512 + 20_000, 512 + 20_480):
        os.truncate(whole, arrived)
        os.truncate(whole, size)
        with pytest.raises(UserError, match=r"goes on behind the end mark at byte 20992 of 51200"):
            scan(whole)


def test_what_tar_joins_and_pads_is_found_or_refused(tmp_path):
    """Archives of records of 4 MiB: the second one begins where nothing would be looked for."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode() * 100)
        for blocks in (20, 8192):
            command = ["tar", "-b", str(blocks), "-cf", f"{name}{blocks}.tar", name]
            subprocess.run(command, cwd=tmp_path, check=True)
    assert len(scan(tmp_path / "a20.tar")) == 1
    for blocks in (20, 8192):
        joined = tmp_path / f"a{blocks}.tar"
        joined.write_bytes(joined.read_bytes() + (tmp_path / f"b{blocks}.tar").read_bytes())
        with pytest.raises(UserError, match=r"behind the end mark at byte 1024 .*cat.*tar -b"):
            scan(joined)


def test_a_size_that_no_file_has_is_a_fault_of_that_archive(tmp_path):
    """A seek to there fails with the system's own error, which names no file."""
    archive = tmp_path / "part_0.tar"
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        add(tar, NAME, b"content", pax_headers={"size": "9" * 18})
        add(tar, "b.mp4", b"content")
    with pytest.raises(UserError, match=r"part_0\.tar: .*damaged.*copy it again"):
        scan(archive)


def test_no_tar_and_compressed_ones_are_named(tmp_path):
    (tmp_path / "part_0.tar").write_text("<html>not found</html>" * 100)
    with pytest.raises(UserError, match=r"part_0\.tar: no tar archive"):
        scan(tmp_path / "part_0.tar")
    datasets.pack(tmp_path / "zipped", {"a": tmp_path / "part_0.tar"}).rename(tmp_path / "a")
    with tarfile.open(tmp_path / "part_0.tar", "w:gz") as tar:
        tar.add(tmp_path / "a", "a")
    with pytest.raises(UserError, match=r"compressed; rename it to part_0\.tar\.gz and gunzip it"):
        scan(tmp_path / "part_0.tar")
    (tmp_path / "part_0.tar").rename(tmp_path / "part_0.tar.gz")
    with pytest.raises(UserError, match=r"part_0\.tar\.gz: compressed.*gunzip"):
        find_archives(tmp_path)
    (tmp_path / "part_0.tar").touch()  # decompressed beside it, by gunzip --keep
    assert find_archives(tmp_path) == ["part_0.tar"]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *((f"b.{end}", "compressed.*decompress it to b.tar") for end in ("tbz2", "txz", "tzst")),
        *((f"b.tar.{end}", "compressed.*decompress it to b.tar") for end in ("lz4", "Z", "lzma")),
        *((f"a.tar.{end}", "download that is not finished") for end in ("part", "aria2")),
        *((f"b.tar.gz.{end}", "download that is not finished") for end in ("part", "aria2")),
    ],
)
def test_an_archive_that_cannot_be_read_yet_is_not_passed_over(name, fault, tmp_path):
    datasets.pack(tmp_path / "a.tar", {})
    for beside in ("a.tar.md5", "a.tar.txt", "star.part"):
        (tmp_path / beside).touch()
    assert find_archives(tmp_path) == ["a.tar"]
    (tmp_path / name).touch()
    with pytest.raises(UserError, match=f"{name}: .*{fault}"):
        find_archives(tmp_path)


def test_archives_are_found_in_the_root_and_in_val_alone(tmp_path):
    with pytest.raises(
        UserError, match=r"no \.tar archive there, nor in .*val; check dataset.root"
    ):
        members(tmp_path)
    for name in ("part_0.tar", "val/part_1.TAR", "train/part_2.tar", "val/deep/part_3.tar"):
        datasets.pack(tmp_path / name, {})
    assert find_archives(tmp_path) == ["part_0.tar", "val/part_1.TAR"]
    (tmp_path / "val/gone.tar").symlink_to("nowhere")
    with pytest.raises(UserError, match=r"gone\.tar: not a file"):
        find_archives(tmp_path)


def test_an_archive_is_scanned_again_only_when_it_changes(tmp_path, monkeypatch):
    scanned = []
    monkeypatch.setattr(archives, "scan", lambda path: scanned.append(path.name) or scan(path))
    root, cache = tmp_path / "k400", tmp_path / "results/archives"
    file = tmp_path / "file"
    file.write_bytes(b"content")
    for number in range(2):
        datasets.pack(root / f"part_{number}.tar", {f"{number}\t.mp4": file, "b": file})
    datasets.pack(root / "part_2.tar", {})  # nothing in it is an answer too
    first = members(root, cache)
    assert [m.place for m in first] == [
        *("part_0.tar/0\\t.mp4", "part_0.tar/b"),
        *("part_1.tar/1\\t.mp4", "part_1.tar/b"),
    ]
    assert members(root, cache) == first == members(root)
    assert scanned == ["part_0.tar", "part_1.tar", "part_2.tar"] * 2  # the last without a cache

    scanned.clear()
    status = (root / "part_0.tar").stat()
    datasets.pack(root / "part_0.tar", {"c.mp4": file, "d": file})  # of the same size
    os.utime(root / "part_0.tar", ns=(0, status.st_mtime_ns + 1))
    assert (root / "part_0.tar").stat().st_size == status.st_size
    assert [m.path for m in members(root, cache)] == ["c.mp4", "d", "1\\t.mp4", "b"]
    assert scanned == ["part_0.tar"]

    scanned.clear()
    (cut,) = (p for p in cache.glob("*.tsv") if "part_1.tar" in p.read_text())
    cut.write_bytes(cut.read_bytes()[:-9])
    assert [m.path for m in members(root, cache)] == ["c.mp4", "d", "1\\t.mp4", "b"]
    assert scanned == ["part_1.tar"]

    scanned.clear()
    monkeypatch.setattr(archives, "CODE", "another")  # of another version, which may refuse one
    members(root, cache)
    assert scanned == ["part_0.tar", "part_1.tar", "part_2.tar"]
