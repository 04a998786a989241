"""A stand-in of `python3 -m ais_bench`: options, files, checks and summary as in the real front.

The model is the ONNX model that the stand-in of atc packed; ONNX Runtime on the CPU runs it, so
that the numbers mean something. The times are the CPU's. Its summary says so under `stand_in`, a
key that the real one does not have.

STAND_IN_AIS_BENCH, any of these, separated by commas:
  2022-11       the old release: batch size 1 unless told, no path checks, text files opened for
                appending, sumary.json inside the folder, no padding left out of the results
  pairs         the newest release's (start, end) in the time list
  fails-midway  status 1 after half of the results, no summary, as on a bad later file
  507011        the same, with the runtime's error
  loses-one     status 0 and a summary, but a result is missing
  no-summary    status 0 and every result, but no summary
  half-summary  the same, with a summary cut short
  nan           a result that is not a number
  killed        dies after half of the results, by SIGKILL
STAND_IN_DEVICES: ids of the devices there are (default 0,1). STAND_IN_LOG: a file that gets a line
a process with its device and when it had it.
"""

import argparse
import fcntl
import json
import os
import re
import signal
import stat
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

MAGIC = b"a stand-in's .om file, not compiled\n"
DEMANDS = set(filter(None, os.environ.get("STAND_IN_AIS_BENCH", "").split(",")))
OLD = "2022-11" in DEMANDS


def info(text):
    print(f"[INFO] {text}", flush=True)


def error(text):
    print(f"[ERROR] {text}", flush=True)
    raise RuntimeError(text)


def legal(text):
    """A path as the checks of 2024-02 and later want it."""
    path = Path(text)
    characters = re.fullmatch(r"[A-Za-z0-9_./-]+", os.path.abspath(text))
    if OLD or (characters and not path.exists()):
        return text
    if not characters:
        raise argparse.ArgumentTypeError(f"path:{text} is illegal. Please check.")
    about = path.lstat()
    theirs = about.st_uid != os.getuid() and about.st_gid not in os.getgroups()
    writable = about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if path.is_symlink() or theirs or writable:
        raise argparse.ArgumentTypeError(f"path:{text} is illegal. Please check.")
    return text


def legal_input(text):
    legal(text)
    for path in Path(text).iterdir():
        legal(str(path))
    return text


def legal_output(text):
    path = Path(text)
    if not OLD and path.exists() and stat.S_IMODE(path.stat().st_mode) & ~0o750:
        raise argparse.ArgumentTypeError(f"output path:{text} is illegal. Please check.")
    return legal(text)


def positive(text):
    if int(text) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is an invalid positive int value")
    return int(text)


def arguments():
    parser = argparse.ArgumentParser(prog="ais_bench")
    parser.add_argument("--model", required=True, type=legal)
    parser.add_argument("--input", type=legal_input)
    parser.add_argument("--output", type=legal_output)
    parser.add_argument("--output_dirname", type=legal_output)  # sic: from the working directory
    parser.add_argument("--outfmt", default="BIN", choices=["NPY", "BIN", "TXT"])
    parser.add_argument("--loop", type=positive, default=1)
    parser.add_argument("--device", type=int, default=0)
    parser.add_argument("--batchsize", type=positive, default=1 if OLD else None)
    parser.add_argument("--pure_data_type", default="zero", choices=["zero", "random"])
    args = parser.parse_args()
    if args.output_dirname and not args.output:
        error("parameter --output_dirname cann't be used alone")
    return args


def natural(path):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def open_device(number):
    """The device for this process alone: a second process at a time on it is a fault of ours."""
    known = os.environ.get("STAND_IN_DEVICES", "0,1").split(",")
    if str(number) not in known:
        error(f"aclrtSetDevice failed, device {number} does not exist")
    path = Path(tempfile.gettempdir(), f"stand-in-npu{number}.lock")
    lock = os.open(path, os.O_WRONLY | os.O_CREAT)  # closed, and so given back, when this ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        error(f"stand-in: another process is on device {number}")


