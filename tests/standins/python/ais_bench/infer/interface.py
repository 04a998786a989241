"""A stand-in of ais_bench.infer.interface: InferSession with what the real one checks.

As in the front end of 2025-12: it refuses a model by its path, its mode and its owner, takes a
list of arrays or raises ValueError, and reads an input by its bytes alone, so that an array of
another type or shape, but the same size, is not refused. Native lines go to stdout.
"""

import os
import re
import stat
from pathlib import Path

import numpy as np
import onnxruntime

MAGIC = b"a stand-in's .om file, not compiled\n"


def check_model(path):
    """A path as check_model_path_legality wants it."""
    if re.search(r"[^_A-Za-z0-9/.-]", os.path.abspath(path)):
        raise ValueError("The path string is illegal. Please check.")
    if not Path(path).is_file():
        raise ValueError(f"The path:{path} is not a file.")
    about = Path(path).lstat()
    theirs = about.st_uid != os.geteuid() and about.st_gid not in os.getgroups()
    writable = about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if stat.S_ISLNK(about.st_mode) or theirs or writable:
        raise ValueError(f"The path:{path} is illegal. Please check the error log for more detail.")
    if Path(path).suffix != ".om":
        raise ValueError(f"The suffix of path:{path} not in ['om']. Please check.")


class InferSession:
    """A model on a device."""

    def __init__(self, device_id, model_path, acl_json_path=None, debug=False, loop=1):
        check_model(model_path)
        if not isinstance(device_id, int):
            raise TypeError(f"device:{device_id} is not a integer!")
        if str(device_id) not in os.environ.get("STAND_IN_DEVICES", "0,1").split(","):
            raise RuntimeError(f"aclrtSetDevice failed, device {device_id} does not exist")
        content = Path(model_path).read_bytes()
        if not content.startswith(MAGIC):
            raise RuntimeError("load model from file failed, ret is 500002")
        model = content.removeprefix(MAGIC).split(b"\n", 1)[1]
        print("[INFO] acl init success", flush=True)
        self.session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        (taken,) = self.session.get_inputs()
        self.shape = taken.shape
        self.dtype = np.dtype("u1" if taken.type == "tensor(uint8)" else "<f4")

    def infer(self, feeds, mode="static", custom_sizes=100000, out_array=True):
        """The outputs, an array each."""
        if not isinstance(feeds, list) or not feeds:
            raise ValueError("the list be checked is not a list!")
        (feed,) = feeds
        bytes_of_input = np.ascontiguousarray(feed).tobytes()
        if len(bytes_of_input) != self.dtype.itemsize * int(np.prod(self.shape)):
            raise RuntimeError("check aclmdlGetInputSizeByIndex failed, size not match")
        values = np.frombuffer(bytes_of_input, self.dtype).reshape(self.shape)
        return self.session.run(None, {"imgs": values})
