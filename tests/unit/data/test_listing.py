"""Which videos are listed, in either layout, and which shard each belongs to."""

import datasets
import pytest

from tsf.data import listing
from tsf.data.listing import Dataset, ListedVideo
from tsf.errors import UserError

HEADER = "label,youtube_id,time_start,time_end,split\n"


def listed(*names):
    return [ListedVideo(name, f"val/{name}.mp4", "yoga") for name in names]


def test_shards_are_pinned():
    """Another hash would move every video of an existing results folder."""
    names = ["a_000000_000010", "ZZ-_00000000_000010_000020", "abcdefghijk_000100_000110"]
    assert [listing.shard_of(name, 64) for name in names] == [61, 5, 39]
    assert [listing.shard_of(name, 4) for name in names] == [1, 1, 3]


def test_every_video_is_in_one_shard_in_the_lists_order():
    videos = listed(*(f"v{n}" for n in (3, 1, 2, 1, 9, 8, 7, 6, 5, 4)))
    shards = [listing.in_shard(videos, shard, 3) for shard in range(3)]
    distinct = list(dict.fromkeys(videos))
    assert sorted(v.name for shard in shards for v in shard) == sorted(v.name for v in distinct)
    assert all(shard == [video for video in distinct if video in shard] for shard in shards)


def test_names_are_spread_over_the_shards():
    videos = listed(*(f"video{n:06d}_000000_000010" for n in range(6400)))
    sizes = [len(listing.in_shard(videos, shard, 64)) for shard in range(64)]
    assert min(sizes) > 50 and max(sizes) < 150


def test_the_list_comes_back(tmp_path):
    videos = [
        ListedVideo("a", "val/a.mp4", "playing_guitar"),
        ListedVideo("b", "sub folder/b.mov", ""),
    ]
    listing.write_list(tmp_path / "list.tsv", videos)
    assert listing.read_list(tmp_path / "list.tsv") == videos


def test_the_kinetics_layout(tmp_path):
    (tmp_path / "annotations").mkdir()
    text = HEADER + "playing guitar,a,3,13,val\nyoga,b,0,10,val\n"
    (tmp_path / "annotations/val.csv").write_text(text)
    assert listing.list_videos(Dataset("kinetics", tmp_path)) == [
        ListedVideo("a_000003_000013", "val/a_000003_000013.mp4", "playing_guitar"),
        ListedVideo("b_000000_000010", "val/b_000000_000010.mp4", "yoga"),
    ]


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_the_folder_layout_takes_the_class_from_the_sub_folder(tmp_path):
    touch(tmp_path, "b.MOV", "playing guitar/a.mp4", "playing guitar/notes.txt", "x/y/c.webm")
    found = listing.list_videos(Dataset("folder", tmp_path))
    assert [(video.path, video.label) for video in found] == [
        ("b.MOV", ""),
        ("playing guitar/a.mp4", "playing_guitar"),
        ("x/y/c.webm", "y"),
    ]


def test_folder_names_are_safe_and_unique(tmp_path):
    touch(
        tmp_path, "a/x.mp4", "a/x.mov", "b/x.mp4", "a x.mp4", "a_x.mp4", "\u89c6\u9891/\u4e00.mp4"
    )
    names = [video.name for video in listing.list_videos(Dataset("folder", tmp_path))]
    assert len(set(names)) == 6
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in names)
    assert all(name.isascii() for name in names)
    # the name is that of the path: another file beside it changes none
    touch(tmp_path, "0.mp4")
    assert set(names) < {video.name for video in listing.list_videos(Dataset("folder", tmp_path))}


def test_a_folder_without_videos_is_an_error(tmp_path):
    touch(tmp_path, "notes.txt")
    with pytest.raises(UserError, match="holds no video"):
        listing.list_videos(Dataset("folder", tmp_path))
    with pytest.raises(UserError, match="no such folder"):
        listing.list_videos(Dataset("folder", tmp_path / "elsewhere"))


def test_a_name_that_would_break_the_tables_is_refused(tmp_path):
    touch(tmp_path, "a\tb.mp4")
    with pytest.raises(UserError, match="a tab or line break"):
        listing.list_videos(Dataset("folder", tmp_path))


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path, zumba_refused):
    """Its videos would be missing without a word."""
    touch(tmp_path, "yoga/a.mp4", "zumba/b.mp4")
    with pytest.raises(UserError, match="zumba: Permission denied: the videos in it cannot"):
        listing.list_videos(Dataset("folder", tmp_path))


def test_a_link_that_may_have_been_to_a_folder_is_an_error(tmp_path):
    touch(tmp_path, "root/yoga/a.mp4")
    (tmp_path / "root/zumba").symlink_to(tmp_path / "not mounted")
    with pytest.raises(UserError, match="root/zumba: a link to nothing; repair it or delete it"):
        listing.list_videos(Dataset("folder", tmp_path / "root"))


def test_links_are_followed_once_and_dangling_ones_listed(tmp_path):
    """A video behind a link is a video; one whose target is gone is missing, not forgotten."""
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    touch(elsewhere, "yoga/a.mp4", "b.mp4")
    touch(root, "zumba/c.mp4")
    (root / "linked").symlink_to(elsewhere)
    (root / "zumba/up").symlink_to(root)  # a circle
    (root / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    found = [(video.path, video.label) for video in listing.list_videos(Dataset("folder", root))]
    assert found == [
        ("gone.mp4", ""),
        ("linked/b.mp4", "linked"),
        ("linked/yoga/a.mp4", "yoga"),
        ("zumba/c.mp4", "zumba"),
    ]


def test_the_videos_of_archives_keep_their_order_and_paths(tmp_path):
    """Each has its range, or why it has none; the one in two archives is nobody's guess."""
    rows = [(3, "yoga"), (0, "zumba"), (1, "yoga"), (2, "yoga"), (4, "yoga"), (3, "zumba")]
    root = datasets.kinetics(tmp_path / "k400", rows, ["yoga"])
    files = [datasets.video(root, number) for number in range(4)]
    for number, file in enumerate(files[:3]):
        file.write_bytes(b"x" * (number + 1))
    files[3].symlink_to(files[0].name)
    a, b, c, d = (file.name for file in files)
    datasets.pack(root / "part_0.tar", {f"deep/er/{a}": files[0], b: files[1], d: files[3]})
    datasets.pack(root / "val/part_1.tar", {c: files[2], f"x/{b}": files[1]})
    listed = listing.list_videos(Dataset("tar", root))
    unpacked = listing.list_videos(Dataset("kinetics", root))
    assert [(v.name, v.path, v.label) for v in listed] == [
        (v.name, v.path, v.label) for v in unpacked
    ]
    link = f"a symbolic link in an archive, to {a}"
    assert [v.fault for v in listed] == [
        link,
        "",
        f"several files of its name: part_0.tar/{b} and val/part_1.tar/x/{b}",
        "",
        "missing file",
        link,
    ]
    stored = {v.name: v.stored for v in listed if v.stored}
    assert {place.container.name: place.size for place in stored.values()} == {
        "part_0.tar": 1,
        "part_1.tar": 3,
    }
    assert all(place.suffix == ".mp4" for place in stored.values())
