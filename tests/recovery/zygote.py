"""A process that has everything imported and forks the payment step on demand, so that a kill lands in its work.

stdin   one line a run: the database's name and port
stdout  `pid N` when a run began, then `done` or `died`
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
os.environ["DJANGO_SETTINGS_MODULE"] = "huimin.settings.base"

import django  # noqa: E402

django.setup()

from django.db import connections  # noqa: E402

from huimin.demo.paying import answer, release  # noqa: E402
from huimin.demo.quarter import County  # noqa: E402


def step(name: str, port: str, county: County) -> None:
    """Release, send, let the bank answer, take the answers: the step that must survive anything."""
    for alias in ("default", "owner", "maintenance"):
        connections[alias].settings_dict.update(NAME=name, PORT=port)
    release(county)
    answer(county)


def main() -> None:
    home, people, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    county = County(people=people, seed=seed, home=home)
    for line in sys.stdin:
        name, port = line.split()
        pid = os.fork()
        if pid == 0:
            step(name, port, county)
            os._exit(0)
        print(f"pid {pid}", flush=True)
        _, status = os.waitpid(pid, 0)
        print("done" if status == 0 else "died", flush=True)


if __name__ == "__main__":
    main()
