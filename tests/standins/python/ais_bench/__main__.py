"""A stand-in of `python3 -m ais_bench`: options, files, checks and summary as in the real fronts.

Compared field by field with the front ends of 2022-11 and 2025-12, and with a fork of 2026, that
ran the same inputs. The model is the ONNX model that the stand-in of atc packed; ONNX Runtime on
the CPU runs it, so that the numbers mean something. The times are the CPU's. Its summary says so
under `stand_in`, a key that the real one does not have.

STAND_IN_AIS_BENCH, any of these, separated by commas; without a release, that of 2025-12:
  2022-11       that release: batch size 1 unless told, no path checks, text files opened for
                appending, no copies counted
  inside        of a release before 2022-11-13: sumary.json inside the folder
  fork          a fork of 2026: --output-dirname, errors in drawn boxes
  pairs         the (start, end) of a newer native part, which a front end of 2022 hands on
  noisy         the native part prints lines of its own, in no encoding, some with [ERROR]
  fails-midway  status 1 after half of the results, no summary, as on a bad later file
  507011        the same, with the runtime's error
  loses-one     status 0 and a summary, but a result is missing
  no-summary    status 0 and every result, but no summary
  half-summary  the same, with a summary cut short
  nan           a result that is not a number
  killed        dies after half of the results, by SIGKILL
  hangs         never ends, nor does its child, which ignores SIGTERM
STAND_IN_DEVICES: ids of the devices there are (default 0,1), of which ASCEND_RT_VISIBLE_DEVICES
lets this see some, counted from 0. STAND_IN_LOG: a file that gets a line a process with its device
and when it had it. STAND_IN_PIDS: a file for the ids of what hangs.
"""

import argparse
import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

MAGIC = b"a stand-in's .om file, not compiled\n"
DEMANDS = set(filter(None, os.environ.get("STAND_IN_AIS_BENCH", "").split(",")))
OLD = bool(DEMANDS & {"2022-11", "inside"})
FORK = "fork" in DEMANDS
PURE = "pure_infer_data"  # the file name that a run without files has


def log(level, text):
    print(f"[{level.lower() if FORK else level}] {text}", flush=True)


def fail(text):
    """As most errors of the real one: the words are in the log, and not in the exception."""
    log("ERROR", text)
    raise RuntimeError


def fault(path, forbidden):
    """What the checks of 2024-02 and later find wrong with a path; None if nothing."""
    if path.is_symlink():
        return f"path :{path} is a soft link, not supported, please import it directly"
    about = path.stat()
    if about.st_uid != os.geteuid() and about.st_gid not in os.getgroups():
        return f"current user isn't path:{path}'s owner or ownergroup"
    if about.st_mode & forbidden:
        return f"The file {path} is group writable, or is others writable"
    return None


def checked(name, forbidden, must_exist=True, suffix=None, folder=False):
    """A check of an option's path, for argparse; none in 2022."""

    def check(text):
        if OLD:
            return text
        path = Path(os.path.abspath(text))
        if not re.fullmatch(r"[A-Za-z0-9_./-]+", str(path)):
            log("ERROR", "path contains illegal char, legal chars include A-Z a-z 0-9 _ - / .")
            raise argparse.ArgumentTypeError(f"{name} path string is illegal. Please check.")
        if folder and path.exists() and not path.is_dir():
            raise argparse.ArgumentTypeError(f"{name} path is not a directory")
        found = None
        if path.exists():
            found = fault(path, forbidden)
        elif must_exist:
            found = f"path: {path} not exist, please check if file or dir is exist"
        if not found and suffix and path.suffix != suffix:
            found = f"path:{path}, file type not in ['{suffix[1:]}']"
        if found:
            log("ERROR", found)
            raise argparse.ArgumentTypeError(f"{name} path:{text} is illegal. Please check.")
        return text

    return check


READ = stat.S_IWGRP | stat.S_IWOTH
WRITE = READ | stat.S_IROTH | stat.S_IXOTH


def positive(text):
    if not text.isdigit() or int(text) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is an invalid positive int value")
    return int(text)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        if not FORK:
            super().error(message)
        width, message = 78, message.replace("unrecognized arguments", "No such option")
        print(f"╭─ Error {'─' * (width - 8)}╮", file=sys.stderr)
        for start in range(0, len(message), width - 2):
            print(f"│ {message[start : start + width - 2]:{width - 2}} │", file=sys.stderr)
        print(f"╰{'─' * width}╯", file=sys.stderr)
        sys.exit(2)


