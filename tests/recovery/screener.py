"""A process that has everything imported and forks one attempt at the waiting job on demand, so that a kill lands in it.

stdin   one line an attempt: the database's name and port
stdout  `pid N` when it began, then `done` or `died`
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

from huimin.jobs.working import work_one  # noqa: E402


def attempt(name: str, port: str) -> None:
    for alias in ("default", "owner", "maintenance"):
        connections[alias].settings_dict.update(NAME=name, PORT=port)
    work_one()


def main() -> None:
    for line in sys.stdin:
        name, port = line.split()
        pid = os.fork()
        if pid == 0:
            attempt(name, port)
            os._exit(0)
        print(f"pid {pid}", flush=True)
        _, status = os.waitpid(pid, 0)
        print("done" if status == 0 else "died", flush=True)


if __name__ == "__main__":
    main()
