"""Load households, people and cards in bulk: what is new comes in, what clashes waits for a person (REG-01, REG-04).

in    Arrow tables (columns: `checks`), rows of one referring to rows of another by position
out   rows of the registry and work items, all in one transaction; a report

Terms: a household is *known* when its number is in the registry already. A *clash* is a person whose identity number
a living person has, a card on an account in use, a second card for one purpose.

Always true when `load_population` returns:

- Every row of the input is in the registry, or belongs to a known household, or stands whole (encrypted) in a work
  item. Nothing is guessed: the first listing stays, the later one waits.
- Known households are left exactly as they are; loading the same tables again adds nothing.
- Facts, memberships and cards hold from `valid_from`; nulls stay null.

Steps: check everything; stage with encrypted values; insert what is new by one statement a table, with ids drawn
beforehand so that staging and registry join by id; read back what was not inserted, which is what clashed.
Limits: one load is one transaction; 700,000 people take two minutes and 1.5 GB.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from huimin.database.bulk import run
from huimin.database.personal import ACCOUNT, ADDRESS, ID_NUMBER, PHONE, keyring
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS
from huimin.kernel.pinyin import person_key
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post
from huimin.registry.commands.checks import (
    Identities,
    check_cards,
    check_households,
    check_identities,
    check_people,
)
from huimin.registry.commands.clashes import keep_clashes
from huimin.registry.models import ELSEWHERE, HouseholdFacts, PersonFacts
from huimin.registry.transfer import copy_in, hexed

_FACTS_OF_PERSON = tuple(fact for fact in PERSON_FACTS if fact.code not in ELSEWHERE)


Staged = tuple[pa.Table, dict[str, str]]
"""Columns for a staging table, personal values encrypted, and the PostgreSQL types of each."""


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `work_items` counts the new ones by kind."""

    households: int
    unchanged: int
    people: int
    cards: int
    work_items: dict[str, int] = field(default_factory=dict)


@command(Post.COUNTY_OFFICER, Post.CLERK)
def load_population(
    *,
    by: Actor,
    on: date,
    households: pa.Table,
    people: pa.Table,
    cards: pa.Table,
    valid_from: date | None = None,
    bank_office: int | None = None,
    evidence: str = "基本信息表",
) -> LoadReport:
    """Load what is new of three tables. BadInput names table and row; NotYourPlace when a division is elsewhere."""
    check_households(households, by, on)
    check_people(people, households.num_rows)
    check_cards(cards, households.num_rows, people.num_rows)
    identities = check_identities(people, on)
    common = {"valid_from": valid_from or on, "evidence": evidence[:120], "by": by.appointment, "bank": bank_office}
    with ThreadPoolExecutor(1) as ahead:  # encrypts what comes next while the database works on what came before
        columns = [
            ahead.submit(make, *given)
            for make, given in (
                (_household_columns, (households,)),
                (_people_columns, (people, identities)),
                (_card_columns, (cards,)),
            )
        ]
        copy_in("load_households", *columns[0].result())
        added = _add_households(common)
        copy_in("load_people", *columns[1].result())
        persons = _add_people(common)
        copy_in("load_cards", *columns[2].result())
        issued = _add_cards(common)
    items = keep_clashes(households, people, cards, identities)
    return LoadReport(added, households.num_rows - added, persons, issued, items)


def _household_columns(households: pa.Table) -> Staged:
    ring = keyring()
    columns = {
        "row": pa.array(range(households.num_rows)),
        "household_no": households["household_no"],
        "division": households["division"],
    }
    types = {"row": "bigint", "household_no": "text", "division": 'text COLLATE "C"'}
    for name, purpose in (("address", ADDRESS), ("phone", PHONE)):
        plain = households[name].to_pylist()
        known = [text for text in plain if text]
        sealed, hashes = iter(ring.encrypt_many(known, purpose)), iter(ring.lookup_many(known, purpose))
        columns[f"{name}_enc"] = hexed([next(sealed) if text else None for text in plain])
        columns[f"{name}_hash"] = hexed([next(hashes) if text else None for text in plain])
        types |= {f"{name}_enc": "bytea", f"{name}_hash": "bytea"}
    for fact in HOUSEHOLD_FACTS:
        columns[fact.code] = _plain(households[fact.code])
        types[fact.code] = _type_of(HouseholdFacts, fact.code)
    return pa.table(columns), types


