"""Which class is taken for which, counted by hand and by a loop."""

from collections import Counter

import numpy as np

from tsf.evaluation import confusion

NAMES = ["run", "walk", "swim", "fly"]
#            run run run walk walk swim
LABELS = np.array([0, 0, 0, 1, 1, 2])
BEST = np.array([0, 1, 1, 1, 3, 2])


def counts():
    return confusion.confusion_counts(LABELS, BEST, 4)


def test_counts_by_hand():
    assert counts().tolist() == [[1, 2, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]


def test_counts_are_those_of_a_loop():
    random = np.random.default_rng(0)
    labels, best = random.integers(0, 9, 1000), random.integers(0, 9, 1000)
    expected = Counter(zip(labels.tolist(), best.tolist(), strict=True))
    found = confusion.confusion_counts(labels, best, 9)
    assert {(i, j): found[i, j] for i in range(9) for j in range(9) if found[i, j]} == expected


def test_the_worst_class_comes_first_and_one_without_videos_not_at_all():
    rows = confusion.by_class(counts(), NAMES)
    assert [(row["class"], row["right"], row["videos"]) for row in rows] == [
        ("run", 1, 3),
        ("walk", 1, 2),
        ("swim", 1, 1),
    ]
    # 1/3, 1/2 and 1
    assert confusion.mean_class_accuracy(rows) == 100 * (1 / 3 + 1 / 2 + 1) / 3


def test_of_equally_bad_classes_the_larger_comes_first():
    wrong = np.array([[0, 1, 0], [0, 0, 2], [3, 0, 0]])
    assert [row["class"] for row in confusion.by_class(wrong, NAMES)] == ["swim", "walk", "run"]


def test_confusions_leave_out_what_is_right():
    rows = confusion.confusions(counts(), NAMES)
    assert [(row["class"], row["taken_for"], row["videos"]) for row in rows] == [
        ("run", "walk", 2),
        ("walk", "fly", 1),
    ]
    assert [round(row["percent_of_class"], 2) for row in rows] == [66.67, 50]


def test_few_classes_have_the_whole_matrix():
    found = confusion.matrix(counts(), NAMES)
    assert found["counts"] == counts().tolist() and found["others"] == [0, 0, 0, 0]


def test_of_many_classes_the_matrix_has_the_worst_in_their_order():
    number = confusion.WHOLE + 1
    many = np.diag(np.full(number, 10))
    many[7, 3] = 5  # 7 is the worst, then 2; a class without a fault comes after both
    many[2, 40] = 1
    found = confusion.matrix(many, [f"c{n}" for n in range(number)])
    assert len(found["classes"]) == confusion.WORST and found["of"] == number
    assert {"c2", "c7"} <= set(found["classes"])
    assert found["classes"] == sorted(found["classes"], key=lambda name: int(name[1:]))
    row = found["classes"].index("c7")
    assert sum(found["counts"][row]) + found["others"][row] == 15
    assert found["others"][found["classes"].index("c2")] == 1  # c40 is not shown
