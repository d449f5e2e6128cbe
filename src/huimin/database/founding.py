"""A new database at once: every table from where the migrations lead, instead of the way there step by step.

in    a database without a table of ours; the migrations of the installed apps
out   the same catalogue as `migrate` would leave, and every migration written down as applied

Replaying history renders all models anew after each of its several hundred steps, which grows with the square of the house
(27 s of processor at 150 tables, against 2 s here), and every new instance and every test process pays it. Here the end of the history
is rendered once, its tables are created, and then the SQL of the migrations (guards, functions) runs in its order. It is
possible while no migration of ours moves data: one that does stops it (`NotFoundable`), and the way by steps is taken.
`tests/database/test_founding.py` compares both ways, object by object.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython, RunSQL
from django.db.migrations.recorder import MigrationRecorder

USING = "owner"
_OURS = "huimin."


class NotFoundable(Exception):
    """A migration of ours does more than tables and SQL."""


def is_empty() -> bool:
    """Whether nothing was ever migrated here."""
    return not MigrationRecorder(connections[USING]).has_table()


def found() -> None:
    """Create everything; NotFoundable before anything was done. `migrate` afterwards finds nothing to do but its signals."""
    plan = _plan()
    ours = [migration for migration in plan if _is_ours(migration.app_label)]
    for migration in ours:
        if any(isinstance(operation, RunPython) for operation in migration.operations):
            raise NotFoundable(f"{migration.app_label}.{migration.name}")
    for label in dict.fromkeys(migration.app_label for migration in plan if not _is_ours(migration.app_label)):
        call_command("migrate", label, database=USING, verbosity=0, interactive=False)
    _create(ours)


def _plan() -> list[Migration]:
    executor = MigrationExecutor(connections[USING])
    return [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _is_ours(label: str) -> bool:
    return apps.get_app_config(label).name.startswith(_OURS)


def _create(ours: list[Migration]) -> None:
    connection = connections[USING]
    executor = MigrationExecutor(connection)
    state = executor.loader.project_state()
    with connection.schema_editor(atomic=True) as editor:
        for model in _models(state.apps, {migration.app_label for migration in ours}):
            editor.create_model(model)
        # Guards speak of tables that stand: what was put off until now comes before them.
        for statement in editor.deferred_sql:
            editor.execute(statement)
        editor.deferred_sql.clear()
        for migration in ours:
            for operation in migration.operations:
                if isinstance(operation, RunSQL):
                    operation.database_forwards(migration.app_label, editor, state, state)
        for migration in ours:
            executor.recorder.record_applied(migration.app_label, migration.name)


def _models(rendered: Any, labels: set[str]) -> Iterator[Any]:
    for label in sorted(labels):
        yield from rendered.get_app_config(label).get_models()
