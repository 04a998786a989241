"""A stand-in of ais_bench's native part: only so that it can be found.

With `noisy` among the STAND_IN_AIS_BENCH it prints lines, in no encoding, as native libraries do.
"""

import os

if "noisy" in os.environ.get("STAND_IN_AIS_BENCH", ""):
    os.write(1, b"[INFO] acl init \xd5\xcf\n[INFO] no end of line")
    os.write(2, b"[WARNING] \xff driver\n")
