"""Households of a merge: found by number or by head, added, revised.

`merge_house` has a row for each row of input: pos, household_id (drawn beforehand for new ones), household_no, division,
state ("known", "new", or what is in the way).
"""

from typing import Any

import pyarrow as pa

from huimin.database.bulk import fetch, run, temporary
from huimin.database.personal import ID_NUMBER
from huimin.kernel.facts import HOUSEHOLD_FACTS
from huimin.registry.commands.merging.revising import drop, revise_many, wished
from huimin.registry.commands.merging.staging import (
    CONTACTS,
    column_type,
    given_facts,
    hashes,
    put,
    seals,
    stage_added,
    texts,
)
from huimin.registry.commands.merging.verdicts import Verdict, verdict
from huimin.registry.models import HouseholdFacts


def stage(households: pa.Table) -> None:
    columns = {name: texts(households, name) for name in ("household_no", "head_name", "division")}
    types = {
        "household_no": 'text COLLATE "C"',
        "head_name": "text",
        "division": 'text COLLATE "C"',
        "head_hash": "bytea",
    }
    columns["head_hash"] = hashes(texts(households, "head_id").to_pylist(), ID_NUMBER)
    for name, purpose in CONTACTS:
        plain = texts(households, name).to_pylist()
        columns[f"{name}_enc"], columns[f"{name}_hash"] = seals(plain, purpose), hashes(plain, purpose)
        types |= {f"{name}_enc": "bytea", f"{name}_hash": "bytea"}
    for code in given_facts(households, HOUSEHOLD_FACTS):
        columns[code] = households[code]
        types[code] = column_type(HouseholdFacts, code)
    stage_added(households, columns, types)
    put("merge_households", columns, types)


def _given() -> list[str]:
    """Columns of facts that were staged."""
    known = {
        "address_enc",
        "address_hash",
        "phone_enc",
        "phone_hash",
        "added",
        *(fact.code for fact in HOUSEHOLD_FACTS),
    }
    rows = fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'pg_temp.merge_households'::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum"
    )
    return [name for (name,) in rows if name in known]


_STATE = """
CASE WHEN l.pos = ANY (%(hidden)s) THEN 'taken'
     WHEN h.closed_on IS NOT NULL THEN 'closed'
     WHEN left(h.division, length(%(prefix)s)) <> %(prefix)s THEN 'outside'
     WHEN h.id IS NOT NULL AND row_number() OVER (PARTITION BY h.id ORDER BY l.pos) > 1 THEN 'twice'
     WHEN h.id IS NOT NULL AND left(h.division, length(l.division)) <> l.division
          AND left(l.division, length(h.division)) <> h.division THEN 'moved'
     WHEN h.id IS NOT NULL AND (p.id_number_hash <> l.head_hash OR p.name <> l.head_name) THEN 'other_head'
     WHEN h.id IS NOT NULL THEN 'known'
     WHEN NOT %(create)s THEN 'missing'
     WHEN l.division IS NULL THEN 'nowhere'
     ELSE 'new' END
"""
# By number where it is given, else by who heads it now.
_FOUND = """
SELECT l.pos, coalesce(h.id, nextval('registry_household_id_seq')) AS household_id,
       coalesce(h.household_no, l.household_no) AS household_no, coalesce(h.division, l.division) AS division, {state} AS state
FROM (SELECT i.*, coalesce(a.id, n.household_id) AS found FROM merge_households i
      LEFT JOIN registry_household a ON a.household_no = i.household_no
      LEFT JOIN registry_person q ON i.household_no IS NULL AND q.id_number_hash = i.head_hash AND q.closed_on IS NULL
      LEFT JOIN registry_membership n ON n.person_id = q.id AND n.relation = '户主' AND n.recorded_to IS NULL
           AND n.valid_to IS NULL) l
LEFT JOIN registry_household h ON h.id = l.found
LEFT JOIN registry_membership m ON m.household_id = h.id AND m.relation = '户主' AND m.recorded_to IS NULL AND m.valid_to IS NULL
LEFT JOIN registry_person p ON p.id = m.person_id
ORDER BY l.pos
"""