def arguments():
    parser = Parser(prog="__main__.py", allow_abbrev=not FORK)
    output = checked("output", WRITE, must_exist=False, folder=True)
    model = checked("om", READ, suffix=".om")
    dirname = "--output-dirname" if FORK else "--output_dirname"
    parser.add_argument("--model", *([] if OLD else ["-m"]), required=True, type=model)
    parser.add_argument("--input", "-i", type=checked("input", READ))
    parser.add_argument("--output", "-o", type=output)
    parser.add_argument(dirname, dest="output_dirname", type=output)  # sic: from the working folder
    parser.add_argument("--outfmt", default="BIN", choices=["NPY", "BIN", "TXT"])
    parser.add_argument("--loop", "-r" if OLD else "-l", type=positive, default=1)
    parser.add_argument("--device", *([] if OLD else ["-d"]), type=int, default=0)
    parser.add_argument("--batchsize", type=positive, default=1 if OLD else None)
    parser.add_argument("--pure_data_type", default="zero", choices=["zero", "random"])
    args = parser.parse_args()
    if args.output_dirname and not args.output and not OLD:
        raise RuntimeError("error bad parameters --output_dirname")
    return args


def natural(path):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def open_device(number):
    """The device for this process alone: a second process at a time on it is a fault of ours."""
    known = os.environ.get("STAND_IN_DEVICES", "0,1").split(",")
    if visible := os.environ.get("ASCEND_RT_VISIBLE_DEVICES"):  # the number is one of an index
        known = [device for device in visible.split(",") if device in known]
        number = known[number] if number < len(known) else f"of index {number}"
    if str(number) not in known:
        raise RuntimeError(f"aclrtSetDevice failed, device {number} does not exist")
    path = Path(tempfile.gettempdir(), f"stand-in-npu{number}.lock")
    lock = os.open(path, os.O_WRONLY | os.O_CREAT)  # closed, and so given back, when this ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RuntimeError(f"stand-in: another process is on device {number}") from None


