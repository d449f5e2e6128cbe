"""The last demonstration's site, as `make demo` starts it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from huimin.database import instance
from tests.stages import Stages

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_serve_prints_the_accounts_and_answers(stages: Stages) -> None:
    """`./huimin serve`: accounts with their password, then the sign-in page; `audit verify` finds the same database."""
    name, port = stages.fresh("closed"), free_port()
    instance.remember_database(name)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    environment.pop("HUIMIN_DB_NAME")
    command = [sys.executable, "-m", "huimin"]
    server = subprocess.Popen(
        [*command, "serve", "--port", str(port), "--workers", "1"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        page = _first_answer(f"http://127.0.0.1:{port}/")
        assert "演示数据" in page
        verified = subprocess.run(
            [*command, "audit", "verify"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert verified.returncode == 0, verified.stdout + verified.stderr
    finally:
        server.terminate()
        told, _ = server.communicate(timeout=20)
    assert "finance-releaser" in told
    assert "口令" in told
    stages.drop(name)


def _first_answer(url: str) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < deadline, "the site did not answer"
            time.sleep(0.2)
