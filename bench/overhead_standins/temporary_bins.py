"""A stand-in for tsf.data.temporary_bins that decodes nothing, and runs the inference's stand-in.

That infers nothing: it writes made-up logits for the videos of the shard's table.
"""

import sys
import zlib
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.data.decoded import read_decoded
from tsf.engines.described import read_described
from tsf.files import whole_folder, write_json
from tsf.inference import results

CLASSES = 400


def main() -> None:
    options = dict(zip(sys.argv[1:], sys.argv[2:], strict=False))
    described = read_described(Path(options["--engine"]))
    output = Path(options["--output"])
    files = {}
    with whole_folder(output) as folder:
        for video in read_decoded(Path(options["--table"])):
            random = np.random.default_rng(zlib.crc32(video.name.encode()))
            logits = random.normal(0, 3, (described.recipe.views, CLASSES)).astype(np.float32)
            results.write_logits(results.result_path(folder, video.name), logits)
            files[f"{options['--input']}/{video.name}.bin"] = f"{output}/{video.name}_0.txt"
        arguments = {
            "model": str(described.file),
            "input": options["--input"],
            "output": str(output),
            "outfmt": "TXT",
            "batchsize": 1,
            "engine": described.setup.engine,
            "precision": described.setup.precision,
            "device": "made up",
            "threads": 1,
        }
        content = results.summary(files, [1.0] * len(files), arguments)
        write_json(folder / results.SUMMARY, content)


if __name__ == "__main__":
    errors.run(main)
