"""A database founded at once equals one that replayed every migration, object by object (SEC-03, SEC-07)."""

from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations import Migration
from django.db.migrations.operations import RunPython
from django.db.migrations.state import ProjectState

from huimin.database import founding, instance
from tests.stages import Stages

_PUBLIC = "n.nspname = 'public'"
CATALOGUE = {
    "columns": f"""
        SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
               || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || ' ' || a.attidentity::text || a.attgenerated::text || ' ' || coalesce(o.collname, '')
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum LEFT JOIN pg_collation o ON o.oid = a.attcollation
        WHERE {_PUBLIC} AND c.relkind IN ('r', 'v', 'S') AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": f"""
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(k.oid) FROM pg_constraint k
        JOIN pg_namespace n ON n.oid = k.connamespace WHERE {_PUBLIC} AND contype <> 'n'""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT tgrelid::regclass || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": f"""
        SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE {_PUBLIC} AND p.prokind = 'f' AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')""",
    "applied": "SELECT app || '.' || name FROM django_migrations",
}
"""What must be alike, whatever the order in which it came."""


@pytest.fixture
def empty(stages: Stages) -> Iterator[Callable[[str], None]]:
    """A database with roles and extensions and nothing else, and Django pointed at it."""
    made: list[str] = []

    def at(name: str) -> None:
        instance.make_roles_and_database(stages.cluster.url(name))
        stages.use(name)
        made.append(name)

    yield at
    for name in made:
        stages.drop(name)


def catalogue() -> dict[str, list[str]]:
    with connections["owner"].cursor() as cursor:
        found = {}
        for kind, query in CATALOGUE.items():
            cursor.execute(query)
            found[kind] = sorted(row for (row,) in cursor.fetchall())
        return found


@pytest.fixture
def lightly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps render less of the house anew: nothing for an index or a constraint, else the model and those beside it.

    What is made is compared below with what stands; were more needed for it, it would differ.
    """
    whole = ProjectState.reload_model

    def note(state: ProjectState, app: str, model: str, option: str, added: object) -> None:
        options = state.models[app, model].options
        options[option] = [*options[option], added]

    monkeypatch.setattr(ProjectState, "_append_option", note)
    monkeypatch.setattr(
        ProjectState, "reload_model", lambda state, app, name, delay=False: whole(state, app, name, True)
    )


def test_founded_at_once_is_what_every_step_leads_to_sec_07(empty: Callable[[str], None], lightly: None) -> None:
    empty("replayed")
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    replayed = catalogue()
    empty("founded")
    assert founding.is_empty()
    founding.found()
    assert not founding.is_empty()
    founded = catalogue()
    for kind, rows in replayed.items():
        assert founded[kind] == rows, f"{kind}: {set(rows) ^ set(founded[kind])}"
    assert len(replayed["triggers"]) > 20 and len(replayed["constraints"]) > 500


def test_a_migration_that_moves_data_is_replayed(empty: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    empty("moving")
    moving = Migration("0099_moves", "registry")
    moving.operations = [RunPython(RunPython.noop)]
    monkeypatch.setattr(founding, "_plan", lambda: [moving])
    with pytest.raises(founding.NotFoundable):
        founding.found()
    assert founding.is_empty(), "nothing was done"
