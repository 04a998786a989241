"""The doctor on machines with everything, with nothing, and with each thing missing."""

import os

import machine
import pytest

from tsf.ascend import doctor
from tsf.errors import UserError

PLAIN = {
    "PYTHONPATH": "",
    "ASCEND_TOOLKIT_HOME": "",
    "ASCEND_HOME_PATH": "",
    "PATH": "/usr/bin:/bin",
}


@pytest.fixture
def look(tmp_path, npu):
    """Runs the doctor; its exit status, and what it says of each thing."""

    def look_it(*more, engines=("ascend", "onnxruntime"), env=None, **demands):
        arguments = ["--engines", *engines, "--devices", "0", *more]
        result = machine.run(
            "ascend.doctor", *arguments, folder=tmp_path, env=env or npu(**demands)
        )
        assert 'File "' not in result.stdout, result.stdout
        lines = {
            line.split("  ")[0].split(" ok:")[0].split(" missing")[0].strip(): line
            for line in result.stdout.splitlines()
        }
        return result.returncode, lines

    return look_it


THINGS = ["Python", "disk", "permissions", "path", "ONNX Runtime", "OpenVINO", "CANN"]
THINGS += ["atc", "opset", "soc_version", "ais_bench", "devices"]


def test_all_is_there(look):
    status, lines = look()
    assert status == 0
    assert list(lines) == THINGS
    assert all(" ok: " in line for thing, line in lines.items() if thing != "OpenVINO")
    assert "5.1.RC2 reads 9 to 13" in lines["opset"]
    assert "Ascend310P3 (as npu-smi shows)" in lines["soc_version"]
    assert "0: 310P3, OK, 20460 MB free" in lines["devices"]


def test_without_cann_the_cpu_engine_is_all_right(look):
    status, lines = look(engines=["onnxruntime"], env=PLAIN)
    assert status == 0
    for thing in ("CANN", "atc", "ais_bench", "devices"):
        assert "missing (not needed):" in lines[thing]


def test_without_cann_the_npu_engine_is_not(look):
    status, lines = look(engines=["ascend"], env=PLAIN)
    assert status == 1
    for thing in ("CANN", "atc", "soc_version", "ais_bench", "devices"):
        assert " missing: " in lines[thing] and "not needed" not in lines[thing]
    assert "set_env.sh" in lines["CANN"] and "set ascend.set_env" in lines["atc"]


@pytest.mark.parametrize(
    ("demands", "thing", "expected"),
    [
        ({"NPU_SMI": "fails"}, "devices", "dcmi module initialize failed"),
        ({"NPU_SMI": "mixed"}, "soc_version", "npu-smi shows several kinds of chip"),
        ({"NPU_SMI": "310b4"}, None, "310B4, Alarm, 5274 MB free"),
    ],
)
def test_npu_smi(look, demands, thing, expected):
    status, lines = look(**demands)
    assert status == (1 if thing else 0)
    assert expected in lines[thing or "devices"]


def test_a_device_that_is_not_there(look):
    status, lines = look("--devices", "0", "7")
    assert status == 1 and "no device 7, npu-smi shows 0, 1" in lines["devices"]


def test_a_device_whose_memory_is_taken(monkeypatch):
    chip = doctor.npu_smi.Chip(0, 0, "310P3", "OK", 0, 20_000, 21_534)
    monkeypatch.setattr(doctor.npu_smi, "chips", lambda: [chip])
    with pytest.raises(UserError, match="device 0 has 1534 MB free, 2048 are needed"):
        doctor.devices([0])


def test_the_configured_chip_needs_no_npu_smi(look):
    _, lines = look("--soc-version", "Ascend310P3", NPU_SMI="fails")
    assert "ok: Ascend310P3 (set in the config)" in lines["soc_version"]


def test_a_python_without_ais_bench(look, npu):
    env = npu() | {"PYTHONPATH": ""}
    status, lines = look(env=env)
    assert status == 1 and "lacks ais_bench and aclruntime" in lines["ais_bench"]
    status, lines = look("--python", "python9")
    assert status == 1 and "python9 is not on PATH" in lines["ais_bench"]


