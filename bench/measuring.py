"""How the benchmarks measure: time, peak memory, and the shape of a result.

in    functions to call
out   seconds of the best of several calls; the process's peak resident memory between two points; `Result`s

Best of several, because what disturbs a measurement only ever adds to it. Memory is what Linux counts as resident
(VmHWM), with the mark set back before the part that is measured.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Result:
    """One line: what was measured, what it is compared with, and what was hoped for.

    `ratio` is value ÷ yardstick, or yardstick ÷ value where more is better for us (`faster`); `goal` bounds it or the
    value, in words; `met` says whether it was reached. `detail` holds what else a program may want.
    """

    bench: str
    work: str
    value: float
    unit: str
    yardstick: str
    yardstick_value: float
    ratio: float
    goal: str
    met: bool
    peak_memory_mb: int
    detail: dict[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def best_of(times: int, work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of the quickest of several calls, and what the last one returned."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        outcome = work()
        seconds.append(time.perf_counter() - began)
    return min(seconds), outcome


def forget_peak() -> None:
    """From here on `peak_memory_mb` counts anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mb() -> int:
    return _status_mb("VmHWM")


def memory_mb() -> int:
    return _status_mb("VmRSS")


class Watch:
    """Memory while something runs: what the process added at its peak, and at its peak the private memory of its database session.

    The session's is sampled, ten times a second, from what Linux counts as its own (RssAnon): shared buffers are everybody's.
    `load` is the machine's when it began: how busy others were; `cpu_seconds` what process and session together computed, which
    others slow down little: on a machine of one's own a step that uses them in turn takes about as long.
    """

    def __init__(self) -> None:
        self.added_mb = self.session_mb = 0
        self.load = self.cpu_seconds = 0.0
        self._ended = threading.Event()

    def __enter__(self) -> "Watch":
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [self._session] = cursor.fetchone()
        self._cpu = self._computed()
        self.load = round(os.getloadavg()[0], 1)
        self._before = memory_mb()
        self._sampler = threading.Thread(target=self._sample, args=(self._session,), daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._sampler.join()
        self.added_mb = peak_memory_mb() - self._before
        self.cpu_seconds = round(self._computed() - self._cpu, 2)

    def _computed(self) -> float:
        told = Path(f"/proc/{self._session}/stat").read_text().rpartition(")")[2].split()
        return time.process_time() + (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    def _sample(self, pid: int) -> None:
        while not self._ended.wait(0.1):
            self.session_mb = max(self.session_mb, _status_mb("RssAnon", str(pid)))


def _status_mb(name: str, process: str = "self") -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) // 1024


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    information = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in information if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": len(os.sched_getaffinity(0)), "processor": model, "memory_mb": memory // MEGABYTE}
