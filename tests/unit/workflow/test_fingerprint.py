"""A shard's fingerprint follows its own videos and nothing else."""

import os
import random
import re
from array import array
from collections import Counter
from itertools import pairwise

import datasets
import pytest
from recipes import GUIDE

from tsf.data.listing import Dataset, list_videos, shard_of
from tsf.data.manifest import write_manifest
from tsf.errors import UserError
from tsf.workflow import fingerprint
from tsf.workflow.fingerprint import auto_shards, listing_digest

BIN_BYTES = 14_450_688  # of the guide's float32
SHARDS = 4
NAMES = [f"video{n}_000000_000010" for n in range(20)]
HEADER = "label,youtube_id,time_start,time_end,split\n"


def write_csv(root, numbers, label="yoga"):
    text = "".join(f"{label},video{n},0,10,val\n" for n in numbers)
    (root / "annotations/val.csv").write_text(HEADER + text)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "k400"
    (root / "annotations").mkdir(parents=True)
    (root / "val").mkdir()
    write_csv(root, range(20))
    for name in NAMES[:19]:  # the last is listed and missing
        (root / f"val/{name}.mp4").write_bytes(b"video")
    return root


def forget():
    """Forget the dataset, as a new run has not read it yet."""
    fingerprint.listed_videos.cache_clear()
    fingerprint._read_shards.cache_clear()


def read(root, number=SHARDS, layout="kinetics"):
    return fingerprint.shards(Dataset(layout, root), number, GUIDE.sampling)


def refuse_large(root, number, disk_mb, bin_bytes=BIN_BYTES):
    dataset = Dataset("kinetics", root)
    fingerprint.refuse_large_shards(dataset, number, GUIDE.sampling, disk_mb, bin_bytes)


def fingerprints(root, layout="kinetics"):
    forget()
    return [shard.fingerprint for shard in read(root, layout=layout)]


def changed(before, after):
    return {n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old != new}


def test_every_shard_has_videos(root):
    """So that the tests below can fail."""
    forget()
    counts = [shard.videos for shard in read(root)]
    assert sum(counts) == 20 and min(counts) > 0


def test_a_replaced_video_changes_its_shard(root):
    before = fingerprints(root)
    path = root / f"val/{NAMES[3]}.mp4"
    path.write_bytes(b"another")
    assert changed(before, fingerprints(root)) == {shard_of(NAMES[3], SHARDS)}


def test_a_video_of_the_same_size_and_another_time_changes_its_shard(root):
    before = fingerprints(root)
    path = root / f"val/{NAMES[3]}.mp4"
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))
    assert changed(before, fingerprints(root)) == {shard_of(NAMES[3], SHARDS)}


def test_a_removed_and_an_arriving_video_change_their_shards(root):
    before = fingerprints(root)
    (root / f"val/{NAMES[5]}.mp4").unlink()
    assert changed(before, fingerprints(root)) == {shard_of(NAMES[5], SHARDS)}
    (root / f"val/{NAMES[19]}.mp4").write_bytes(b"video")
    expected = {shard_of(NAMES[5], SHARDS), shard_of(NAMES[19], SHARDS)}
    assert changed(before, fingerprints(root)) == expected


def test_an_added_and_a_removed_row_change_their_shard(root):
    before = fingerprints(root)
    write_csv(root, range(21))
    assert changed(before, fingerprints(root)) == {shard_of("video20_000000_000010", SHARDS)}
    write_csv(root, range(19))
    assert changed(before, fingerprints(root)) == {shard_of(NAMES[19], SHARDS)}


def test_labels_order_and_unlisted_files_change_nothing(root):
    before = fingerprints(root)
    write_csv(root, reversed(range(20)), label="swimming")
    (root / "val/unlisted.mp4").write_bytes(b"video")
    assert fingerprints(root) == before


def test_a_video_of_two_rows_counts_once(root):
    """Even with two labels: the video has one .bin file."""
    before = fingerprints(root)
    with open(root / "annotations/val.csv", "a") as file:
        file.write("yoga,video3,0,10,val\nswimming,video3,0,10,val\n")
    assert fingerprints(root) == before
    assert sum(shard.videos for shard in read(root)) == 20