def test_a_native_part_that_does_not_load(look, npu, tmp_path):
    (tmp_path / "aclruntime.py").write_text("raise ImportError('libascendcl.so: not found')")
    paths = f"{tmp_path}{os.pathsep}{machine.STAND_INS / 'python'}"
    status, lines = look(env=npu() | {"PYTHONPATH": paths})
    assert status == 1 and "ImportError: libascendcl.so: not found" in lines["ais_bench"]


def test_a_native_part_that_prints_lines_of_its_own(look, npu, tmp_path):
    """Some do, on both streams and in no encoding, whether they load or not."""
    status, lines = look(AIS_BENCH="noisy")
    assert status == 0 and "ais_bench and aclruntime are in" in lines["ais_bench"]
    noise = "import os\nos.write(1, b'[INFO] acl init \\xff\\n[INFO]')\n"
    paths = f"{tmp_path}{os.pathsep}{machine.STAND_INS / 'python'}"
    for end, expected in [
        ("raise ImportError('libascendcl.so: not found')", "(ImportError: libascendcl.so: not"),
        ("os.write(2, b'stopped\\n'); os._exit(3)", "(ended with status 3: stopped)"),
        ("os.kill(os.getpid(), 11)", "(was killed by signal 11: no message)"),
    ]:
        (tmp_path / "aclruntime.py").write_text(noise + end)
        status, lines = look(env=npu() | {"PYTHONPATH": paths})
        assert status == 1 and expected in lines["ais_bench"]


def test_too_little_disk(look):
    status, lines = look("--bins-mb", "300000000", engines=["onnxruntime"])
    assert status == 1 and "keep: nothing" in lines["disk"]


@pytest.mark.parametrize(
    ("folder", "temporary", "expected"),
    [
        ("a+b", "tmp", "missing: the working directory"),
        ("a b", "tmp", "missing: the working directory"),
        ("run", "a+b", "missing: the temporary folder"),
        ("run", "视频", "missing: the temporary folder"),
        ("视频", "tmp", "ok: atc accepts"),
    ],
)
def test_paths_that_the_tools_refuse(tmp_path, npu, folder, temporary, expected):
    """What atc sees is the working directory, what ais_bench sees is in the temporary folder."""
    env = npu() | {"TMPDIR": str(tmp_path / temporary)}
    for name in (folder, temporary):
        (tmp_path / name).mkdir(exist_ok=True)
    arguments = ["--engines", "ascend", "--devices", "0"]
    result = machine.run("ascend.doctor", *arguments, folder=tmp_path / folder, env=env)
    assert result.returncode == ("missing" in expected)
    [line] = [line for line in result.stdout.splitlines() if line.startswith("path ")]
    assert expected in line


def test_a_link_does_not_hide_a_path(tmp_path, npu):
    (tmp_path / "a+b").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a+b")
    arguments = ["--engines", "ascend", "--devices", "0"]
    result = machine.run("ascend.doctor", *arguments, folder=tmp_path / "link", env=npu())
    assert f"missing: the working directory {tmp_path}/a+b: atc takes only" in result.stdout


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("5.1.RC2", (9, 13)),
        ("6.0.1", (9, 13)),
        ("7.0.RC1", (9, 18)),
        ("8.0.0", (11, 18)),
        ("8.5.0", (11, 18)),
    ],
)
def test_opsets_by_release(version, expected):
    assert doctor.opsets(version) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "aarch64-linux/ascend_toolkit_install.info",
            "package_name=x\nversion=8.0.RC3\n",
            "8.0.RC3",
        ),
        ("version.cfg", "runtime_running_version=[1]\nVersion=7.0.0\n", "7.0.0"),
        ("compiler/version.info", "Version=8.5.0\nversion_dir=x\n", "8.5.0"),
        ("version.cfg", "nothing", None),
    ],
)
def test_cann_version(tmp_path, name, text, expected):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert doctor.cann_version(tmp_path) == expected


def test_a_home_that_is_gone(monkeypatch, tmp_path):
    monkeypatch.setenv("ASCEND_TOOLKIT_HOME", str(tmp_path / "gone"))
    with pytest.raises(UserError, match=r"source set_env\.sh again"):
        doctor.cann_home()
