"""The formula of docs/costs.md, against values worked out by hand."""

import pytest

from tsf.errors import UserError
from tsf.workflow.costs import (
    AFTER,
    BESIDE,
    LISTED,
    LOCAL,
    Engine,
    Plan,
    Rate,
    Rates,
    estimate,
    stages,
)

ENGINE = Engine(job=2.0, view=0.1)
# every step that runs once costs 1 s and 0.01 s a video
RATES = Rates(
    origin={"what": "made up"},
    steps={
        **dict.fromkeys((*LISTED, *BESIDE, *AFTER), Rate(1.0, 0.01)),
        "count_frames": Rate(0.4, 0.2),
        "temporary_bins": Rate(1.0, 0.3),
        "decode": Rate(0.5, 0.3),
        "rawframes": Rate(0.5, 0.25),
        "out_bin": Rate(0.5, 0.15),
    },
    model={"export": 5.0, "proof": 2.0},
    engines={"onnxruntime": ENGINE},
    snakemake={"start": 1.0, "video": 0.01, "shard": 0.5, "list": 0.001, "job": 0.1},
    cluster={"job": 3.0, "stage": 20.0, "starts": 2},
    sizes={"frame": 40_000, "logit": 10, "tables": 300, "models": 1e9, "length": 250},
    clip={"frames": 8, "side": 224},
)
PLAN = {"videos": 100, "shards": 4, "cores": 4, "threads": 2}
# 25 videos on average; the quantile 4/5 of the normal distribution is 0.841621, and
# 25 + 0.841621 * sqrt(25 * 3/4)
LARGEST = 28.644320


def by_name(plan, rates=RATES, engine=ENGINE):
    return {stage.name: (stage.cpu, stage.wall) for stage in stages(plan, rates, engine)}


def test_the_largest_shard():
    assert Plan(**PLAN).largest_shard == pytest.approx(LARGEST, abs=1e-5)
    assert Plan(videos=5, shards=1, cores=1).largest_shard == 5


def test_a_run_on_one_machine():
    found = by_name(Plan(**PLAN))
    assert found["plan"] == pytest.approx((1 + 1 + 2, 4))
    # two jobs of 1 + 1 s, Snakemake's 0.1 in each; the check's second on four processes
    assert found["list and check"] == pytest.approx((4.2, 2.1 + 1.35))
    # 0.1 of Snakemake's, 0.1 to read the list, 0.4; all four at a time
    assert found["count the frames"] == pytest.approx((2.4 + 20, 0.6 + LARGEST * 0.2), abs=1e-4)
    assert found["export and proof"] == (7, 5 + 2 / 4)
    # two at a time on two cores each: a mean shard, then the largest; the 2 s of loading the
    # model are beside the decoding
    assert found["infer"] == pytest.approx(
        (4 * 3.2 + 100 * 0.6, 2.2 + 25 * 0.3 + 2.2 + LARGEST * 0.3), abs=1e-4
    )
    assert found["read the videos' heads"] == pytest.approx((2.1, 1.35))
    # twelve jobs of 2.1
    assert found["account, accuracy and report"] == pytest.approx((25.2, 25.2))


def test_the_phases_add_up():
    found = estimate(Plan(**PLAN), RATES, ENGINE)
    # before the inference: 4.2 + 22.4 + 7 over four cores, and three quarters of the longest chain,
    # of export and proof
    first = 8.4 + 0.75 * 5.5
    # the inference alone takes longer than its and the heads' CPU time over four cores
    wall = 4 + first + (2.2 + 25 * 0.3 + 2.2 + LARGEST * 0.3) + 25.2
    assert found["wall_seconds"] == pytest.approx(wall, abs=1e-3)
    assert found["cpu_hours"] == pytest.approx((4 + 4.2 + 22.4 + 7 + 72.8 + 2.1 + 25.2) / 3600)
    assert found["reserved_core_hours"] == pytest.approx(4 * wall / 3600, abs=1e-5)


def test_what_is_kept_decides_what_is_decoded():
    bins = by_name(Plan(**PLAN, keep="bins"))
    assert bins["decode and preprocess"][0] == pytest.approx(4 * 0.7 + 30)
    assert bins["infer"][0] == pytest.approx(4 * 2.2 + 30)
    frames = by_name(Plan(**PLAN, keep="frames"))
    assert frames["rawframes"][0] == pytest.approx(4 * 0.7 + 25)
    assert frames["out_bin"][0] == pytest.approx(4 * 0.7 + 15)


