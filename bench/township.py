"""One township with as many households that are owed money as a benchmark asks for (PAY-01, PAY-04).

in    the demonstration's county up to its dues, and a number
out   households with a head, a number, a card, a decision, an entitlement and a due of the quarter that are copies of one that
      the demonstration made; a settled roster of the quarter before with the same lines, so that there is something to compare

Copies are written past the guards by the cluster's superuser, column by column as the tables are that day: a column added later is
copied like the others. Numbers and accounts are sealed with the instance's own keys and are each of one household. Villages have
5,000 households, or as many as are asked for, in groups of 500.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import psycopg

PROGRAMME = "grain-one-off"
FEN = 1_000
VILLAGE, GROUP = 5_000, 500
BASE = 1_000_000_000
"""Copies have numbers from here on; whatever the product adds while it is timed has small ones."""
_PIECE = 20_000


def fill(
    url: str, township: str, lines: int, village: int = VILLAGE, also: Callable[[Any], None] = lambda superuser: None
) -> None:
    """`lines` households of `township`, `village` of them in each; the superuser's `url`. `also` is done before the end."""
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("SET synchronous_commit = off")
        superuser.execute("DROP TABLE IF EXISTS bench_row")
        superuser.execute(
            'CREATE UNLOGGED TABLE bench_row (n int PRIMARY KEY, division text COLLATE "C", household_no text COLLATE "C",'
            " name text, account_enc bytea, account_hash bytea, account_tail text, id_enc bytea, id_hash bytea)"
        )
        found = superuser.execute("SELECT DISTINCT name FROM registry_person WHERE name ~ '^[一-龥]{2,4}$' ORDER BY 1")
        names = [name for (name,) in found]
        with superuser.cursor().copy("COPY bench_row FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "text", "text", "text", "bytea", "bytea", "text", "bytea", "bytea"])
            for row in _rows(names, township, lines, village):
                copy.write_row(row)
        superuser.execute("ANALYZE bench_row")
        _add_places(superuser, township, lines, village)
        _add_copies(superuser, township)
        also(superuser)
        superuser.execute("DROP TABLE bench_row")
        superuser.execute("VACUUM ANALYZE")


def account_of(n: int) -> str:
    return f"62299803{n:011d}"


def _village(township: str, n: int, size: int) -> str:
    """From 300 on: the demonstration's own villages come before."""
    return f"{township[:9]}{300 + (n - 1) // size:03d}"


def _rows(names: list[str], township: str, lines: int, size: int) -> Iterator[tuple[Any, ...]]:
    """Numbered from 1 in the order a roster lists them."""
    from huimin.database.personal import ACCOUNT, ID_NUMBER, keyring
    from huimin.kernel.identity import check_digit

    ring = keyring()
    numbers = iter(range(1, lines + 1))
    while piece := list(islice(numbers, _PIECE)):
        accounts = [account_of(n) for n in piece]
        first = [f"341524{1940 + n % 60}{1 + n % 12:02d}{1 + n % 28:02d}{n % 1000:03d}" for n in piece]
        identities = [each + check_digit(each) for each in first]
        columns = (
            ring.encrypt_many(accounts, ACCOUNT), ring.lookup_many(accounts, ACCOUNT), ring.encrypt_many(identities, ID_NUMBER),
            ring.lookup_many([f"bench {n}" for n in piece], ID_NUMBER),
        )  # fmt: skip
        for n, account, enc, hashed, id_enc, id_hash in zip(piece, accounts, *columns, strict=True):
            village = _village(township, n, size)
            group = f"{village}{1 + (n - 1) % size // GROUP:03d}"
            yield n, group, f"{village}9{n:08d}", names[n % len(names)], enc, hashed, account[-4:], id_enc, id_hash


def _add_places(superuser: Any, township: str, lines: int, size: int) -> None:
    """Villages and their groups, as the demonstration registers them."""
    for n in range(1, lines + 1, size):
        village = _village(township, n, size)
        places = [(village, f"规模{village[9:]}村", 12, township)]
        places += [(f"{village}{at:03d}", f"第{at}组", 15, village) for at in range(1, max(size // GROUP, 1) + 1)]
        for code, name, level, parent in places:
            changed = {"code": code, "name": name, "level": str(level), "parent": parent, "pinyin": ""}
            values = {column: f"'{value}'" for column, value in changed.items()}
            values |= {"level": str(level), "id": f"{BASE} + {int(code[9:].ljust(6, '0'))}", "successor": "NULL"}
            copy_row(superuser, "divisions_division", f"m.code = '{township}'", values, "(VALUES (1)) b (n)")


def _add_copies(superuser: Any, township: str) -> None:
    """Of the first due of the programme whose household has a head and a card."""
    model = superuser.execute(
        "SELECT d.id, e.id, e.decision_id, m.id, m.person_id, e.household_id, c.id FROM payment_due d"
        " JOIN casework_entitlement e ON e.id = d.entitlement_id AND e.person_id IS NULL"
        " JOIN registry_membership m ON m.household_id = e.household_id AND m.relation = '户主' AND m.recorded_to IS NULL"
        "   AND m.valid_to IS NULL"
        " JOIN registry_card c ON c.holder_id = m.person_id AND c.use = 'household' AND c.state = 'active' AND c.recorded_to IS NULL"
        " WHERE d.programme = %s AND d.state = 'owed' AND d.kind = 'base' ORDER BY d.id LIMIT 1",
        [PROGRAMME],
    ).fetchone()
    due, entitlement, decision, membership, person, household, card = model
    own = f"{BASE} + b.n"
    placed = {"id": own, "division": "b.division"}
    money = placed | {"amount_fen": str(FEN)}
    home, whom = {"household_id": own}, {"person_id": "NULL"}
    for table, number, values in (
        ("registry_household", household, placed | {"household_no": "b.household_no", "closed_on": "NULL"}),
        ("registry_person", person, placed | {"name": "b.name", "id_number_enc": "b.id_enc", "id_number_hash": "b.id_hash"}),
        ("registry_membership", membership, placed | home | {"person_id": own}),
        ("registry_card", card, placed | home | {
            "holder_id": own, "account_enc": "b.account_enc", "account_hash": "b.account_hash", "account_tail": "b.account_tail",
            "account_name": "b.name",
        }),
        ("casework_decision", decision, money | home | whom | {"proposal_id": "NULL", "case_number": own}),
        ("casework_entitlement", entitlement, money | home | whom | {"decision_id": own}),
        ("payment_due", due, money | {"entitlement_id": own}),
    ):  # fmt: skip
        copy_row(superuser, table, f"m.id = {number}", values)
    _add_last_roster(superuser, township, due)
    superuser.execute(
        "UPDATE payment_due SET state = 'stopped' WHERE division LIKE %s AND id < %s", [township[:9] + "%", BASE]
    )


def _add_last_roster(superuser: Any, township: str, due: int) -> None:
    """The quarter before, paid."""
    superuser.execute(
        "INSERT INTO payment_roster (id, division, programme, version, kind, period_from, period_until, number, lines_count, amount_fen,"
        " digest, state, compiled_by, compiled_on) OVERRIDING SYSTEM VALUE"
        " SELECT %s, %s, d.programme, '', 'base', d.period_from - interval '3 months', d.period_from, 9,"
        " (SELECT count(*) FROM bench_row), 0, repeat('0', 64), 'settled', 1, d.period_from FROM payment_due d WHERE d.id = %s",
        [BASE, township, due],
    )
    superuser.execute(
        "INSERT INTO payment_rosterline (id, roster_id, line_no, division, programme, entitlement_id, household_id, payee_id, card_id,"
        " name, people, group_code, quantity, amount_fen, facts_digest, digest, state, withheld_reason) OVERRIDING SYSTEM VALUE"
        " SELECT %(base)s + b.n, %(base)s, b.n, b.division, %(programme)s, %(base)s + b.n, %(base)s + b.n, %(base)s + b.n,"
        " %(base)s + b.n, b.name, 1, b.division, '', %(fen)s, '', '\\x00', 'paid', '' FROM bench_row b ORDER BY b.n",
        {"base": BASE, "programme": PROGRAMME, "fen": FEN},
    )


def copy_row(superuser: Any, table: str, model: str, values: dict[str, str], rows: str = "bench_row b") -> None:
    """A copy of the row `model` for each of `rows`, with other `values`."""
    columns = [
        name
        for (name,) in superuser.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = ''",
            [table],
        )
    ]
    assert values.keys() <= set(columns), f"{table} has no {values.keys() - set(columns)}"
    names = ", ".join(f'"{name}"' for name in columns)
    made = ", ".join(values.get(name, f'm."{name}"') for name in columns)
    superuser.execute(
        f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {made} FROM {rows}"  # noqa: S608
        f" CROSS JOIN (SELECT * FROM {table} m WHERE {model} LIMIT 1) m ORDER BY b.n"
    )
