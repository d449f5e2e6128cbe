"""Compare the data with the log: every row of every recorded table has the digest the log last gave it (SEC-07)."""
# ruff: noqa: S608 - SQL is put together from constants and the models' own table names; values are parameters

from huimin.audit.sealing import ALIAS
from huimin.audit.verifying.report import Kind, Report
from huimin.database.bulk import fetch
from huimin.database.security import TABLE_COLUMNS, our_tables, recorded_columns, row_digest
from huimin.database.tables import Table, TableClass

TRIGGERS = ("record_insert", "record_update", "record_delete")
_LISTED_MAX = 100_000


def recorded_tables() -> list[type[Table]]:
    """Tables whose rows the log follows."""
    return [model for model in our_tables() if model.recorded and model.table_class is not TableClass.LOG]


def check_rows(report: Report) -> None:
    """Rows changed, added or removed around the log, in every recorded table."""
    for model in recorded_tables():
        table = model._meta.db_table
        rows = fetch(differences(model), [table], using=ALIAS)
        report.tables += 1
        report.rows += fetch(f'SELECT count(*) FROM "{table}"', using=ALIAS)[0][0]
        for key, present, operation, record, at, who in rows:
            where = {"table": table, "row": key, "record": record, "at": at, "who": who}
            if not present:
                report.add(Kind.ROW_VANISHED, "记录中有这一行，表中没有，也没有删除记录", **where)
            elif operation in (None, "D"):
                report.add(Kind.ROW_UNLOGGED, "表中有这一行，没有新增记录", **where)
            else:
                report.add(Kind.ROW_EDITED, "现在的内容与最后一条记录不同", **where)


def present_digest(model: type[Table]) -> str:
    """SQL for the digest of row r of the table as it is now."""
    columns = dict(fetch(TABLE_COLUMNS, using=ALIAS))
    return row_digest(recorded_columns(model, columns[model._meta.db_table]), "r")


def differences(model: type[Table]) -> str:
    """SQL for rows that differ from the log; its parameter is the table's name."""
    table, key = model._meta.db_table, model._meta.pk.column
    digest = present_digest(model)
    return f"""
        WITH present AS (
            SELECT r."{key}"::text COLLATE "C" AS row_key, {digest} AS digest FROM "{table}" r),
        logged AS (
            SELECT DISTINCT ON (row_key) row_key::text AS row_key, operation, id, digest, appointment,
                   to_char(at, 'YYYY-MM-DD HH24:MI:SS') AS at
            FROM audit_change WHERE table_name = %s ORDER BY row_key, id DESC)
        SELECT row_key, present.digest IS NOT NULL, operation, id, at, appointment
        FROM present FULL JOIN logged USING (row_key)
        WHERE CASE WHEN coalesce(operation, 'D') = 'D' THEN present.digest IS NOT NULL
                   ELSE logged.digest IS DISTINCT FROM present.digest END
        ORDER BY row_key LIMIT {_LISTED_MAX}"""


def check_guards(report: Report) -> None:
    """The triggers that write the log stand on every recorded table and fire."""
    rows = fetch(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
        " AND tgfoid = 'audit_record_change'::regproc",
        using=ALIAS,
    )
    standing = set(rows)
    for model in recorded_tables():
        for trigger in TRIGGERS:
            if (model._meta.db_table, trigger) not in standing:
                report.add(Kind.GUARD_MISSING, f"{trigger} 不在位，请执行 ./huimin db up", table=model._meta.db_table)
