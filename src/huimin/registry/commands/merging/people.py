"""Members of a merge: found by identity number, added, revised.

`merge_man` has a row for each row of input: pos, person_id (drawn beforehand for new ones), membership_id and relation
as registered, household_id and division as they will be, state ("known", "new", "joins", or what is in the way).
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from huimin.database.bulk import fetch, run, temporary
from huimin.database.personal import ID_NUMBER
from huimin.kernel.facts import PERSON_FACTS
from huimin.kernel.pinyin import person_key
from huimin.registry.commands.merging.revising import drop, revise_many, wished
from huimin.registry.commands.merging.staging import column_type, given_facts, hashes, put, seals, stage_added, texts
from huimin.registry.commands.merging.verdicts import Verdict, verdict
from huimin.registry.models import ELSEWHERE, Membership, PersonFacts

_FACTS = tuple(fact for fact in PERSON_FACTS if fact.code not in ELSEWHERE)


def stage(members: pa.Table) -> None:
    numbers = texts(members, "id_number")
    plain = numbers.to_pylist()
    names = texts(members, "name")
    names = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    distinct = pc.unique(names)
    keys = pa.array([None if name is None else person_key(name)[:120] for name in distinct.to_pylist()], pa.string())
    odd = pc.equal(pc.bit_wise_and(pc.utf8_slice_codeunits(numbers, 16, 17).cast(pa.int64()), 1), 1)
    born = pc.strptime(pc.utf8_slice_codeunits(numbers, 6, 14), "%Y%m%d", "s").cast(pa.date32())
    columns = {
        "household": members["household"] if "household" in members.column_names else pa.nulls(len(plain), pa.int64()),
        "name": names,
        "name_pinyin": keys.take(pc.index_in(names, distinct)) if len(plain) else keys,
        "id_number_enc": seals(plain, ID_NUMBER),
        "id_number_hash": hashes(plain, ID_NUMBER),
        "sex": pc.if_else(odd, "男", "女"),
        "birth_date": born,
        "relation": texts(members, "relation"),
    }
    types = {
        "household": "bigint", "name": "text", "name_pinyin": "text", "id_number_enc": "bytea", "id_number_hash": "bytea",
        "sex": "text", "birth_date": "date", "relation": "text",
    }  # fmt: skip
    for code in given_facts(members, _FACTS):
        columns[code] = members[code]
        types[code] = column_type(PersonFacts, code)
    stage_added(members, columns, types)
    put("merge_members", columns, types)


def _given() -> list[str]:
    known = {"added", *(fact.code for fact in _FACTS)}
    rows = fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'pg_temp.merge_members'::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum"
    )
    return [name for (name,) in rows if name in known]


_STATE = """
CASE WHEN l.pos = ANY (%(hidden)s) THEN 'elsewhere'
     WHEN l.household IS NOT NULL AND t.state NOT IN ('known', 'new', 'twice') THEN 'house'
     WHEN p.id IS NOT NULL AND p.name <> l.name THEN 'name'
     WHEN p.id IS NOT NULL AND left(p.division, length(%(prefix)s)) <> %(prefix)s THEN 'outside'
     WHEN p.id IS NOT NULL AND m.household_id <> t.household_id THEN 'same_person'
     WHEN m.id IS NOT NULL AND l.relation <> m.relation AND '户主' IN (l.relation, m.relation) THEN 'head'
     WHEN m.id IS NOT NULL THEN 'known'
     WHEN t.pos IS NULL THEN 'homeless'
     WHEN p.id IS NULL AND l.name IS NULL THEN 'nameless'
     WHEN l.relation IS NULL THEN 'relation'
     WHEN l.relation = '户主' AND (g.id IS NOT NULL OR
          row_number() OVER (PARTITION BY t.household_id, l.relation ORDER BY l.pos) > 1) THEN 'second_head'
     WHEN p.id IS NOT NULL THEN 'joins'
     ELSE 'new' END
"""
_FOUND = """
SELECT l.pos, coalesce(p.id, nextval('registry_person_id_seq')) AS person_id, m.id AS membership_id, m.relation AS had,
       t.pos AS house, coalesce(t.household_id, m.household_id) AS household_id, coalesce(t.division, p.division) AS division,
       {state} AS state
FROM merge_members l
LEFT JOIN merge_house t ON t.pos = l.household
LEFT JOIN registry_person w ON w.id_number_hash = l.id_number_hash AND w.closed_on IS NULL
LEFT JOIN (SELECT id_number_hash, min(merged_into_id) AS stays FROM registry_person WHERE merged_into_id IS NOT NULL
           GROUP BY id_number_hash) x ON x.id_number_hash = l.id_number_hash
