"""Fetch the pinned upstream sources, check them and apply our patches.

The result is one folder with importable packages `mmaction` (its configs and tools under
mmaction/.mim) and `mmcv`. Nothing upstream is kept in this repository.
"""

import argparse
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import patch_ng

from tsf import errors
from tsf.errors import UserError
from tsf.files import sha256, whole_folder
from tsf.model import package_index


@dataclass(frozen=True)
class Source:
    requirement: str  # project==version
    archive: str
    sha256: str
    prefix: str  # the folder inside the archive that holds the package
    package: str


SOURCES = [
    # the release equals the guide's commit f58e10d0 in every file that matters here
    Source(
        requirement="mmaction2==0.24.1",
        archive="mmaction2-0.24.1-py2.py3-none-any.whl",
        sha256="e79f24574d6f3abc0dfa933e23cdf5d3a3e6f04098ac0482c0dc62be7eef9e96",
        prefix="",
        package="mmaction",
    ),
    # TimeSformer uses none of mmcv-full's compiled operators, so the source is enough
    Source(
        requirement="mmcv-full==1.5.3",
        archive="mmcv-full-1.5.3.tar.gz",
        sha256="20145d0ecfb11b062104086181aa210b2bcf528448b3e5b15b24e91b45c82cc4",
        prefix="mmcv-full-1.5.3",
        package="mmcv",
    ),
]


def download(source: Source, folder: Path) -> Path:
    """Download an archive from the package index. Raises UserError."""
    try:
        return package_index.get(source.requirement.partition("==")[0], source.archive, folder)
    except UserError as fault:
        raise UserError(
            f"cannot download {source.requirement}: {fault}; without network put "
            f"{source.archive} into a folder and set upstream.archives to it in the config"
        ) from None


def fetch(source: Source, archives: Path | None, scratch: Path) -> Path:
    """The archive, from the folder `archives` or else the index, its sha256 checked.

    Raises UserError.
    """
    archive = archives / source.archive if archives else download(source, scratch)
    if not archive.is_file():
        raise UserError(f"{archive}: no such file; it is the source of {source.requirement}")
    found = sha256(archive)
    if found != source.sha256:
        raise UserError(
            f"{archive}: sha256 is {found}, expected {source.sha256}; "
            f"delete it and get {source.requirement} again"
        )
    return archive


def unpack(source: Source, archive: Path, folder: Path) -> None:
    """Unpack the archive's package into `folder`."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        if archive.suffix == ".whl":
            zipfile.ZipFile(archive).extractall(scratch)
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(scratch, filter="data")
        (Path(scratch) / source.prefix / source.package).rename(folder / source.package)


def apply_patch(patch: Path, folder: Path) -> None:
    """`patch -p1 < patch` in `folder`, all of it or an error, without needing the program."""
    changes = patch_ng.fromfile(str(patch))
    for change in changes.items if changes else []:
        # of what looks like git's or Mercurial's it has taken a/ and b/ away by itself
        if change.type not in (patch_ng.GIT, patch_ng.HG):
            change.source, change.target = map(
                _without_first_folder, (change.source, change.target)
            )
    if not changes or not changes.apply(root=str(folder)):
        raise UserError(f"{patch}: does not apply to the pinned sources; make it against them")


def _without_first_folder(name: bytes) -> bytes:
    return name if name == b"/dev/null" else name.partition(b"/")[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archives", type=Path, help="folder with the archives, not the index")
    parser.add_argument("--patches", type=Path, nargs="*", default=[])
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    args = parser.parse_args()

    with whole_folder(args.output) as folder, tempfile.TemporaryDirectory() as scratch:
        for source in SOURCES:
            unpack(source, fetch(source, args.archives, Path(scratch)), folder)
            print(f"{source.requirement}: sha256 matches")
        for patch in args.patches:
            apply_patch(patch, folder)
            print(f"applied {patch}")


if __name__ == "__main__":
    errors.run(main)
