"""With keep: nothing the jobs decode while the devices infer. Nothing here looks at a clock.

A stand-in of ais_bench that waits for something which only other jobs can do: the run comes to its
end only if they do it meanwhile.
"""

import os
import re
from dataclasses import replace
from itertools import pairwise

import machine
import pytest
import runs

from tsf.data.decoded import read_decoded, write_decoded
from tsf.digests import digest_path

SHARDS = [f"{n:03d}" for n in range(runs.SHARDS)]
TARGETS = [f"results/shards/ascend/{shard}" for shard in SHARDS]
# gives up after two minutes, so that a failure is one
WAITING = """
import runpy, sys, time
from pathlib import Path

deadline = time.monotonic() + 120
while True:
    logs = [path.read_text() for path in Path({logs!r}).glob("*.log")]
    taken = [log for log in logs if re.search(r"device \\d+: taken", log)]
    if {condition}:
        break
    if time.monotonic() > deadline:
        sys.exit("what this waits for does not happen")
    time.sleep(0.05)
runpy.run_path({stand_in!r}, run_name="__main__")
"""


def config(devices):
    settings = ("engines=[ascend]", "keep=nothing", f"ascend={{devices: {devices}}}")
    return ("--config", *settings)


@pytest.fixture(scope="module")
def ready(sample_run, tmp_path_factory):
    """The sample with everything that its inference on an NPU needs."""
    run = sample_run.copy(tmp_path_factory.mktemp("streamed"))
    before = ["results/engines/ascend.json", "results/proven/ascend.json", "results/k400.info"]
    result = run.snakemake(*before, *config([0]), env=machine.environment(run.folder))
    assert result.returncode == 0, result.stdout
    return run


@pytest.fixture
def waits_for(ready, tmp_path):
    """A copy of that run, and an environment where ais_bench waits for a condition."""

    def waits_for(condition, devices):
        run = ready.copy(tmp_path)
        package = tmp_path / "python/ais_bench"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        stand_ins = machine.STAND_INS / "python"
        program = WAITING.format(
            logs=str(run.results / "logs/infer/ascend"),
            condition=condition,
            stand_in=str(stand_ins / "ais_bench/__main__.py"),
        )
        (package / "__main__.py").write_text(f"import re{program}")
        ids = ",".join(map(str, devices))
        env = machine.environment(tmp_path, LOG=str(tmp_path / "npu.log"), DEVICES=ids)
        return run, env | {"PYTHONPATH": f"{package.parent}:{env['PYTHONPATH']}"}

    return waits_for


def log(run, shard):
    return (run.results / f"logs/infer/ascend/{shard}.log").read_text()


def events(run, shard):
    """What a job did, in its order, without the times."""
    lines = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (.*)$", log(run, shard), re.M)
    assert len(lines) >= 4, log(run, shard)
    return lines


def used(env):
    """(device, start, end) of every process that the stand-in of ais_bench was."""
    with open(env["STAND_IN_LOG"]) as file:
        rows = [line.split() for line in file]
    return [(int(row[0]), float(row[2]), float(row[3])) for row in rows]


def test_the_next_shard_is_decoded_while_the_device_infers(waits_for):
    # the last shard of all has none behind it
    condition = (
        f"len(taken) == {runs.SHARDS} or any('decoded' in log for log in logs if log not in taken)"
    )
    run, env = waits_for(condition, [0])
    result = run.snakemake(*TARGETS, *config([0]), env=env)
    assert result.returncode == 0, result.stdout
    assert [device for device, *_ in used(env)] == [0] * runs.SHARDS
    waited = [shard for shard in SHARDS if any("wait" in line for line in events(run, shard))]
    assert waited
    for shard in SHARDS:
        wait = ["wait for a device of 0: other jobs have them"] if shard in waited else []
        assert events(run, shard) == [
            f"decode shard {shard}, processes: 1",
            f"decoded shard {shard}",
            *wait,
            "device 0: taken",
            "device 0: given back",
        ]
    assert list((run.results / "out_bin").glob("ascend.*")) == []
    # more cores and more devices redo nothing
    for cores, devices in (("1", [0]), ("8", [0]), ("32", [0, 1, 2, 3])):
        dry = run.snakemake(*TARGETS, *config(devices), "--cores", cores, "-n", env=env)
        assert runs.jobs(dry) == {}


def test_eight_cores_keep_four_devices_busy_at_a_time(waits_for):
    devices = [0, 1, 2, 3]
    run, env = waits_for("len(taken) == 4", devices)
    result = run.snakemake(*TARGETS, *config(devices), "--cores", "8", env=env)
    assert result.returncode == 0, result.stdout
    assert sorted(device for device, *_ in used(env)) == devices


def test_two_devices_share_four_shards_one_job_at_a_time_each(ready, tmp_path):
    run = ready.copy(tmp_path)
    env = machine.environment(tmp_path, LOG=str(tmp_path / "npu.log"))
    result = run.snakemake(*TARGETS, *config([0, 1]), "--cores", "4", env=env)
    assert result.returncode == 0, result.stdout
    found = used(env)
    assert len(found) == runs.SHARDS and {device for device, *_ in found} == {0, 1}
    for device in (0, 1):
        times = sorted(use[1:] for use in found if use[0] == device)
        assert all(end <= start for (_, end), (start, _) in pairwise(times))


@pytest.mark.parametrize(
    "arguments, threads",
    [
        (("--cores", "1"), 1),
        (("--cores", "8"), 2),  # two jobs to each of two devices
        (("--cores", "15"), 3),
        (("--cores", "8", "--resources", "npu=2", "disk_mb=8000"), 4),
        (("--cores", "8", "--set-threads", "infer_ascend=5"), 5),
    ],
)
def test_threads(ready, arguments, threads):
    dry = ready.snakemake(TARGETS[0], "-n", "-p", *arguments, *config([0, 1]))
    assert dry.returncode == 0, dry.stdout
    assert re.findall(r"\bthreads=(\d+); python -m tsf.data.temporary_bins", dry.stdout) == [
        str(threads)
    ]


def test_a_job_whose_videos_do_not_decode_takes_no_device(ready, tmp_path):
    run = ready.copy(tmp_path)
    env = machine.environment(tmp_path, LOG=str(tmp_path / "npu.log"))
    table = run.results / "decoded/000.tsv"
    times = table.stat()
    first, *others = read_decoded(table)
    for file in (table, digest_path(table)):
        file.unlink()  # hard links
    write_decoded(table, [replace(first, frames=first.frames + 1), *others])
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))  # or the account is due first
    result = run.snakemake(TARGETS[0], *config([0]), env=env)
    assert any("frames in results/decoded/000.tsv" in line for line in runs.error_lines(result))
    assert "device" not in log(run, "000")
    assert not (tmp_path / "npu.log").exists()
    assert list((run.results / "out_bin").glob("ascend.*")) == []