def test_on_a_cluster_each_job_plans_again_and_waits():
    found = by_name(Plan(**PLAN, nodes=2))
    # 2 * (1 + 100 * 0.01) in each job
    assert found["count the frames"] == pytest.approx(
        (4 * 4.6 + 20, 4.6 + 3 + LARGEST * 0.2 + 20), abs=1e-4
    )
    queued = len(AFTER) - len(set(AFTER) & set(LOCAL))
    alone = by_name(Plan(**PLAN))["account, accuracy and report"]
    assert found["account, accuracy and report"] == pytest.approx(
        (alone[0] + queued * 4, alone[1] + queued * (4 + 3 + 20))
    )


def test_devices_infer_while_the_cores_decode():
    """A device is held for 5 s and 0.6 s a video; two threads decode a shard of 25."""
    infer = by_name(Plan(**PLAN, devices=1), engine=Engine(5.0, 0.2))["infer"]
    first = 0.1 + 0.1 + 1 + (25 + LARGEST) / 2 * 0.15
    assert infer == pytest.approx(
        (4 * 1.2 + 30, first + 3 * (5 + 25 * 0.6) + 5 + LARGEST * 0.6), abs=1e-4
    )
    # and where decoding is slower, that decides
    slow = RATES.steps | {"temporary_bins": Rate(1.0, 30.0)}
    rates = Rates(**vars(RATES) | {"steps": slow})
    infer = by_name(Plan(**PLAN, devices=1), rates, Engine(5.0, 0.2))["infer"]
    assert infer[1] == pytest.approx(1.5 * (1.2 + 25 * 15 + 1.2 + LARGEST * 15), abs=1e-2)


def test_disk():
    """The guide's .bin file has 14,450,688 bytes; the logits are written twice."""
    plan = Plan(20_000, 128, 16)
    assert plan.bin_bytes == 14_450_688
    assert Plan(20_000, 128, 16, bin="uint8", crops=1).bin_bytes == 14_450_688 // 12
    found = estimate(plan, RATES, ENGINE)["bytes"]
    assert found["results"] == 2 * 20_000 * 3 * 400 * 10 + 20_000 * 300
    # four jobs would fit the cores, and three of 156 * 14.45 MB the disk; the largest shard has
    # 156.25 + 2.421 * 12.45 videos
    assert plan.inferred_at_a_time() == (3, 4)
    assert found["temporary .bin files"] == 8e9  # of 3 * 186.4 * 14.45 MB
    assert found[".bin files"] == 0
    kept = estimate(Plan(20_000, 128, 16, keep="frames"), RATES, ENGINE)["bytes"]
    assert kept[".bin files"] == 20_000 * 14_450_688
    assert kept["raw frames"] == 20_000 * 8 * 40_000
    assert (
        kept["peak"]
        == kept["kept"]
        == sum(kept[name] for name in ("results", "models", "raw frames", ".bin files"))
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"videos": -1}, "--videos -1: must be at least 1"),
        ({"cores": 0}, "--cores 0: must be at least 1"),
        ({"devices": -1}, "--devices -1: must be at least 0"),
        ({"decode_threads": 0}, "--decode-threads 0"),
        ({"shards": 101}, "more than the 100 videos"),
        ({"videos": 10**7, "shards": 100_000}, "--shards 100000: must be at most 99999"),
        ({"videos": 10**13}, "--videos 10{13}: must be at most 10{12}"),
        ({"cores": 10**400}, "--cores 10+: must be at most"),
        ({"crops": 2}, "--crops 2: must be 3 or 1"),
    ],
)
def test_numbers_that_no_run_has(change, words):
    with pytest.raises(UserError, match=words):
        Plan(**PLAN | change)


def test_a_shard_above_the_cap_is_refused():
    with pytest.raises(UserError, match="more than --disk-mb 100"):
        estimate(Plan(**PLAN, disk_mb=100), RATES, ENGINE)


def test_with_scratch_the_cap_is_of_each_node():
    """Of 25 videos, 362 MB, 800 MB hold two; without scratch on all nodes together."""
    several = PLAN | {"nodes": 2, "disk_mb": 800, "threads": 1}
    found = [estimate(Plan(**several, scratch=s), RATES, ENGINE) for s in (False, True)]
    assert [each["jobs_at_a_time"] for each in found] == [2, 4]
    peaks = [each["bytes"]["temporary .bin files"] for each in found]
    assert peaks == [800e6, 1600e6]
