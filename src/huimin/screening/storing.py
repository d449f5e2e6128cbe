"""The proposals of one programme after another into the database, by sets (DET-01).

in    tables of determining.COLUMNS, one a programme, inside the transaction of the command that stores
out   what is determined as an open proposal says already is left as it is; the rest is added; the digest over all

One subject has at most one open proposal of a programme in a place. Memory: the table of one programme.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from huimin.database.bulk import fetch, fetch_one, run
from huimin.organisation.acting import refused_by_constraint
from huimin.registry.snapshots import NotRegistered
from huimin.registry.transfer import copy_texts, texts_of

_TYPES = {
    "programme": "text", "version": "text", "division": "text", "household_id": "int8", "person_id": "int8",
    "kind": "text", "amount_fen": "int8", "previous_fen": "int8", "people": "int2", "quantity": "text",
    "failed": "text[]", "missing": "text[]", "facts_digest": "text", "reasons": "jsonb", "phase_out_since": "date",
    "phase_out_months": "int2",
}  # fmt: skip
_NAMES = ", ".join(_TYPES)

# What was true for an earlier month is not what an open proposal of a later one says: it takes its place, so that it can be
# decided back to that month (casework.backdating). The subjects meet by household, programme and person, and the two agree in all or differ. Only the household is compared
# with "=", so that the planner, who knows no numbers of either side, hashes by it and by nothing longer.
_KEEP = """
WITH same AS (
    SELECT p.id, d.ctid AS place FROM screening_proposal p
    JOIN screening_run r ON r.id = p.run_id
     AND r.determination_date <= (SELECT o.determination_date FROM screening_run o WHERE o.id = %(run)s)
    JOIN proposal_draft d ON d.household_id = p.household_id AND d.person_id IS NOT DISTINCT FROM p.person_id
    WHERE p.state = 'open' AND p.division >= %(low)s AND p.division < %(high)s AND p.programme = %(programme)s
      AND p.version IS NOT DISTINCT FROM d.version AND p.division IS NOT DISTINCT FROM d.division
      AND p.kind IS NOT DISTINCT FROM d.kind AND p.amount_fen IS NOT DISTINCT FROM d.amount_fen
      AND p.previous_fen IS NOT DISTINCT FROM d.previous_fen AND p.people IS NOT DISTINCT FROM d.people
      AND p.quantity IS NOT DISTINCT FROM d.quantity AND p.facts_digest IS NOT DISTINCT FROM d.facts_digest
      AND p.failed::text[] IS NOT DISTINCT FROM d.failed AND p.missing::text[] IS NOT DISTINCT FROM d.missing
      AND p.reasons IS NOT DISTINCT FROM d.reasons AND p.phase_out_since IS NOT DISTINCT FROM d.phase_out_since
      AND p.phase_out_months IS NOT DISTINCT FROM d.phase_out_months
), gone AS (
    DELETE FROM proposal_draft d USING same WHERE d.ctid = same.place
)
INSERT INTO proposal_kept SELECT id FROM same
"""
_STORE = (
    f"INSERT INTO screening_proposal (run_id, state, {_NAMES}) SELECT %(run)s, 'open', {_NAMES} FROM proposal_draft"  # noqa: S608
)
# What is proposed for a later month stands, unless this run proposes something else for the same subject.
_SUPERSEDE = """
UPDATE screening_proposal p SET state = 'superseded'
FROM screening_run r
WHERE r.id = p.run_id AND p.state = 'open' AND p.division >= %(low)s AND p.division < %(high)s AND p.run_id <> %(run)s
  AND NOT EXISTS (SELECT FROM proposal_kept k WHERE k.id = p.id)
  AND (%(only)s::bigint[] IS NULL OR p.household_id = ANY(%(only)s::bigint[]))
  AND p.household_id <> ALL(%(newer)s::bigint[])
  AND (r.determination_date <= (SELECT o.determination_date FROM screening_run o WHERE o.id = %(run)s)
       OR EXISTS (SELECT FROM screening_proposal n
                  WHERE n.run_id = %(run)s AND n.household_id = p.household_id AND n.programme = p.programme
                    AND n.person_id IS NOT DISTINCT FROM p.person_id))
"""
_NEWER = "SELECT DISTINCT unnest(n.only) FROM screening_run n WHERE n.only IS NOT NULL AND n.id > %s"

refused_by_constraint("proposal_refers", NotRegistered, "建议所指的户、人或筛查不在", "请重新筛查")


def store(run_id: int, prefix: str, listed: Iterable[pa.Table], only: list[int] | None = None) -> tuple[int, int, str]:
    """All of a run's proposals in the places that begin with `prefix`: how many were listed, how many of these were
    open already, the digest over all that was listed (`listed_sha256`). `only`: it speaks of these households alone.

    Households that were determined anew since the run began are left alone: it does not know their facts.
    """
    newer = [row[0] for row in fetch(_NEWER, [run_id])]
    values = {"run": run_id, "low": prefix, "high": prefix + "~", "newer": newer, "only": only}
    digest, count = hashlib.sha256(), 0
    columns = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
    run("DROP TABLE IF EXISTS pg_temp.proposal_draft, pg_temp.proposal_kept")
    run(f"CREATE TEMPORARY TABLE proposal_draft ({columns}) ON COMMIT DROP")
    run("CREATE TEMPORARY TABLE proposal_kept (id int8) ON COMMIT DROP")
    run("SET LOCAL enable_nestloop = off")
    for table in listed:
        if len(table):
            _store_one(table, digest, values)
            count += len(table)
    run(_SUPERSEDE, values)
    run("SET LOCAL enable_nestloop = on")
    return count, fetch_one("SELECT count(*)::int FROM proposal_kept")[0], digest.hexdigest()


def _store_one(table: pa.Table, digest: Any, values: dict[str, Any]) -> None:
    run("TRUNCATE proposal_draft")
    copy_texts("proposal_draft", map(_into(digest), texts_of(_literals(table))))
    if values["newer"]:
        run("DELETE FROM proposal_draft WHERE household_id = ANY(%(newer)s)", values)
    run(_KEEP, {**values, "programme": table["programme"][0].as_py()})
    run(_STORE, values)


def _into(digest: Any) -> Any:
    def passed(text: memoryview) -> memoryview:
        digest.update(text)
        return text

    return passed


def listed_sha256(listed: Iterable[pa.Table]) -> str:
    """Over every row as it is sent to the database, in the order of programmes and households."""
    digest = hashlib.sha256()
    for table in listed:
        for text in texts_of(_literals(table)):
            digest.update(text)
    return digest.hexdigest()


def _literals(listed: pa.Table) -> pa.Table:
    """Lists of names as PostgreSQL writes arrays; names are ids and facts, so that quoting them is enough."""
    for name in ("failed", "missing"):
        items = listed[name].combine_chunks()
        quoted = pc.binary_join_element_wise('{"', pc.binary_join(items, '","'), '"}', "")
        texts = pc.if_else(pc.equal(pc.list_value_length(items), 0), "{}", quoted)
        listed = listed.set_column(listed.column_names.index(name), name, texts)
    return listed