# The next serials of each village, behind the highest that is registered or comes in with this merge.
_NUMBERED = """
WITH wanted AS (SELECT pos, left(division, 12) AS village FROM merge_house WHERE state = 'new' AND household_no IS NULL),
     villages AS (SELECT DISTINCT village FROM wanted),
     every_no AS (SELECT village, household_no FROM villages JOIN registry_household h
                  ON h.household_no >= village || '-' AND h.household_no < village || '.'
                  UNION ALL SELECT village, household_no FROM villages JOIN merge_house t
                  ON left(t.household_no, 12) = village AND t.state = 'new'),
     used AS (SELECT village, max(split_part(household_no, '-', 2)::bigint) AS serial FROM every_no
              WHERE household_no ~ '^[0-9]{12}-[0-9]{1,9}$' GROUP BY village),
     given AS (SELECT pos, village, coalesce(serial, 0) + row_number() OVER (PARTITION BY village ORDER BY pos) AS serial
               FROM wanted LEFT JOIN used USING (village))
UPDATE merge_house t SET household_no = village || '-' || lpad(serial::text, greatest(4, length(serial::text)), '0')
FROM given WHERE given.pos = t.pos
"""


def decide(common: dict[str, Any], create: bool, hidden: list[int]) -> None:
    """What each row is; new households without a number get the next one of their village."""
    drop("merge_house")
    temporary("merge_house", _FOUND.format(state=_STATE), {**common, "create": create, "hidden": hidden})
    run(_NUMBERED)


def add(common: dict[str, Any]) -> None:
    """New households with their facts."""
    run(
        "INSERT INTO registry_household (id, household_no, division) SELECT household_id, household_no, division"
        " FROM merge_house WHERE state = 'new' ORDER BY pos ON CONFLICT (household_no) DO NOTHING"
    )
    given = _given()
    chosen = "".join(f", {wished(name, 'l')}" for name in given)
    run(
        "INSERT INTO registry_householdfacts (household_id, division, valid_from, evidence, reported_by"  # noqa: S608
        f"{''.join(f', {name}' for name in given)})"
        f" SELECT t.household_id, t.division, %(since)s, %(evidence)s, %(by)s{chosen} FROM merge_house t"
        " JOIN merge_households l USING (pos) JOIN registry_household h ON h.id = t.household_id"
        " WHERE t.state = 'new' ORDER BY t.pos",
        common,
    )


def not_added() -> set[int]:
    """Rows whose number a household has that the actor cannot see."""
    rows = fetch(
        "SELECT pos FROM merge_house t WHERE state = 'new'"
        " AND NOT EXISTS (SELECT FROM registry_household h WHERE h.id = t.household_id)"
    )
    return {pos for (pos,) in rows}


def revise(common: dict[str, Any]) -> None:
    given = _given()
    wish = (
        "SELECT t.household_id AS owner, t.division"  # noqa: S608
        f"{''.join(f', l.{name}' for name in given)} FROM merge_house t JOIN merge_households l USING (pos)"
        " WHERE t.state = 'known'"
    )
    if given:
        revise_many(HouseholdFacts, "household_id", wish, given, common)
        run(
            "UPDATE merge_house SET state = 'changed' WHERE state = 'known'"
            " AND household_id IN (SELECT owner FROM merge_changed)"
        )


def verdicts() -> dict[int, Verdict]:
    rows = fetch(
        "SELECT pos, state, coalesce(division, ''), CASE WHEN state IN ('moved', 'other_head', 'changed', 'closed') THEN household_id END"
        " FROM merge_house WHERE state <> 'known' ORDER BY pos"
    )
    return {pos: verdict(state, division, household, None) for pos, state, division, household in rows}