def load(path):
    content = Path(path).read_bytes()
    if not content.startswith(MAGIC):
        raise RuntimeError("load model from file failed, ret is 500002")
    about, model = content.removeprefix(MAGIC).split(b"\n", 1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    told = json.loads(about)["input_shape"].split(":")[1]
    shape = tuple(int(n) for n in told.split(","))
    if shape != tuple(session.get_inputs()[0].shape):
        raise RuntimeError("load model from file failed, ret is 145000")
    return session, shape


def make_folder(folder):
    """Every folder that is missing, none of which others may read; in 2022 as the umask says."""
    for path in [*reversed(folder.parents), folder]:
        if not path.exists():
            path.mkdir(mode=0o755 if OLD else 0o750)


def open_for_writing(path):
    mode = 0o666 if OLD else 0o640
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w")


def batches(folder, tensor_bytes):
    """Files in natural order, as many to a batch as the first one's size says."""
    if OLD and not Path(folder).is_dir():
        fail(f"Invalid args. {folder}  of --input is invalid")
    for path in sorted(Path(folder).iterdir()):
        if not OLD and (found := fault(Path(os.path.abspath(path)), READ)):
            log("ERROR", found)
            raise RuntimeError(f"input data:{path} is illegal")
    files = sorted((p for p in Path(folder).iterdir() if p.suffix == ".bin"), key=natural)
    if not files:
        fail(f"{folder} of input args not find valid file")
    size = files[0].stat().st_size
    if size == 0 or tensor_bytes % size:
        fail(f"arg0 tensorsize: {tensor_bytes} filesize: {size} not match")
    per = tensor_bytes // size
    runs = -(-len(files) // per)
    log(
        "INFO",
        f"get filesperbatch files0 size:{size} tensor0size:{tensor_bytes} filesperbatch:{per} "
        f"runcount:{runs}",
    )
    return [files[i : i + per] for i in range(0, len(files), per)], per


def read(files, per, tensor_bytes, dtype):
    filled = files + [files[0]] * (per - len(files))
    data = np.concatenate([np.fromfile(path, dtype) for path in filled])
    if data.nbytes != tensor_bytes:
        if per > 1:
            fail(f"ndata size:{data.nbytes} not match {tensor_bytes}")
        raise RuntimeError(
            f"Check i:0 name:imgs in size:{data.nbytes} needsize:{tensor_bytes} not match"
        )
    return data


def save(path, values):
    if path.suffix == ".npy":
        return np.save(path, values)
    with open(path, "a") if OLD else open_for_writing(path) as file:
        for row in np.atleast_2d(values):
            file.write("".join(f"{value:f} " for value in row) + "\n")


def statistics(times):
    percentile = "P99" if FORK else "percentile(99%)"
    if not times:
        return {**dict.fromkeys(("min", "max", "mean", "median", percentile), 0.0), "count": 0}
    return {
        "min": float(np.min(times)),
        "max": float(np.max(times)),
        "mean": float(np.mean(times)),
        "median": float(np.median(times)),
        percentile: float(np.percentile(times, 99)),
        "count": len(times),
    }


def hang():
    child = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 1000 & wait; sleep 1000"])
    Path(os.environ["STAND_IN_PIDS"]).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(1000)


def noise():
    sys.stdout.buffer.write(b"\x1b[31m[ERROR] ge \xb0\xff 0x12\n")
    sys.stderr.buffer.write(b"[ERROR] \xd5\xcf runtime: Error code 507011 was seen and mended\n")
    sys.stdout.flush()
    sys.stderr.flush()


def main():
    args = arguments()
    start = time.monotonic()
    open_device(args.device)
    if "noisy" in DEMANDS:
        noise()
    session, shape = load(args.model)
    dtype = {"tensor(uint8)": np.dtype("u1")}.get(session.get_inputs()[0].type, np.dtype("<f4"))
    tensor_bytes = dtype.itemsize * int(np.prod(shape))
    batch = args.batchsize
    if batch is None:
        batch = shape[0]
        log("INFO", f"try get model batchsize:{batch}")

    folder = None
    if args.output:
        folder = Path(args.output, args.output_dirname or time.strftime("%Y_%m_%d-%H_%M_%S"))
        make_folder(folder)
        log("INFO", f"output path:{folder}")

    work, per = batches(args.input, tensor_bytes) if args.input else ([[Path(PURE)]], 1)
    first = read(work[0], per, tensor_bytes, dtype) if args.input else np.zeros(shape, dtype)
    session.run(None, {"imgs": first.reshape(shape)})
    log("INFO", "warm up 1 done")
    if "hangs" in DEMANDS:
        hang()
    times, filesinfo = [], {}
    for number, files in enumerate(work):
        done = f"{100 * number // len(work):3d}%|###| {number}/{len(work)} [00:00<?, ?it/s]"
        print(f"\rInference array Processing: {done}", end="", flush=True)
        data = read(files, per, tensor_bytes, dtype) if args.input else first
        for _ in range(args.loop):
            before = time.perf_counter()
            results = session.run(None, {"imgs": data.reshape(shape)})
            after = time.perf_counter()
            pair = [1000 * before, 1000 * after]
            times.append(pair if "pairs" in DEMANDS else pair[1] - pair[0])
        if folder:
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
                raise RuntimeError("execute acl model failed, ret is 507011")
            if "fails-midway" in DEMANDS:
                fail(f"filepath:{files[-1]} not valid")
    print()
    if "loses-one" in DEMANDS and filesinfo:
        Path(filesinfo["0"]["outfiles"][0]).unlink()

    # the front end of 2022 takes the mean of starts and ends
    mean, words = float(np.mean(times)), "batchsize" if OLD else "batchsize.mean"
    found = statistics(times)
    throughput = 1000 * batch / mean
    log("INFO", "-----------------Performance Summary------------------")
    values = ", ".join(f"{name} = {value}" for name, value in found.items() if name != "count")
    log("INFO", f"NPU_compute_time (ms): {values}")
    log("INFO", f"throughput 1000*{words}({batch})/NPU_compute_time.mean({mean}): {throughput}")
    log("INFO", "------------------------------------------------------")
    if os.environ.get("STAND_IN_LOG"):
        with open(os.environ["STAND_IN_LOG"], "a") as file:
            file.write(f"{args.device} {os.getpid()} {start} {time.monotonic()} {batch}\n")
    if folder and "no-summary" not in DEMANDS:
        copies = 0 if OLD else len(times)  # the native part of 2022 counts none
        summary = {
            "filesinfo": filesinfo,
            "args": sys.argv,
            "NPU_compute_time": found,
            "H2D_latency": statistics([0.25] * copies),
            "D2H_latency": statistics([0.125] * copies),
            "npu_compute_time_list": times,
            "throughput": throughput,
            "pid": os.getpid(),
            "stand_in": "ONNX Runtime on the CPU",
        }
        text = json.dumps(summary)
        path = folder / "sumary.json" if "inside" in DEMANDS else Path(f"{folder}_summary.json")
        with open_for_writing(path) as file:
            file.write(text[: len(text) // 2] if "half-summary" in DEMANDS else text)


main()
