"""A real PostgreSQL for every test, and the quarter's stages as template databases.

One private cluster a test process (HUIMIN_TEST_PG names another folder of PostgreSQL programs). `county("decided")`
gives a database of one's own in which the small county stands at that stage: stages are built once, by the
demonstration's own steps, and cloned, because the application's role can empty no table. Of several processes the first
that needs a stage builds them all and leaves a copy of its folder, from which the others start; meanwhile they do what
needs no database. Their clusters stay apart, because whatever is open in one holds back its seals.
"""

import contextlib
import os
import secrets
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
    if not memory.is_dir() or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return "/var/tmp"
    return str(memory) if shutil.disk_usage(memory).free > ROOM_MIN else "/var/tmp"


_OURS = "HUIMIN_TEST_RUN"
"""Names the folder of this run to the processes that pytest starts."""
_FIRST = _OURS not in os.environ
if _FIRST:
    os.environ[_OURS] = tempfile.mkdtemp(prefix="huimin-test-", dir=_roomy())
    os.environ["HUIMIN_DEMO_PASSWORD"] = f"huimin-{secrets.token_hex(4)}"
_RUN = Path(os.environ[_OURS])
_HOME = _RUN / os.environ.get("PYTEST_XDIST_WORKER", "main")
for _folder in (_RUN, _HOME, _HOME / "static"):  # collected files go to the last; the pages look for it
    _folder.mkdir(exist_ok=True)
    _folder.chmod(0o711)  # a server that root runs as nobody keeps its data here, and not on the disk
os.environ["HUIMIN_HOME"] = str(_HOME)
os.environ["HUIMIN_PLAIN_HTTP"] = "1"
os.environ["HUIMIN_DEMO"] = "1"
os.environ["HUIMIN_DB_NAME"] = "stage_blank"
os.environ["DJANGO_SETTINGS_MODULE"] = "huimin.settings.base"
os.environ.pop("DATABASE_URL", None)

from huimin.database import instance  # noqa: E402
from huimin.database.cluster import Cluster, wheel_programs  # noqa: E402

for _name in () if _FIRST else instance._SECRETS:
    os.environ.pop(_name, None)  # those of the process that started us, which are in the file too
with contextlib.suppress(FileNotFoundError):
    shutil.copy(_RUN / "main" / "secrets.env", _HOME / "secrets.env")
instance.load_secrets()

import django  # noqa: E402

django.setup()

from huimin.kernel.command_line import speak_chinese  # noqa: E402
from tests.stages import Stages, share  # noqa: E402

speak_chinese()  # as at the entrance, before click keeps a help page in its own words


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    programs = os.environ.get("HUIMIN_TEST_PG")
    server = Cluster(_HOME / "postgres", Path(programs) if programs else wheel_programs(), durable=False)
    if not _FIRST:
        share(server, _HOME, _RUN)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def stages(cluster: Cluster) -> Iterator[Stages]:
    made = Stages(cluster, _HOME)
    yield made
    made.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One file that needs stages, then all that need none, then the rest: while one process builds, another works."""
    needing = dict.fromkeys(item.path for item in items if "stages" in getattr(item, "fixturenames", ()))
    first = next(iter(needing), None)
    items.sort(key=lambda item: 0 if item.path == first else 2 if item.path in needing else 1)


def pytest_unconfigure() -> None:
    if _FIRST:
        for left in _RUN.glob("*/postgres"):  # by a process that ended before its time
            Cluster(left, wheel_programs()).stop()
        shutil.rmtree(_RUN, ignore_errors=True)


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