def test_a_generated_dataset_looks_the_same_before_and_after(root, tmp_path):
    before = fingerprints(tmp_path / "not made yet")
    write_manifest(root, list_videos(Dataset("kinetics", root)))
    assert fingerprints(root) == before
    # and is followed from then on
    (root / f"val/{NAMES[3]}.mp4").write_bytes(b"another")
    assert changed(before, fingerprints(root)) == {shard_of(NAMES[3], SHARDS)}
    (root / f"val/{NAMES[19]}.mp4").write_bytes(b"video")
    expected = {shard_of(NAMES[3], SHARDS), shard_of(NAMES[19], SHARDS)}
    assert changed(before, fingerprints(root)) == expected


def test_a_folder_tree_is_followed_too(root):
    before, listing = fingerprints(root, "folder"), listing_digest(Dataset("folder", root))
    (root / "val/a b.mp4").write_bytes(b"video")
    assert len(changed(before, fingerprints(root, "folder"))) == 1
    assert listing_digest(Dataset("folder", root)) != listing


def test_an_archive_changes_the_shards_of_its_videos_alone(root):
    files = {name: root / f"val/{name}.mp4" for name in NAMES[:19]}

    def pack(archive, names, content):
        for name in names:
            files[name].write_bytes(content)
        datasets.pack(root / archive, {f"{name}.mp4": files[name] for name in names})

    pack("part_0.tar", NAMES[:2], b"video")
    pack("part_1.tar", NAMES[2:19], b"video")
    before, shards = fingerprints(root, "tar"), {shard_of(name, SHARDS) for name in NAMES[:2]}
    assert len(shards) < SHARDS and fingerprints(root, "tar") == before
    pack("part_0.tar", NAMES[:2], b"other")  # of the same size
    assert changed(before, fingerprints(root, "tar")) == shards
    before = fingerprints(root, "tar")
    os.utime(root / "part_0.tar", ns=(0, 1))  # touched, as a file
    assert changed(before, fingerprints(root, "tar")) == shards
    (root / "part_0.tar").rename(root / "val/part_0.tar")
    assert changed(before, fingerprints(root, "tar")) == shards
    (root / "val/part_0.tar").unlink()
    assert changed(before, fingerprints(root, "tar")) == shards


@pytest.mark.parametrize("disk_mb, fits", [(60, 4), (30, 2), (15, 1)])
def test_a_shard_over_the_cap_is_refused_with_a_number_that_works(root, disk_mb, fits):
    with pytest.raises(UserError, match=r"set shards to (\d+)") as refusal:
        refuse_large(root, SHARDS, disk_mb)
    number = int(re.search(r"set shards to (\d+)", str(refusal.value))[1])
    videos = [shard.videos for shard in read(root, number)]
    assert sum(videos) == 20 and max(videos) <= fits
    refuse_large(root, number, disk_mb)


def test_smaller_files_fit_in_larger_shards(root):
    largest = max(shard.videos for shard in read(root))
    with pytest.raises(UserError, match=rf"{largest} videos takes {15 * largest} MB"):
        refuse_large(root, SHARDS, 4 * largest, 15_000_000)
    refuse_large(root, SHARDS, 4 * largest, 4_000_000)


def test_a_cap_below_one_video_can_only_be_raised(root):
    with pytest.raises(UserError) as refusal:
        refuse_large(root, SHARDS, 14)
    assert "set shards" not in str(refusal.value)
    raised = int(re.search(r"--resources disk_mb=(\d+)", str(refusal.value))[1])
    refuse_large(root, SHARDS, raised)
    with pytest.raises(UserError):
        refuse_large(root, SHARDS, raised - 1)


# ---- shards: auto ----

HASHES = array("I", random.Random(0).randbytes(4 * 10_000_000))  # of so many names


