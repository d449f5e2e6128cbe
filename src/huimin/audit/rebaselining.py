"""Give the rows of a table new digests in the log after a migration changed what a row holds (SEC-05).

A new column that may be null changes no digest; a column added with a value, renamed, retyped or dropped does, for
every row at once. The order is: verify, migrate, `./huimin audit rebaseline TABLE`, verify. A row that the log does not
know, or that vanished, is never made good by this; and each new digest is itself a record, sealed like any other and
named by every later verification.
"""
# ruff: noqa: S608 - SQL is put together from the models' own table names; values are parameters

import json

from django.db import transaction

from huimin.audit.sealing import ALIAS, pin_session
from huimin.audit.verifying.rows import differences, present_digest, recorded_tables
from huimin.database.bulk import run
from huimin.kernel.errors import BadInput


def rebaseline(table: str, reason: str) -> int:
    """Record the present digest of every row of `table` whose last digest differs; returns how many."""
    models = {model._meta.db_table: model for model in recorded_tables()}
    if table not in models:
        raise BadInput("没有这张表，或它不记变更", where=table, remedy="可用的表：" + "、".join(sorted(models)))
    model = models[table]
    done = 0
    with transaction.atomic(using=ALIAS):
        pin_session()
        statement = f"""
            INSERT INTO audit_change (table_name, row_key, operation, division, after, digest)
            SELECT %s, d.row_key, 'B', logged.division, %s::jsonb, {present_digest(model)}
            FROM ({differences(model)}) AS d (row_key, present, operation, id, at, appointment)
            JOIN audit_change logged ON logged.id = d.id
            JOIN "{table}" r ON r."{model._meta.pk.column}"::text = d.row_key
            WHERE d.present AND d.operation <> 'D'"""
        note = json.dumps({"reason": reason}, ensure_ascii=False)
        while added := run(statement, [table, note, table], using=ALIAS):
            done += added
    return done
