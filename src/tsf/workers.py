"""Run a function over many items in processes of their own, any of which may die or never end.

A decoder that crashes, takes all memory or loops costs the item that it worked on, no other. A pool
of multiprocessing waits for ever for the result of a worker that was killed, and one of
concurrent.futures gives up every item that is left.
"""

import os
import pickle
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from tsf.errors import UserError
from tsf.progress import begin, with_progress

Item = TypeVar("Item")
Result = TypeVar("Result")
# spawned, not forked: OpenCV's and PyAV's threads do not survive a fork
SPAWN = get_context("spawn")
NO_MEMORY = 99  # the exit status of a worker that got none; its memory is free then


def _refuse(item: object, reason: str) -> Any:
    raise UserError(f"{item}: {reason}; run again")


def each(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    label: str,
    lost: Callable[[Item, str], Result] = _refuse,
    limit: float | None = None,
) -> list[Result]:
    """The results of `work` on every item, in order. label: what the progress lines begin with.

    An item whose process died gets one more try, when no other is at work. lost: makes the result
    of an item that is given up, of it and the reason. limit: seconds that an item may take.
    Raises what `work` raises.
    """
    begin(workers=max(1, min(processes, len(items))))
    if processes > 1 and len(items) > 1:
        done = _as_they_end(work, items, processes, lost, limit)
    else:
        done = enumerate(one_by_one(work, items, lost, limit))
    results = dict(with_progress(done, len(items), label))
    return [results[number] for number in range(len(items))]


def one_by_one(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    lost: Callable[[Item, str], Result] = _refuse,
    limit: float | None = None,
    tries: int = 2,
) -> Iterator[Result]:
    """As `each` with one process, and only as far as results are asked for."""
    worker = None
    try:
        for item in items:
            for last in range(tries - 1, -1, -1):
                worker = worker or _Worker(work, limit)
                worker.take(0, item)
                while (outcome := worker.outcome()) is None:
                    wait([worker.pipe], worker.seconds_left())
                if isinstance(outcome, _Died):
                    worker.kill()
                    worker = None
                    if last and outcome.worth_another_try:
                        continue
                    yield lost(item, outcome.reason)
                else:
                    yield outcome[0]
                break
    finally:
        if worker:
            worker.kill()


def _as_they_end(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    lost: Callable[[Item, str], Result],
    limit: float | None,
) -> Iterator[tuple[int, Result]]:
    """The number of each item and its result, as they come in."""
    waiting, alone = deque(range(len(items))), []
    workers = [_Worker(work, limit) for _ in range(min(processes, len(items)))]
    try:
        while waiting or any(worker.busy for worker in workers):
            for worker in workers:
                if waiting and not worker.busy:
                    number = waiting.popleft()
                    worker.take(number, items[number])
            busy = [worker for worker in workers if worker.busy]
            left = [s for worker in busy if (s := worker.seconds_left()) is not None]
            wait([worker.pipe for worker in busy], min(left, default=None))
            for worker in busy:
                outcome = worker.outcome()
                if isinstance(outcome, _Died):
                    worker.kill()
                    workers[workers.index(worker)] = _Worker(work, limit)
                    if outcome.worth_another_try:
                        alone.append(worker.number)
                    else:
                        yield worker.number, lost(items[worker.number], outcome.reason)
                elif outcome is not None:
                    yield worker.number, outcome[0]
    finally:
        for worker in workers:
            worker.kill()
    others = one_by_one(work, [items[number] for number in alone], lost, limit, tries=1)
    yield from zip(alone, others, strict=True)


@dataclass(frozen=True)
class _Died:
    reason: str
    worth_another_try: bool


class _Worker:
    """A process that works on one item at a time, and the pipe to it."""

    def __init__(self, work: Callable[[Any], Any], limit: float | None):
        self.limit = limit
        self.number = -1  # of the item at work
        self.busy = self.begun = False
        self.end: float | None = None  # when the limit is reached, on time.monotonic's clock
        self.pipe, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=_serve, args=(work, theirs), daemon=True)
        self.process.start()
        theirs.close()  # so that the pipe ends with the process

    def take(self, number: int, item: object) -> None:
        self.number, self.busy, self.end = number, True, None
        with suppress(OSError):  # if it has died meanwhile, `outcome` will find that
            self.pipe.send(item)

    def seconds_left(self) -> float | None:
        return None if self.end is None else max(self.end - time.monotonic(), 0)

    def outcome(self) -> tuple[Any] | _Died | None:
        """The result at hand as (result,), None if there is none yet. Raises what `work` raised."""
        if not self.pipe.poll():
            if self.seconds_left() != 0:
                return None
            return _Died(f"took more than {self.limit:g} s", worth_another_try=False)
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            if not self.begun:
                raise UserError(f"a worker process {self._ending()} before it began") from None
            return _Died(f"its process {self._ending()}, twice", worth_another_try=True)
        if message is None:  # it begins with the item; to start the process takes a second or more
            self.begun = True
            self.end = None if self.limit is None else time.monotonic() + self.limit
            return None
        self.busy = False
        succeeded, result = message
        if not succeeded:
            raise result
        return (result,)

    def _ending(self) -> str:
        status = self.process.exitcode or 0
        if status == NO_MEMORY:
            return "ran out of memory"
        if status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        return f"ended with status {status}"

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(work: Callable[[Any], Any], pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of Ctrl-C the parent tells
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    while True:
        try:
            item = pipe.recv()
        except (EOFError, OSError):  # the parent has ended, or was killed
            return
        pipe.send(None)
        pipe.send(_tried(work, item))


def _end_with_the_parent() -> None:
    """A worker whose parent was killed would hold open the pipe to `tee`, and so the whole job."""
    parent = parent_process()
    if parent:
        wait([parent.sentinel])
        os._exit(1)


def _tried(work: Callable[[Any], Any], item: object) -> tuple[bool, object]:
    try:
        return True, work(item)
    except MemoryError:
        os._exit(NO_MEMORY)
    except Exception as error:
        if not isinstance(error, (UserError, OSError)):  # which are told in one line
            error.add_note(traceback.format_exc())
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # some libraries' exceptions do not come back from a pickle
            error = RuntimeError(f"{type(error).__name__}: {error}")
        return False, error
