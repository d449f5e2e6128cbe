"""The agent bank, as a program of its own: `python -m bank_simulator`, spoken to through two folders only.

outbox   what we send: transfer orders and batches        inbox   what the bank answers
"""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from huimin.demo.quarter import County

ANSWERED_SOMETHING_ODD = 1


def outbox(county: County) -> Path:
    return _folder(county, "outbox")


def inbox(county: County) -> Path:
    return _folder(county, "inbox")


def _folder(county: County, name: str) -> Path:
    folder = county.home / "bank" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def bank(county: County, *arguments: str | Path) -> str:
    """Run the bank's program with its own home; its standard output. Raises when it refuses."""
    home = county.home / "bank" / "book"
    command = [sys.executable, "-m", "bank_simulator", "--home", str(home), *map(str, arguments)]
    done = subprocess.run(command, cwd=settings.ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, ANSWERED_SOMETHING_ODD):
        raise RuntimeError(f"bank: {done.stderr.strip()[-500:]}")
    return done.stdout


def run_bank(county: County, on: date) -> None:
    """The bank's day: everything new in our outbox is processed and answered."""
    bank(county, "run", "--inbox", outbox(county), "--outbox", inbox(county), "--date", on.isoformat())


def books(county: County) -> dict[str, Any]:
    """The bank's own recount."""
    recounted: dict[str, Any] = json.loads(bank(county, "books", "--json"))
    return recounted


def answers(county: County, start: str) -> list[Path]:
    """Answer files whose names begin with `start`, oldest name first."""
    return sorted(inbox(county).glob(f"{start}*.txt"))
