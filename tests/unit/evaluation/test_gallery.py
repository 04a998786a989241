"""Which videos are chosen for the gallery."""

import pandas as pd

from tsf.evaluation import gallery


def table(rows: list[tuple]) -> pd.DataFrame:
    """rows: engine, video, label, best class, its probability; a second class has the rest."""
    columns = ["engine", "video", "label", "top1", "probability1"]
    found = pd.DataFrame(rows, columns=columns)
    return found.assign(path="val/" + found["video"], top2="other", probability2=0.01)


def test_wrong_then_flips_then_right():
    found = gallery.choose(
        table(
            [
                ("a", "sure and wrong", "run", "walk", 0.9),
                ("a", "wrong", "run", "walk", 0.4),
                ("a", "flips", "run", "run", 0.6),
                ("a", "right", "run", "run", 0.8),
                ("b", "sure and wrong", "run", "walk", 0.9),
                ("b", "wrong", "run", "walk", 0.3),
                ("b", "flips", "run", "walk", 0.5),
                ("b", "right", "run", "run", 0.7),
            ]
        )
    )
    assert found == [
        ("sure and wrong", "wrong"),
        ("wrong", "wrong"),
        ("flips", "flip"),
        ("right", "right"),
    ]


def test_a_flip_has_every_engine_and_others_the_first():
    rows = table([("a", "v", "run", "run", 0.6), ("b", "v", "run", "walk", 0.5)])
    flip = gallery.described(rows, "v", "flip")
    assert [guess[0]["class"] for guess in flip["engines"].values()] == ["run", "walk"]
    assert flip["engines"]["b"] == [
        {"class": "walk", "probability": 0.5},
        {"class": "other", "probability": 0.01},
    ]
    assert list(gallery.described(rows, "v", "right")["engines"]) == ["a"]


def test_never_more_than_sixty_however_many_there_are():
    # the flips are wrong too, but less sure than any wrong one that is shown
    wrong = [("a", f"w{n:04}", "run", "walk", n / 1000) for n in range(500)]
    right = [("a", f"r{n:04}", "run", "run", n / 1000) for n in range(500)]
    flips = [(e, f"f{n:04}", "run", e, 0.1) for e in "ab" for n in range(500)]
    found = gallery.choose(table([*wrong, *right, *flips]))
    assert len(found) == gallery.MOST == 60
    assert found[0] == ("w0499", "wrong") and ("w0000", "wrong") not in found
    steps = [video for video, why in found if why == "right"]
    assert steps[0] == "r0499" and steps[-1] == "r0000"  # from the surest to the least sure


def test_without_labels_there_is_no_wrong():
    found = gallery.choose(table([("a", f"v{n}", "", "run", n / 10) for n in range(5)]))
    assert {why for _, why in found} == {"unlabelled"} and len(found) == 5
