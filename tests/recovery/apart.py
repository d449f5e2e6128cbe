"""An instance of its own that may be killed: a PostgreSQL that keeps what it committed, the site, the worker, the bank's server.

Everything runs as in service: `./huimin work` with its child, gunicorn as `./huimin serve` starts it, files over SFTP.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from bank_simulator.sftp import serve
from huimin.database.cluster import Cluster
from huimin.demo.cli import web_command
from tests.stages import Stages, copy_tree

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("worker", "web", "postgres")
FROM = "accrued"
"""The stage a quarter begins from here: the households have their dues, nobody has compiled anything."""
WHOLE = 8
"""Of this many kills of the worker or the site one takes the process above too, as a lack of memory might."""
_LASTING = "fsync = on\nsynchronous_commit = on\nfull_page_writes = on\n"


class Apart:
    """The copy of a test process' folder and server, under `home`."""

    def __init__(self, stages: Stages, home: Path) -> None:
        self.home = home
        home.mkdir(mode=0o711)
        stages.close()
        stages.cluster.stop()
        copy_tree(stages.home, home)
        stages.cluster.start()
        stages.reconnect()
        self.cluster = Cluster(home / "postgres", stages.cluster.programs)
        with (self.cluster.data / "postgresql.conf").open("a") as conf:
            conf.write(_LASTING)
        self.cluster.start()
        self.stages = Stages(self.cluster, home)
        for stage in self.stages.built - {FROM}:
            self.stages.drop(f"stage_{stage}")
        self.site: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.log = (home / "processes.log").open("ab")
        self.calm = threading.Lock()
        self.at_work = threading.Event()

    def open(self, name: str, bank: Path) -> None:
        """Site and worker on this database, with the bank's folders."""
        self.stages.use(name)
        self.environment = os.environ | {
            "HUIMIN_HOME": str(self.home), "HUIMIN_OUTBOX": str(bank / "outbox"), "HUIMIN_INBOX": str(bank / "inbox"),
            "HUIMIN_KEYS_FILE": str(self.home / "secrets.env"), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        }  # fmt: skip
        self.start_site()
        self.start_worker()
        self.name = name

    def go_on(self) -> None:
        """Our own looks go to this instance again; when the site is there."""
        self.stages.reconnect()
        self.stages.use(self.name)
        _until(self.answers)

    def start_site(self) -> None:
        self.site = self._run(web_command(self.port))

    def start_worker(self) -> None:
        self.worker = self._run([sys.executable, "-m", "huimin", "work"])

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log)

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def close(self) -> None:
        """Site and worker end as they should."""
        for process in (self.site, self.worker):
            if process is not None:
                process.terminate()
                process.wait(60)
        self.site = self.worker = None

    def remove(self) -> None:
        self.close()
        self.stages.use("postgres")
        self.stages.close()
        self.cluster.remove()
        self.log.close()


class Killer:
    """Kills at random moments, each kind as often as `kinds` says; the worker only while it has work."""

    def __init__(self, apart: Apart, chance: random.Random, kinds: list[str], pause: float) -> None:
        self.apart, self.chance, self.left, self.pause = apart, chance, kinds, pause
        self.done: Counter[str] = Counter()
        self.over = threading.Event()
        self.pool = ThreadPoolExecutor(1)
        self.ran = self.pool.submit(self._run)

    def _run(self) -> None:
        while self.left and not self.over.is_set():
            self._next()

    def stop(self) -> None:
        """No more kills; raises what went wrong with one."""
        self.over.set()
        self.pool.shutdown()
        self.ran.result()

    def _next(self) -> None:
        self.over.wait(self.chance.uniform(0.0, self.pause))
        working = self.apart.at_work.is_set()
        up = {kind: self._processes(kind) for kind in ("web", "worker")}
        ready = {"postgres": True, "web": len(up["web"]) > 1, "worker": working and len(up["worker"]) > 1}
        kind = next((each for each in self.left if ready[each]), None)
        if kind is None:
            time.sleep(0.01)
            return
        with self.apart.calm:
            if self.over.is_set():
                return
            if kind == "postgres":
                self._kill_postgres()
            else:
                self._kill(kind, up[kind])
        self.left.remove(kind)
        self.done[kind] += 1

    def _processes(self, kind: str) -> list[int]:
        """The process that was started and those beneath it; nothing beneath while it still loads."""
        process = self.apart.site if kind == "web" else self.apart.worker
        assert process
        return [process.pid, *_children(process.pid)]

    def _kill(self, kind: str, pids: list[int]) -> None:
        """One of the processes beneath; or all, then somebody must start it again."""
        whole = self.chance.randrange(WHOLE) == 0
        for pid in pids if whole else [self.chance.choice(pids[1:])]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if whole:
            process, start = (
                (self.apart.site, self.apart.start_site)
                if kind == "web"
                else (self.apart.worker, self.apart.start_worker)
            )
            assert process
            process.wait(30)
            start()

    def _kill_postgres(self) -> None:
        self.apart.cluster.kill()
        time.sleep(self.chance.uniform(0.0, 0.3))
        self.apart.cluster.start()


class BankServer:
    """The bank's SFTP server in a thread of its own; `root` holds outbox and inbox."""

    def __init__(self, root: Path, host_key: Path, authorized: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.acceptor: Any = asyncio.run_coroutine_threadsafe(serve(root, host_key, authorized), self.loop).result(30)
        self.port = int(self.acceptor.get_port())

    def close(self) -> None:
        self.acceptor.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


def _children(pid: int) -> list[int]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)
