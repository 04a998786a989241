"""No job reports its use to the makers of its libraries."""

import os
import subprocess
import sys

import machine
import pytest

from tsf.workflow.environment import NO_TELEMETRY

# set by services for continuous integration, on which ONNX Runtime reports nothing
SERVICES = (
    *("CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "TRAVIS", "JENKINS_URL"),
    *("CODEBUILD_BUILD_ID", "BUILDKITE", "TEAMCITY_VERSION", "APPVEYOR", "BITBUCKET_BUILD_NUMBER"),
)
LOAD = "import sys, onnxruntime; onnxruntime.InferenceSession(sys.argv[1])"


@pytest.mark.parametrize("variables, left", [({}, [".ses"]), (NO_TELEMETRY, [])])
def test_onnxruntime_begins_no_session_of_telemetry(tmp_path, variables, left):
    """.ses is the file in which its client keeps the session that it reports."""
    machine.tiny_model(tmp_path / "tiny.onnx", 1)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    outside = {
        name: text for name, text in os.environ.items() if name not in {*NO_TELEMETRY, *SERVICES}
    }
    subprocess.run(
        [sys.executable, "-c", LOAD, tmp_path / "tiny.onnx"],
        env=outside | variables | {"TMPDIR": str(temporary)},
        check=True,
    )
    assert [path.name for path in temporary.iterdir()] == left