LEFT JOIN registry_person p ON p.id = coalesce(w.id, x.stays) AND p.closed_on IS NULL
LEFT JOIN registry_membership m ON m.person_id = p.id AND m.recorded_to IS NULL AND m.valid_to IS NULL
LEFT JOIN registry_membership g ON l.relation = '户主' AND g.household_id = t.household_id AND g.relation = '户主'
     AND g.recorded_to IS NULL AND g.valid_to IS NULL
ORDER BY l.pos
"""


def decide(common: dict[str, Any], heads_required: bool, hidden: list[int]) -> None:
    """What each row is. A new household whose head cannot come in does not come in, nor do its members."""
    drop("merge_man")
    temporary("merge_man", _FOUND.format(state=_STATE), {**common, "hidden": hidden})
    headed = "SELECT FROM merge_man n JOIN merge_members l USING (pos) WHERE n.house = t.pos AND l.relation = '户主'"
    run(
        "UPDATE merge_house t SET state = 'headless' WHERE state = 'new'"  # noqa: S608
        f" AND NOT EXISTS ({headed} AND n.state IN ('new', 'joins')) AND (%(required)s OR EXISTS ({headed})"
        " OR EXISTS (SELECT FROM merge_households l WHERE l.pos = t.pos AND l.household_no IS NULL))",
        {"required": heads_required},
    )
    run(
        "UPDATE merge_man n SET state = 'house' FROM merge_house t WHERE t.pos = n.house AND t.state = 'headless'"
        " AND n.state IN ('new', 'joins', 'relation', 'nameless')"
    )


def add(common: dict[str, Any]) -> set[int]:
    """New people with facts, and memberships; rows whose number somebody has whom the actor cannot see."""
    given = _given()
    run(
        "INSERT INTO registry_person (id, name, name_pinyin, division, id_number_enc, id_number_hash, sex, birth_date)"
        " SELECT n.person_id, l.name, l.name_pinyin, n.division, l.id_number_enc, l.id_number_hash, l.sex, l.birth_date"
        " FROM merge_man n JOIN merge_members l USING (pos) WHERE n.state = 'new' ORDER BY n.pos"
        " ON CONFLICT (id_number_hash) WHERE closed_on IS NULL DO NOTHING"
    )
    clashing = fetch(
        "SELECT pos FROM merge_man n WHERE state = 'new'"
        " AND NOT EXISTS (SELECT FROM registry_person p WHERE p.id = n.person_id)"
    )
    if clashing:
        return {pos for (pos,) in clashing}
    chosen = "".join(f", {wished(name, 'l')}" for name in given)
    run(
        "INSERT INTO registry_personfacts (person_id, division, valid_from, evidence, reported_by"  # noqa: S608
        f"{''.join(f', {name}' for name in given)})"
        f" SELECT n.person_id, n.division, %(since)s, %(evidence)s, %(by)s{chosen}"
        " FROM merge_man n JOIN merge_members l USING (pos) WHERE n.state = 'new' ORDER BY n.pos",
        common,
    )
    run(
        "INSERT INTO registry_membership (person_id, household_id, relation, division, valid_from, evidence, reported_by)"
        " SELECT n.person_id, n.household_id, l.relation, n.division, %(since)s, %(evidence)s, %(by)s"
        " FROM merge_man n JOIN merge_members l USING (pos) JOIN registry_household h ON h.id = n.household_id"
        " WHERE n.state IN ('new', 'joins') ORDER BY n.pos",
        common,
    )
    return set()


def revise(common: dict[str, Any]) -> None:
    """Facts of who was known, and relations to the head."""
    given = _given()
    known = "FROM merge_man n JOIN merge_members l USING (pos) WHERE n.state IN ('known', 'joins', 'changed')"
    if given:
        chosen = "".join(f", l.{name}" for name in given)
        revise_many(
            PersonFacts,
            "person_id",
            f"SELECT n.person_id AS owner, n.division{chosen} {known}",
            given,
            common,
        )
        _mark_changed()
    wish = f"SELECT n.person_id AS owner, n.division, l.relation {known} AND l.relation <> n.had"
    revise_many(Membership, "person_id", wish, ["relation"], common, gaps=False)
    _mark_changed()


def _mark_changed() -> None:
    run(
        "UPDATE merge_man SET state = 'changed' WHERE state = 'known' AND person_id IN (SELECT owner FROM merge_changed)"
    )


def verdicts() -> dict[int, Verdict]:
    rows = fetch(
        "SELECT n.pos, n.state, coalesce(n.division, ''), CASE WHEN h.id IS NULL THEN NULL ELSE n.household_id END,"
        " CASE WHEN n.state IN ('new', 'elsewhere', 'house', 'homeless', 'nameless', 'relation', 'second_head') THEN NULL ELSE n.person_id END"
        " FROM merge_man n LEFT JOIN registry_household h ON h.id = n.household_id"
        " WHERE n.state <> 'known' ORDER BY n.pos"
    )
    return {pos: verdict(state, *where) for pos, state, *where in rows}
