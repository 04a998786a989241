"""A folder on a node's own disk for a job's .bin files, under a cap that all jobs there share.

    tsf-<user>-<node>/lock             held while folders are made, counted and deleted
    tsf-<user>-<node>/<job>.<random>/  a job's: bins/, and claim, the MB that they may take

A job locks its claim, and the system drops that lock when the process ends, however it ends. So a
folder whose claim nobody has locked is what a killed job has left, of this run or another one, and
whoever comes next deletes it. The node's name is in the path, as nodes that share a folder may not
see each other's locks.
"""

import fcntl
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tsf.errors import UserError
from tsf.progress import announce

SECONDS_BETWEEN_TRIES = 1.0
# TMPDIR as the user or the scheduler has set it, which rules/shards.smk keeps: Snakemake gives its
# jobs /tmp where it is not set or no folder
OWN_TMPDIR = "TSF_TMPDIR"


def place(scratch: str) -> Path:
    """The folder that the config's `scratch` stands for on this machine.

    scratch: an absolute path, or $NAME of an environment variable that holds one. Raises UserError
    if it is not a folder to write to.
    """
    path, said = scratch, f"scratch {scratch}"
    if scratch.startswith("$"):
        name = scratch.removeprefix("$")
        names = (OWN_TMPDIR, name) if name == "TMPDIR" else (name,)
        path = next((os.environ[name] for name in names if name in os.environ), "")
        if not path:
            raise UserError(
                f"{said}: not set on {socket.gethostname()}; set it there, or write a folder, as "
                "in scratch: /tmp"
            )
        said = f"{said}: {path}"
    if not os.path.isabs(path):
        raise UserError(f"{said}: not an absolute path")
    if not os.path.isdir(path) or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise UserError(
            f"{said}: no folder that can be written to on {socket.gethostname()}; make it there, "
            "or name another one"
        )
    return Path(path)


@contextmanager
def job_folder(scratch: str, job: str, mb: int, cap_mb: int | None) -> Iterator[Path]:
    """A folder for a job's .bin files, which is deleted afterwards.

    job: what the folder's name begins with. mb: what the files may take, in MB of 10^6 bytes.
    Waits while the claims of the other jobs of this user on this node, and `mb`, are more than
    cap_mb, or while the disk has no room for all of them. Raises UserError if there are no others
    to wait for.
    """
    home = _home(place(scratch))
    folder, claim = _room(home, job, mb, cap_mb)
    try:
        yield folder / "bins"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(claim)


def delete_leftovers(scratch: str) -> None:
    """Delete what killed jobs of this user have left on this machine, if `scratch` is here."""
    with suppress(UserError):  # on a cluster it may be there on the nodes alone
        where = place(scratch)
        if (where / _name()).is_dir():
            home = _home(where)
            with _locked(home):
                _living(home)


def _name() -> str:
    return f"tsf-{os.getuid()}-{socket.gethostname()}"


def _home(where: Path) -> Path:
    """This user's folder on this node. Raises UserError if it is no folder, or another user's."""
    home = where / _name()
    with suppress(FileExistsError):
        home.mkdir(mode=0o700)
    if home.is_symlink() or not home.is_dir():
        raise UserError(f"{home}: a file or a link, no folder; delete it, or set another scratch")
    if home.stat().st_uid != os.getuid():
        raise UserError(f"{home}: belongs to another user; set scratch to another folder")
    return home


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    if (home / "lock").is_dir():
        raise UserError(f"{home}/lock: a folder, no file to lock; delete it")
    with open(home / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            raise UserError(
                f"{home}: files cannot be locked there ({error.strerror}); set scratch to a folder "
                "on a disk of the machine's own"
            ) from None
        yield


def _room(home: Path, job: str, mb: int, cap_mb: int | None) -> tuple[Path, int]:
    """A new folder and its locked claim, an open file, once there is room. Raises UserError."""
    waits = False
    while True:
        with _locked(home):
            claims = _living(home)
            lack = _lack(home, claims, mb, cap_mb)
            if not lack:
                return _claimed(home, job, mb)
        if not claims:
            raise UserError(lack)
        if not waits:
            announce(f"wait for other jobs: {lack}")
            waits = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def _living(home: Path) -> dict[Path, int]:
    """The MB that each living job has claimed, by its folder; deletes the folders of the others.

    Raises UserError for a locked claim without a number: the job may take any amount.
    """
    claims = {}
    for folder in [path for path in home.iterdir() if path.is_dir()]:
        # without a claim, or with a folder in its place, no job has it: one was killed while it
        # made the folder, or is deleting it now
        with suppress(FileNotFoundError, IsADirectoryError), open(folder / "claim", "r+") as claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                said = claim.read()
                if not (said.isascii() and said.isdigit()):
                    raise UserError(
                        f"{folder}/claim: a job holds it, but it says no MB; end that job and run "
                        "again"
                    ) from None
                claims[folder] = int(said)
                continue
        shutil.rmtree(folder, ignore_errors=True)
    return claims


def _lack(home: Path, claims: dict[Path, int], mb: int, cap_mb: int | None) -> str:
    """Why `mb` more do not fit beside the claims of the others; "" if they do."""
    claimed = sum(claims.values())
    if cap_mb is not None and claimed + mb > cap_mb:
        return (
            f"{home}: {mb} MB of .bin files beside {claimed} MB of other jobs are more than "
            f"disk_mb={cap_mb}"
        )
    coming = sum(max(0, claim - _written_mb(folder)) for folder, claim in claims.items())
    free = int(shutil.disk_usage(home).free / 1e6)
    if free - coming < mb:
        others = f", of which other jobs will take {coming} MB" if coming else ""
        return (
            f"{home}: {free} MB are free{others}, and the .bin files take {mb} MB; free some "
            "space, or set more shards or another scratch"
        )
    return ""


def _written_mb(folder: Path) -> int:
    """What a job has written so far; it may be deleting it meanwhile."""
    size = 0
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder / "bins"):
            with suppress(FileNotFoundError):
                size += entry.stat().st_size
    return int(size / 1e6)


def _claimed(home: Path, job: str, mb: int) -> tuple[Path, int]:
    """A folder of a name that no other job has. Its lock is not inherited by other programs."""
    folder = Path(tempfile.mkdtemp(prefix=f"{job}.", dir=home))
    (folder / "bins").mkdir()
    claim = os.open(folder / "claim", os.O_CREAT | os.O_RDWR)
    fcntl.flock(claim, fcntl.LOCK_EX)
    os.write(claim, str(mb).encode())
    return folder, claim
