"""A private Slurm cluster of three nodes on this machine, for the tests.

The daemons (munged, slurmctld, a slurmd for every node) are processes of the tests, by root or any
other user: no service, nothing in /etc, every file in one folder, every port on 127.0.0.1.

`python tests/slurm.py FOLDER` ends the cluster in this folder when its standard input ends: a pipe
from the tests' process, which may end in any way.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import psutil

NODES = ("n1", "n2", "n3")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"  # where Debian has the daemons
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel")
MISSING = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]

# A node claims 4 CPUs and 4 GB, whatever the machine has (config_overrides). The emptiest node gets
# a job (CR_LLN), so that few jobs use all nodes. squeue knows every job to the end (MinJobAge).
# Slurm takes a silent daemon for a dead one after SlurmdTimeout: here that is only a busy machine.
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
PlugStackConfig={folder}/plugstack.conf
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory,CR_LLN
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MinJobAge=3600
KillWait=2
SlurmdTimeout=300
GresTypes=gpu
"""
NODE = (
    "NodeName={name} NodeHostname={name} NodeAddr=127.0.0.1 Port={port} CPUs=4 RealMemory=4000"
    " Gres=gpu:1\n"
)
PARTITION = "PartitionName=main Nodes=ALL Default=YES\n"


@dataclass(frozen=True)
class Job:
    """A job as squeue knows it, also when it has ended."""

    id: str
    name: str
    comment: str
    state: str
    node: str


@dataclass(frozen=True)
class Cluster:
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use this cluster, and no other that the tests run on."""
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{PATH}"
        others = ("SLURM", "SBATCH", "SRUN", "SQUEUE", "SINFO")
        own = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        return {**own, "SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def run(self, *command: str) -> str:
        return subprocess.run(
            command,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        ).stdout

    def jobs(self) -> list[Job]:
        """All jobs since the start, in the order of their submission."""
        lines = self.run(
            "squeue", "--noheader", "--states=all", "--sort=i", "--format=%i|%j|%k|%T|%N"
        )
        return [Job(*line.split("|")) for line in lines.splitlines()]

    def idle(self) -> int:
        """The nodes that have no job; none as long as slurmctld does not answer."""
        with suppress(subprocess.SubprocessError):
            return len(self.run("sinfo", "--noheader", "--Node", "--states=idle").splitlines())
        return 0

    def start(self, name: str, *command: str) -> None:
        """Start a daemon, in a folder of its own."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        with open(self.folder / f"{name}.out", "w") as output:
            subprocess.Popen(
                command,
                cwd=folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def lose(self, node: str) -> None:
        """The node dies. An administrator tells Slurm, which would find out by SlurmdTimeout."""
        kill(self.folder / node)
        self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")


def running(folder: Path) -> list[psutil.Process]:
    """The daemons in a folder, then their jobs' processes.

    A job's slurmstepd hides its environment, but is in the folder of its slurmd.
    """
    daemons, below = [], []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(folder):
                daemons.append(process)
                below += process.children(recursive=True)
    return [*daemons, *below]


def kill(folder: Path) -> None:
    """Kill the daemons in a folder and their jobs, at once."""
    while processes := running(folder):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def write_config(folder: Path) -> None:
    port, *ports = free_ports(1 + len(NODES))
    host = socket.gethostname().split(".")[0]
    config = CONFIG.format(folder=folder, host=host, port=port, user=getuser())
    for name, port in zip(NODES, ports, strict=True):
        config += NODE.format(name=name, port=port)
    (folder / "slurm.conf").write_text(config + PARTITION)
    (folder / "plugstack.conf").touch()
    # a pretend GPU for every node
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")
    (folder / "state").mkdir()
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o600)
    # the plugin takes SLURM_CONF from the srun inside of a job, which finds /etc/slurm elsewhere
    (folder / "bin").mkdir()
    srun = folder / "bin/srun"
    srun.write_text(
        f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun", path=PATH)} "$@"\n'
    )
    srun.chmod(0o755)


def wait(what: str, done: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until it is so. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.2)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A running cluster in this new folder.

    The folder's path must have no blanks and, for the sockets in it, at most some 80 letters.
    """
    write_config(folder)
    found = Cluster(folder)
    end = [sys.executable, __file__, folder]
    with subprocess.Popen(end, stdin=subprocess.PIPE, start_new_session=True):
        found.start(
            *("munged", "munged", "--foreground", "--force", f"--key-file={folder}/key"),
            *(f"--socket={folder}/munge.sock", "--pid-file=pid", "--log-file=log"),
            "--seed-file=seed",
        )
        wait("munged", (folder / "munge.sock").exists)
        found.start("slurmctld", "slurmctld", "-D")
        for node in NODES:
            found.start(node, "slurmd", "-D", "-N", node)
        wait("three idle nodes", lambda: found.idle() == len(NODES))
        yield found


if __name__ == "__main__":
    sys.stdin.read()
    kill(Path(sys.argv[1]))
