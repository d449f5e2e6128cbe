"""The payment step killed at random moments and resumed pays each due once (PAY-06, LED-01)."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from huimin.audit.verifying import verify
from huimin.database.cluster import Cluster
from huimin.demo.quarter import County
from huimin.demo.recount import compare
from tests.stages import PEOPLE, SEED, Stages

KILLS = int(os.environ.get("HUIMIN_KILLS", "30"))
RUNS_MAX = KILLS * 3
SOAK = KILLS > 30


class Runner:
    """Runs the payment step in a process of its own, and kills it when asked to."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, str(Path(__file__).with_name("zygote.py")), str(home), str(PEOPLE), str(SEED)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, database: str) -> int:
        assert self.process.stdin
        self.process.stdin.write(f"{database} {os.environ['HUIMIN_DB_PORT']}\n")
        self.process.stdin.flush()
        return int(self._line().removeprefix("pid "))

    def finish(self) -> bool:
        return self._line() == "done"

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline().strip()
        assert line, "the payment process ended"
        return line

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


@pytest.fixture
def home(stages: Stages, tmp_path: Path) -> Path:
    """A copy of the county's folder as it stood before any batch was released."""
    return stages.files("prepared", tmp_path / "county")


def test_killed_anywhere_and_resumed_every_due_is_paid_once(
    stages: Stages, county: Callable[[str], str], home: Path, cluster: Cluster
) -> None:
    """PAY-06: SIGKILL at random moments of release, writing, and taking results; soak also kills PostgreSQL."""
    chance, runner = random.Random(20210930), Runner(home)
    kills, longest = 0, 0.0
    try:
        while kills < KILLS:
            name = county("prepared")
            shutil.rmtree(home)
            stages.files("prepared", home)
            for _ in range(RUNS_MAX):
                began = time.monotonic()
                pid = runner.start(name)
                if kills < KILLS:
                    time.sleep(chance.uniform(0.0, max(longest, 3.0)))
                    kills += _kill(pid, chance, stages, cluster)
                if runner.finish():
                    longest = max(longest, time.monotonic() - began)
                    break
            else:
                pytest.fail("the payment step never came to its end")
            stages.use(name)
            _require_exact(home)
    finally:
        runner.close()
    print(f"{kills} kills, an unkilled run took {longest:.1f} s")


def _kill(pid: int, chance: random.Random, stages: Stages, cluster: Cluster) -> int:
    """Kill the step, in a soak now and then PostgreSQL as well; 0 when the step was over already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    if SOAK and chance.random() < 0.1:
        cluster.kill()
        cluster.start()
        stages.reconnect()
    return 1


def _require_exact(home: Path) -> None:
    comparisons = compare(County(people=PEOPLE, seed=SEED, home=home))
    assert [one for one in comparisons if one.difference] == []
    paid = next(one for one in comparisons if one.what == "已发行数")
    assert paid.ours > 0
    report = verify()
    assert report.ok, report.lines()
