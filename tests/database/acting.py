"""What tests of the database share: acting in a scope, a few rows, the superuser who goes around everything."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connections, transaction

from huimin.database.context import Scope, declare, scope_of
from huimin.kernel.places import chain
from huimin.registry.models import Household

COUNTY = "341524000000"
TOWNSHIP, OTHER_TOWNSHIP = "341524100000", "341524101000"
VILLAGE, OTHER_VILLAGE = "341524100201", "341524101200"


@contextmanager
def acting(
    prefix: str,
    *,
    division: str = "",
    audience: str = "staff",
    office: str = "",
    appointment: str = "7",
    request: str = "",
) -> Iterator[None]:
    """A transaction of the application role that acts for the places beginning with `prefix`."""
    scope_from, scope_to = scope_of(prefix)
    with transaction.atomic():
        above = ",".join(chain(division or prefix.ljust(12, "0")))
        declare(Scope(scope_from, scope_to, above, audience, office, appointment, request))
        yield


def add_household(village: str, serial: int) -> Household:
    return Household.objects.create(household_no=f"{village}{serial:04}", division=village)


def maintenance(statement: str, *parameters: object) -> list[tuple[object, ...]]:
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def superuser(url: str, *, triggers: bool = False) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Somebody with the database's highest rights; the log's triggers do not see what he does."""
    with psycopg.connect(url, autocommit=True) as connection:
        if not triggers:
            connection.execute("SET session_replication_role = replica")
        yield connection
