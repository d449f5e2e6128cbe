"""A real PostgreSQL for every test, and the quarter's stages as template databases.

One private cluster a test process (HUIMIN_TEST_PG names another folder of PostgreSQL programs). `county("decided")`
gives a database of one's own in which the small county stands at that stage: stages are built once, by the
demonstration's own steps, and cloned, because the application's role can empty no table.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

ROOM_MIN = 6 * 1024**3
"""What two test processes' databases take at most, with room to spare."""


def _roomy() -> str:
    """Where databases are cloned for every test: in memory where there is room, ten times as fast as on a busy disk."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > ROOM_MIN else "/var/tmp"


_HOME = tempfile.TemporaryDirectory(prefix="huimin-test-", dir=_roomy())
os.environ["HUIMIN_HOME"] = _HOME.name
(Path(_HOME.name) / "static").mkdir()  # collected files go here; the pages look for the folder
os.environ["HUIMIN_PLAIN_HTTP"] = "1"
os.environ["HUIMIN_DEMO"] = "1"
os.environ["HUIMIN_DB_NAME"] = "stage_blank"
os.environ["DJANGO_SETTINGS_MODULE"] = "huimin.settings.base"
os.environ.pop("DATABASE_URL", None)

from huimin.database import instance  # noqa: E402
from huimin.database.cluster import Cluster, wheel_programs  # noqa: E402

instance.load_secrets()

import django  # noqa: E402

django.setup()

from huimin.kernel.command_line import speak_chinese  # noqa: E402
from tests.stages import Stages  # noqa: E402

speak_chinese()  # as at the entrance, before click keeps a help page in its own words


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    programs = os.environ.get("HUIMIN_TEST_PG")
    server = Cluster(Path(_HOME.name) / "postgres", Path(programs) if programs else wheel_programs(), durable=False)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def stages(cluster: Cluster) -> Iterator[Stages]:
    made = Stages(cluster, Path(_HOME.name))
    yield made
    made.close()


@pytest.fixture
def county(stages: Stages) -> Iterator[Callable[[str], str]]:
    """`county("organised")` points Django at a fresh copy of that stage and returns the database's name."""
    names: list[str] = []

    def at(stage: str) -> str:
        names.append(stages.fresh(stage))
        return names[-1]

    yield at
    for name in names:
        stages.drop(name)


@pytest.fixture(scope="module")
def shared_county(stages: Stages) -> Iterator[Callable[[str], str]]:
    """As `county`, one copy for a whole module; for tests that only read or undo what they do."""
    names: dict[str, str] = {}

    def at(stage: str) -> str:
        if stage not in names:
            names[stage] = stages.fresh(stage)
        stages.use(names[stage])
        return names[stage]

    yield at
    for name in names.values():
        stages.drop(name)
