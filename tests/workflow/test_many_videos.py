"""Twenty thousand listed videos: no job a video, and none unaccounted for."""

import csv
import json

import datasets
import pytest
import runs

LISTED = 20_000
REAL = 6  # of the listed videos; the others are empty files
SHARDS = 4


@pytest.fixture(scope="module")
def many(sample_run, tmp_path_factory):
    """A run over all of them, with the sample's model."""
    home = tmp_path_factory.mktemp("many")
    run = sample_run.copy(home)
    clips = datasets.scored_videos(sample_run)[:REAL]
    classes = (sample_run.results / "classes.txt").read_text().splitlines()
    labels = [label for _, label in clips] + [classes[0]] * (LISTED - REAL)
    root = datasets.kinetics(home / "k400", list(enumerate(labels)), classes)
    for number in range(LISTED):
        if number < REAL:
            datasets.link(clips[number][0], datasets.video(root, number))
        else:
            datasets.video(root, number).touch()
    settings = (
        "--resources",
        f"disk_mb={20 * LISTED // SHARDS}",
        "--config",
        f"dataset={{root: {root}, name: stand-ins}}",
        f"shards={SHARDS}",
        "keep=nothing",
    )
    before = run.dry_run("accuracy.json", *settings)
    result = run.snakemake("accuracy.json", *settings)
    assert result.returncode == 0, result.stdout
    return run, root, settings, before


def test_the_jobs_are_shards_not_videos(many):
    _, _, _, before = many
    shards = {rule: number for rule, number in before.items() if number >= SHARDS}
    assert shards == {"infer": SHARDS, "count_frames": SHARDS}
    assert sum(before.values()) < 2 * SHARDS + 20


def test_every_one_is_accounted_for(many):
    run, _, _, _ = many
    accuracy = json.loads((run.results / "accuracy.json").read_text())
    assert (accuracy["listed"], accuracy["scored"], accuracy["skipped"]) == (
        LISTED,
        REAL,
        LISTED - REAL,
    )
    assert accuracy["skipped_reasons"] == {"empty file": LISTED - REAL}
    assert len((run.results / "skipped.tsv").read_text().splitlines()) == 1 + LISTED - REAL
    check = (run.results / "video_check.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[1] for line in check] == ["empty file"] * (LISTED - REAL)


def test_the_real_ones_are_predicted_as_in_the_sample(many, sample_run):
    run, _, _, _ = many

    def tops(results):
        with open(results / "predictions.csv", newline="", encoding="utf-8") as file:
            return [
                (row["label"], row["top1"], row["probability1"]) for row in csv.DictReader(file)
            ]

    assert tops(run.results) == tops(sample_run.results)[:REAL]


def test_nothing_to_do_then(many):
    run, _, settings, _ = many
    result = run.snakemake("accuracy.json", *settings)
    assert "Nothing to be done" in result.stdout, result.stdout


def test_one_more_video_redoes_its_shard(many):
    run, root, settings, _ = many
    path = datasets.video(root, LISTED - 1)
    path.write_bytes(b"no longer empty")
    try:
        found = run.dry_run("accuracy.json", *settings)
    finally:
        path.write_bytes(b"")
    assert found["infer"] == 1 and found["check_videos"] == 1


def test_a_cap_below_a_shard_is_refused_before_any_work(many, tmp_path):
    """In one line, with a number of shards that is accepted."""
    _, _, settings, _ = many
    config = settings[2:]
    refused = runs.snakemake(
        "accuracy.json", "-n", "--resources", "disk_mb=8000", *config, directory=tmp_path
    )
    (line,) = runs.error_lines(refused)
    assert "disk_mb=8000" in line and "allow more" in line
    number = int(line.partition("set shards to ")[2].split()[0])
    # 20,000 videos of 14.45 MB into shards of at most 8,000 MB
    assert 37 <= number <= 70
    config = [setting if "shards" not in setting else f"shards={number}" for setting in config]
    runs.jobs(
        runs.snakemake(
            "accuracy.json", "-n", "--resources", "disk_mb=8000", *config, directory=tmp_path
        )
    )