def _add_households(common: dict[str, object]) -> int:
    """New households and their facts; staged rows of known ones fall away. Returns how many were added."""
    facts = ", ".join(fact.code for fact in HOUSEHOLD_FACTS)
    run("DROP TABLE IF EXISTS pg_temp.new_households")
    run(
        "CREATE TEMPORARY TABLE new_households ON COMMIT DROP AS"
        " SELECT nextval('registry_household_id_seq') AS id, s.* FROM (SELECT l.* FROM load_households l"
        " WHERE NOT EXISTS (SELECT FROM registry_household h WHERE h.household_no = l.household_no) ORDER BY l.row) s"
    )
    run(
        "INSERT INTO registry_household (id, household_no, division)"
        " SELECT id, household_no, division FROM new_households ORDER BY id ON CONFLICT (household_no) DO NOTHING"
    )
    run("DELETE FROM new_households n WHERE NOT EXISTS (SELECT FROM registry_household h WHERE h.id = n.id)")
    run("ANALYZE new_households")
    return run(
        "INSERT INTO registry_householdfacts (household_id, division, valid_from, evidence, reported_by,"  # noqa: S608
        f" address_enc, address_hash, phone_enc, phone_hash, {facts})"
        " SELECT id, division, %(valid_from)s, %(evidence)s, %(by)s,"
        f" address_enc, address_hash, phone_enc, phone_hash, {facts} FROM new_households ORDER BY id",
        common,
    )


def _people_columns(people: pa.Table, identities: Identities) -> Staged:
    """People with a good number only; the others become work items."""
    ring = keyring()
    good = [row for row in range(people.num_rows) if row not in identities.bad]
    numbers = [identities.numbers[row] for row in good]
    rows = pa.array(good, pa.int64())
    names = people["name"].take(rows)
    distinct = pc.unique(names)
    keys = pa.array([person_key(name)[:120] for name in distinct.to_pylist()], pa.string())
    columns = {
        "row": rows,
        "household_row": people["household"].take(rows),
        "name": names,
        "name_pinyin": keys.take(pc.index_in(names, distinct)),
        "id_number_enc": hexed(list(ring.encrypt_many(numbers, ID_NUMBER))),
        "id_number_hash": hexed(list(ring.lookup_many(numbers, ID_NUMBER))),
        "sex": identities.sex.take(rows),
        "birth_date": identities.birth_date.take(rows),
        "relation": _plain(people["relation"].take(rows)),
    }
    types = {
        "row": "bigint", "household_row": "bigint", "name": "text", "name_pinyin": "text", "id_number_enc": "bytea",
        "id_number_hash": "bytea", "sex": "text", "birth_date": "date", "relation": "text",
    }  # fmt: skip
    for fact in _FACTS_OF_PERSON:
        columns[fact.code] = _plain(people[fact.code].take(rows))
        types[fact.code] = _type_of(PersonFacts, fact.code)
    return pa.table(columns), types