@pytest.mark.parametrize(
    ("videos", "float32", "uint8"),
    [
        (0, 1, 1),
        (19, 1, 1),
        (40, 4, 4),
        (400, 16, 16),
        (20_000, 128, 32),
        (650_000, 4_096, 1_024),
        (10_000_000, 65_536, 16_384),
    ],
)
def test_auto(videos, float32, uint8):
    """At most 4,000 MB a shard: 276 videos in float32, 1,107 in uint8; half so many do not do."""
    for number, size in ((float32, BIN_BYTES), (uint8, BIN_BYTES // 4)):
        assert auto_shards(HASHES[:videos], size) == number
        if 16 < number < 10_000:
            largest = max(Counter(value % number for value in HASHES[:videos]).values())
            assert largest * size <= 4_000_000_000 < 2 * videos * size / number * 1.4


def test_auto_changes_when_the_videos_have_about_doubled():
    found = {n: auto_shards(HASHES[:n], BIN_BYTES) for n in range(3_000, 60_000, 500)}
    assert list(found.values()) == sorted(found.values()) and min(found.values()) == 16
    changes = [n for (_, before), (n, now) in pairwise(found.items()) if now != before]
    assert len(changes) >= 4
    assert all(1.6 < after / before < 2.5 for before, after in pairwise(changes)), changes


def test_auto_of_videos_that_no_shard_holds_ends():
    """Each .bin file of 5,000 MB; the cap refuses them."""
    assert auto_shards(HASHES[:100], 5_000_000_000) >= 100
    assert auto_shards([7, 7, 7], 5_000_000_000) == 65_536


def test_auto_counts_the_list(root):
    forget()
    dataset = Dataset("kinetics", root)
    assert fingerprint.number_of_shards(dataset, BIN_BYTES, made=False) == 2  # of 20 videos
    # a made one is not there at the first planning, and has as many shards afterwards
    assert fingerprint.number_of_shards(dataset, BIN_BYTES, made=True) == 4
    forget()
    with open(root / "annotations/val.csv", "a") as file:
        file.write("yoga,video3,0,10,val\n" * 30)  # rows of one video
    assert fingerprint.number_of_shards(dataset, BIN_BYTES, made=False) == 2
    forget()
    (root / "annotations/val.csv").write_text("no,csv")
    assert fingerprint.number_of_shards(dataset, BIN_BYTES, made=False) == 4  # told by its readers


# ---- raw frames that exist already ----

NEEDED = [f"img_{number:05d}.jpg" for number in range(23, 300, 32)][:8]  # of GUIDE and 300 frames


@pytest.fixture
def frames(tmp_path):
    """A dataset of twenty folders of raw frames, which hold no more than the clips read."""
    (tmp_path / "list.txt").write_text("".join(f"v{n} 300 0\n" for n in range(20)))
    for n in range(20):
        (tmp_path / f"v{n}").mkdir()
        for name in NEEDED:
            (tmp_path / f"v{n}" / name).write_bytes(b"frame")
    return Dataset("list", tmp_path, tmp_path / "list.txt")


def of_frames(dataset):
    forget()
    return [s.fingerprint for s in fingerprint.shards(dataset, SHARDS, GUIDE.sampling)]


def shard_of_folder(dataset, path):
    (name,) = (video.name for video in list_videos(dataset) if video.path == path)
    return shard_of(name, SHARDS)


def test_a_changed_frame_changes_its_shard(frames):
    before = of_frames(frames)
    (frames.root / "v3" / NEEDED[7]).write_bytes(b"another")
    assert changed(before, of_frames(frames)) == {shard_of_folder(frames, "v3")}


def test_a_missing_frame_and_a_missing_folder_change_their_shards(frames):
    before = of_frames(frames)
    (frames.root / "v3" / NEEDED[0]).unlink()
    (frames.root / "v5").rename(frames.root / "elsewhere")
    expected = {shard_of_folder(frames, "v3"), shard_of_folder(frames, "v5")}
    assert changed(before, of_frames(frames)) == expected


def test_another_count_changes_its_shard(frames):
    """It may pick the same frames: 299 does, as (299 - 256 + 1) / 2 is 22 too."""
    before = of_frames(frames)
    text = frames.list.read_text()
    frames.list.write_text(text.replace("v3 300", "v3 299"))
    assert changed(before, of_frames(frames)) == {shard_of_folder(frames, "v3")}


def test_a_frame_that_no_clip_reads_and_a_label_change_nothing(frames):
    before = of_frames(frames)
    (frames.root / "v3/img_00001.jpg").write_bytes(b"frame")
    frames.list.write_text(frames.list.read_text().replace("v3 300 0", "v3 300 1"))
    assert of_frames(frames) == before


def test_of_a_folder_of_two_rows_the_first_counts(frames):
    before = of_frames(frames)
    frames.list.write_text(frames.list.read_text() + "v3 200 0\n")
    assert of_frames(frames) == before


def test_a_folder_of_no_frames_is_no_fault_yet(frames):
    frames.list.write_text("v3 0 0\n")
    forget()
    found = fingerprint.shards(frames, SHARDS, GUIDE.sampling)
    assert sum(shard.videos for shard in found) == 1