def load(path):
    content = Path(path).read_bytes()
    if not content.startswith(MAGIC):
        error("load model from file failed, ret is 500002")
    about, model = content.removeprefix(MAGIC).split(b"\n", 1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    told = json.loads(about)["input_shape"].split(":")[1]
    shape = tuple(int(n) for n in told.split(","))
    if shape != tuple(session.get_inputs()[0].shape):
        error("load model from file failed, ret is 145000")
    return session, shape


def batches(folder, tensor_bytes):
    """Files in natural order, as many to a batch as the first one's size says."""
    files = sorted((p for p in Path(folder).iterdir() if p.suffix == ".bin"), key=natural)
    if not files:
        error("create_infileslist_from_inputs_list return infileslist size: 0")
    size = files[0].stat().st_size
    if size == 0 or tensor_bytes % size:
        error(f"arg0 tensorsize: {tensor_bytes} filesize: {size} not match")
    per = tensor_bytes // size
    info(f"get filesperbatch files0 size:{size} tensor0size:{tensor_bytes} filesperbatch:{per}")
    return [files[i : i + per] for i in range(0, len(files), per)], per


def save(path, values):
    if path.suffix == ".npy":
        return np.save(path, values)
    with open(path, "a" if OLD else "w") as file:
        for row in np.atleast_2d(values):
            file.write("".join(f"{value:f} " for value in row) + "\n")


def statistics(times):
    return {
        "min": float(np.min(times)),
        "max": float(np.max(times)),
        "mean": float(np.mean(times)),
        "median": float(np.median(times)),
        "percentile(99%)": float(np.percentile(times, 99)),
        "count": len(times),
    }


def main():
    args = arguments()
    start = time.monotonic()
    open_device(args.device)
    session, shape = load(args.model)
    dtype = {"tensor(uint8)": np.dtype("u1")}.get(session.get_inputs()[0].type, np.dtype("<f4"))
    tensor_bytes = dtype.itemsize * int(np.prod(shape))
    batch = args.batchsize or shape[0]
    info(f"try get model batchsize:{batch}")

    folder = None
    if args.output:
        folder = Path(args.output, args.output_dirname or time.strftime("%Y_%m_%d-%H_%M_%S"))
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        info(f"output path:{folder}")

    work, per = batches(args.input, tensor_bytes) if args.input else ([[None]], 1)
    session.run(None, {"imgs": np.zeros(shape, dtype)})
    info("warm up 1 done")
    times, filesinfo = [], {}
    for number, files in enumerate(work):
        done = f"{100 * number // len(work):3d}%|###| {number}/{len(work)}"
        print(f"\rInference array Processing: {done}", end="", flush=True)
        if files == [None]:
            data = np.zeros(shape, dtype)
        else:
            filled = files + [files[0]] * (per - len(files))
            data = np.concatenate([np.fromfile(path, dtype) for path in filled])
            if data.nbytes != tensor_bytes:
                error(f"ndata size:{data.nbytes} not match {tensor_bytes}")
        for _ in range(args.loop):
            before = time.perf_counter()
            results = session.run(None, {"imgs": data.reshape(shape)})
            after = time.perf_counter()
            pair = [1000 * before, 1000 * after]
            times.append(pair if "pairs" in DEMANDS else pair[1] - pair[0])
        if folder and args.input:
            parts = zip(*(np.array_split(result, per) for result in results), strict=True)
            for path, values in zip(files, parts, strict=False):
                outs = []
                for position, value in enumerate(values):
                    if "nan" in DEMANDS and not filesinfo:
                        value = value * np.nan
                    name = f"{path.name.split('.')[0]}_{position}.{args.outfmt.lower()}"
                    save(folder / name, value)
                    outs.append(str(folder / name))
                filesinfo[str(len(filesinfo))] = {"infiles": [str(path)], "outfiles": outs}
        if number + 1 >= len(work) / 2 and args.input:
            if "killed" in DEMANDS:
                os.kill(os.getpid(), signal.SIGKILL)
            if "507011" in DEMANDS:
                error("execute acl model failed, ret is 507011")
            if "fails-midway" in DEMANDS:
                error("filepath: not valid")
    print()
    if "loses-one" in DEMANDS and filesinfo:
        Path(filesinfo["0"]["outfiles"][0]).unlink()

    spans = [time[1] - time[0] if "pairs" in DEMANDS else time for time in times]
    throughput = 1000 * batch / float(np.mean(spans))
    info("-----------------Performance Summary------------------")
    info(f"NPU_compute_time (ms): min = {min(spans)}, max = {max(spans)}, mean = {np.mean(spans)}")
    info(
        f"throughput 1000*batchsize.mean({batch})/NPU_compute_time.mean({np.mean(spans)}): "
        f"{throughput}"
    )
    if os.environ.get("STAND_IN_LOG"):
        with open(os.environ["STAND_IN_LOG"], "a") as log:
            log.write(f"{args.device} {os.getpid()} {start} {time.monotonic()} {batch}\n")
    if folder and "no-summary" not in DEMANDS:
        summary = {
            "filesinfo": filesinfo,
            "args": sys.argv,
            "NPU_compute_time": statistics(spans),
            "H2D_latency": statistics([0.25]),
            "D2H_latency": statistics([0.125]),
            "throughput": throughput,
            "npu_compute_time_list": times,
            "pid": os.getpid(),
            "stand_in": "ONNX Runtime on the CPU",
        }
        text = json.dumps(summary)
        path = folder / "sumary.json" if OLD else Path(f"{folder}_summary.json")
        path.write_text(text[: len(text) // 2] if "half-summary" in DEMANDS else text)


try:
    main()
except RuntimeError as fault:
    print(f"Traceback (most recent call last):\nRuntimeError: {fault}", file=sys.stderr)
    sys.exit(1)
