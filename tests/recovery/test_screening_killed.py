"""A screening killed at any moment, and resumed, ends with exactly one set of proposals (DET-01, DET-07)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connections

from huimin.demo import dates
from huimin.demo.actors import COUNTY
from huimin.demo.granting import county_officer
from huimin.jobs.models import Job
from huimin.jobs.queries import anybody_works
from huimin.organisation.acting import reading
from huimin.screening.commands import KIND, request_screening
from huimin.screening.models import Proposal, Run
from huimin.screening.proving import prove_runs

KILLS = 8
ROOT = Path(__file__).resolve().parents[2]


def ask() -> Job:
    by = county_officer()
    return request_screening(by=by, on=dates.SCREENED, division=COUNTY, determination_date=dates.DETERMINED_FOR)


def require_one_set() -> None:
    with reading(county_officer()):
        [run] = Run.objects.all()
        assert run.state == "finished"
        assert Proposal.objects.filter(state="open").count() == Proposal.objects.count() == run.listed > 0
        assert Job.objects.get(kind=KIND).state == "finished"
    assert all(proof.ok for proof in prove_runs(county_officer()))


def test_killed_at_random_moments_it_ends_with_one_set(county: Callable[[str], str]) -> None:
    """SIGKILL between opening the run and its last commit, each attempt at another moment."""
    chance, kills, took = random.Random(20210701), 0, 1.0
    command = [sys.executable, str(Path(__file__).with_name("screener.py"))]
    zygote = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert zygote.stdin and zygote.stdout
    try:
        while kills < KILLS:
            name = county("adopted")
            ask()
            for number in range(4):
                began = time.monotonic()
                zygote.stdin.write(f"{name} {os.environ['HUIMIN_DB_PORT']}\n")
                zygote.stdin.flush()
                pid = int(zygote.stdout.readline().removeprefix("pid "))
                if number < 3:
                    time.sleep(chance.uniform(0.02, took))
                    kills += _kill(pid)
                if zygote.stdout.readline().strip() == "done":
                    took = time.monotonic() - began if number == 3 else took
                    break
            require_one_set()
    finally:
        zygote.stdin.close()
        zygote.wait(30)


def _kill(pid: int) -> int:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def test_the_program_starts_again_what_was_killed(county: Callable[[str], str]) -> None:
    """`./huimin work`: the working child is killed; the job is done all the same; SIGTERM ends both."""
    name = county("adopted")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "HUIMIN_DB_NAME": name}
    worker = subprocess.Popen([sys.executable, "-m", "huimin", "work"], env=environment, cwd=ROOT)
    try:
        _until(_somebody_works)
        for child in _children(worker.pid):
            os.kill(child, signal.SIGKILL)
        job = ask()
        _until(lambda: _state(job) == "finished")
        require_one_set()
    finally:
        worker.terminate()
        assert worker.wait(20) == 0
    _until(lambda: not _somebody_works())


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _somebody_works() -> bool:
    with reading(county_officer()):
        return anybody_works()


def _state(job: Job) -> str:
    with reading(county_officer()):
        return str(Job.objects.get(pk=job.pk).state)


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.2)
    connections["default"].close()
