"""Every engine is loaded by its name, alone, or refuses in one line."""

import os
import subprocess
import sys

import pytest
from runs import ROOT

from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS
from tsf.errors import UserError

ONNXRUNTIME, OPENVINO, TORCH = (DEFAULTS[name] for name in ("onnxruntime", "openvino", "torch"))


def test_the_default_engine_imports_no_other():
    program = "import sys; import tsf.inference.infer, tsf.evaluation.parity; "
    program += "print('openvino' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert found.stdout == "False\n"


@pytest.mark.parametrize("setup", [OPENVINO, ONNXRUNTIME, TORCH], ids=lambda s: s.engine)
def test_a_model_that_an_engine_cannot_load_is_named(setup, tmp_path):
    path = tmp_path / setup.file
    path.write_bytes(b"no model")
    with pytest.raises(UserError) as fault:
        load_engine(setup, path, 1)
    assert str(fault.value).startswith(f"{path}: ") and "cannot load it" in str(fault.value)
    assert "\n" not in str(fault.value)
