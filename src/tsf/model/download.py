"""Download a file that is known by its sha256: resumed where it broke off, and checked."""

import argparse
import http.client
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tsf import errors
from tsf.errors import UserError, on_one_line
from tsf.files import sha256
from tsf.progress import SECONDS_BETWEEN_LINES

CHUNK = 1 << 20  # bytes
TIMEOUT = 60  # seconds without a byte


def download(url: str, digest: str, output: Path) -> None:
    """Save `url` as `output` if its sha256 begins with `digest`.

    What has arrived stays in `<output>.part` when the connection breaks, and the next call goes
    on from there. Raises UserError if the download fails, or has another sha256.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(f"{output.name}.part")
    try:
        _fetch(url, part)
    except (
        urllib.error.URLError,
        http.client.HTTPException,
        TimeoutError,
        ConnectionError,
        ValueError,  # of a URL that is none, and of a host with impossible characters
    ) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(
            f"{url}: cannot be downloaded ({on_one_line(reason)}); run again to resume, or "
            "download it elsewhere and set model.checkpoint to the file"
        ) from None
    found = sha256(part)
    if not found.startswith(digest):
        part.unlink()
        raise UserError(
            f"{url}: sha256 is {found}, expected {digest}...; the file was deleted, check "
            "model.checkpoint and model.sha256"
        )
    os.replace(part, output)


def _fetch(url: str, part: Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if have and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # the file was complete already; its sha256 decides
        raise
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if resumed else 0
        # without a number of bytes, the sha256 alone tells whether all are there
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else 0
        last_line = time.monotonic()
        with open(part, "ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                if time.monotonic() - last_line >= SECONDS_BETWEEN_LINES:
                    last_line = time.monotonic()
                    size = f" of {total >> 20}" if total else ""
                    print(f"download: {have >> 20}{size} MiB", file=sys.stderr, flush=True)
    if total and have < total:
        raise http.client.IncompleteRead(b"", total - have)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--sha256", required=True, help="all of it, or its first 8 digits or more")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    download(args.url, args.sha256, args.output)
    print(f"{args.output}: sha256 matches {args.sha256}")


if __name__ == "__main__":
    errors.run(main)
