"""A database with some sealed history, and somebody who goes around the system."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import psycopg
import pytest

from huimin.audit.sealing import seal
from huimin.database import instance
from huimin.database.cluster import Cluster
from huimin.registry.models import Household
from tests.database.acting import OTHER_VILLAGE, VILLAGE, acting, add_household, superuser

Intruder = Callable[[], AbstractContextManager[psycopg.Connection[tuple[object, ...]]]]


@pytest.fixture
def database(county: Callable[[str], str]) -> str:
    return county("blank")


@pytest.fixture
def history(database: str) -> Iterator[str]:
    """Three transactions of the clerk 41 and the reviewer 42, each under a seal of its own."""
    with acting("341524", appointment="41", request="first"):
        for serial in range(5):
            add_household(VILLAGE, serial)
    seal()
    with acting("341524", appointment="42", request="second"):
        Household.objects.filter(household_no__endswith="0002").update(closed_on=date(2021, 7, 2))
    seal()
    with acting("341524", appointment="41", request="third"):
        add_household(OTHER_VILLAGE, 1)
    seal()
    yield database


@pytest.fixture
def intruder(history: str, cluster: Cluster) -> Intruder:
    return lambda: superuser(cluster.url(history))


@pytest.fixture
def heads_path() -> Path:
    return instance.heads_file()
