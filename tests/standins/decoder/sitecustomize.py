"""Makes OpenCV's decoder hang on, or die of, the videos that STAND_IN_DECODER names.

On PYTHONPATH: every Python program imports a module of this name when it starts.
STAND_IN_DECODER: as in a_000000_000010=hang,b_000000_000010=SIGSEGV
"""

import os
import signal
import time
from pathlib import Path

import cv2

FAULTS = dict(pair.split("=") for pair in os.environ["STAND_IN_DECODER"].split(","))
real = cv2.VideoCapture


def faulty(path, *arguments):
    fault = FAULTS.get(Path(path).stem)
    if fault == "hang":
        time.sleep(3600)
    elif fault:
        os.kill(os.getpid(), signal.Signals[fault])
    return real(path, *arguments)


cv2.VideoCapture = faulty