def _add_people(common: dict[str, object]) -> int:
    """New people with facts and membership; `clashing_people` keeps those whose number a living person has."""
    facts = ", ".join(fact.code for fact in _FACTS_OF_PERSON)
    for name in ("new_people", "clashing_people"):
        run(f"DROP TABLE IF EXISTS pg_temp.{name}")
    run(
        "CREATE TEMPORARY TABLE new_people ON COMMIT DROP AS SELECT nextval('registry_person_id_seq') AS id, s.* FROM"
        " (SELECT l.*, h.id AS household_id, h.division FROM load_people l"
        " JOIN new_households h ON h.row = l.household_row ORDER BY l.row) s"
    )
    run("ANALYZE new_people")
    run(
        "INSERT INTO registry_person"
        " (id, name, name_pinyin, division, id_number_enc, id_number_hash, sex, birth_date)"
        " SELECT id, name, name_pinyin, division, id_number_enc, id_number_hash, sex, birth_date"
        " FROM new_people ORDER BY id ON CONFLICT (id_number_hash) WHERE closed_on IS NULL DO NOTHING"
    )
    run(
        "CREATE TEMPORARY TABLE clashing_people ON COMMIT DROP AS SELECT n.row, n.household_id, n.division,"
        " (SELECT p.id FROM registry_person p WHERE p.id_number_hash = n.id_number_hash AND p.closed_on IS NULL)"
        " AS person_id FROM new_people n WHERE NOT EXISTS (SELECT FROM registry_person p WHERE p.id = n.id)"
    )
    run("DELETE FROM new_people n USING clashing_people c WHERE c.row = n.row")
    run(
        f"INSERT INTO registry_personfacts (person_id, division, valid_from, evidence, reported_by, {facts})"  # noqa: S608
        f" SELECT id, division, %(valid_from)s, %(evidence)s, %(by)s, {facts} FROM new_people ORDER BY id",
        common,
    )
    return run(
        "INSERT INTO registry_membership"
        " (person_id, household_id, relation, division, valid_from, evidence, reported_by)"
        " SELECT id, household_id, relation, division, %(valid_from)s, %(evidence)s, %(by)s"
        " FROM new_people ORDER BY id",
        common,
    )


def _card_columns(cards: pa.Table) -> Staged:
    ring, plain = keyring(), cards["account"].to_pylist()
    columns = {
        "row": pa.array(range(cards.num_rows)),
        "holder_row": cards["holder"],
        "household_row": cards["household"],
        "use": _plain(cards["kind"]),
        "state": _plain(cards["state"]),
        "account_enc": hexed(list(ring.encrypt_many(plain, ACCOUNT))),
        "account_hash": hexed(list(ring.lookup_many(plain, ACCOUNT))),
        "account_tail": pc.utf8_slice_codeunits(cards["account"], -4),
    }
    types = {
        "row": "bigint", "holder_row": "bigint", "household_row": "bigint", "use": "text", "state": "text",
        "account_enc": "bytea", "account_hash": "bytea", "account_tail": "text",
    }  # fmt: skip
    return pa.table(columns), types


def _add_cards(common: dict[str, object]) -> int:
    """New cards; `clashing_cards` keeps those on an account in use, second ones, and those without a holder."""
    for name in ("new_cards", "clashing_cards"):
        run(f"DROP TABLE IF EXISTS pg_temp.{name}")
    run(
        "CREATE TEMPORARY TABLE new_cards ON COMMIT DROP AS SELECT nextval('registry_card_id_seq') AS id, s.* FROM"
        " (SELECT l.*, h.id AS household_id, h.division, coalesce(p.id, c.person_id) AS holder_id"
        " FROM load_cards l JOIN new_households h ON h.row = l.household_row"
        " LEFT JOIN new_people p ON p.row = l.holder_row LEFT JOIN clashing_people c ON c.row = l.holder_row"
        " ORDER BY l.row) s"
    )
    issued = run(
        "INSERT INTO registry_card (id, division, valid_from, evidence, reported_by, use, holder_id, household_id,"
        " account_enc, account_hash, account_tail, account_name, bank_office_id, state)"
        " SELECT n.id, n.division, %(valid_from)s, %(evidence)s, %(by)s, n.use, n.holder_id, n.household_id,"
        " n.account_enc, n.account_hash, n.account_tail, p.name, %(bank)s, n.state"
        " FROM new_cards n JOIN registry_person p ON p.id = n.holder_id ORDER BY n.id ON CONFLICT DO NOTHING",
        common,
    )
    run(
        "CREATE TEMPORARY TABLE clashing_cards ON COMMIT DROP AS SELECT n.row, n.household_id, n.division, n.holder_id,"
        " EXISTS (SELECT FROM registry_card c WHERE c.account_hash = n.account_hash AND c.state = 'active'"
        " AND c.recorded_to IS NULL) AS account_in_use"
        " FROM new_cards n WHERE NOT EXISTS (SELECT FROM registry_card c WHERE c.id = n.id)"
    )
    return issued


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dictionaries as the texts they stand for; everything else as it is."""
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _type_of(model: type, code: str) -> str:
    return str(model._meta.get_field(code).db_type(connection))
