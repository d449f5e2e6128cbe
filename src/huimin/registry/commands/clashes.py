"""What a load could not take in, kept whole in work items for a person to settle (REG-04).

in    the load's tables, and the temporary tables `clashing_people`, `clashing_cards` that it left
out   rows of WorkItem; the input row encrypted inside, only masked words in the summary

Always true: the same row of input makes one work item, however often it is loaded.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from huimin.database.bulk import copy_rows, fetch, run
from huimin.database.personal import PAYLOAD, sealed
from huimin.kernel.digests import canonical
from huimin.kernel.masking import mask_account, mask_name
from huimin.registry.commands.checks import Identities
from huimin.registry.models import WorkItem

Kind = WorkItem.Kind


@dataclass(frozen=True)
class Clash:
    """One row that waits: where, about whom, in masked words, and the row itself in plain."""

    kind: str
    division: str
    household: int
    person: int | None
    summary: str
    payload: dict[str, Any]


def keep_clashes(households: pa.Table, people: pa.Table, cards: pa.Table, identities: Identities) -> dict[str, int]:
    """Add a work item for every clash; how many were added, by kind."""
    clashes = [
        *_people_listed_twice(households, people),
        *_bad_identities(households, people, identities),
        *_cards_in_the_way(households, people, cards),
    ]
    return add_items(clashes)


def _people_listed_twice(households: pa.Table, people: pa.Table) -> Iterator[Clash]:
    found = fetch(
        "SELECT c.row, c.household_id, c.division, c.person_id, h.household_no FROM clashing_people c"
        " LEFT JOIN LATERAL (SELECT h.household_no FROM registry_membership m JOIN registry_household h"
        " ON h.id = m.household_id WHERE m.person_id = c.person_id AND m.recorded_to IS NULL"
        " ORDER BY m.valid_from DESC LIMIT 1) h ON true ORDER BY c.row"
    )
    for row, household, division, person, other in found:
        where = f"已在 {other} 户" if other else "已在本辖区以外的户"
        summary = f"{mask_name(people['name'][row].as_py())}与{where}的登记为同一证件号码"
        yield Clash(Kind.SAME_PERSON, division, household, person, summary, _person(households, people, row))


def _bad_identities(households: pa.Table, people: pa.Table, identities: Identities) -> Iterator[Clash]:
    """Only in households that are new: those of known ones were kept when the household came in."""
    if not identities.bad:
        return
    of_rows = {row: people["household"][row].as_py() for row in identities.bad}
    new = {
        row: (household, division)
        for row, household, division in fetch(
            "SELECT row, id, division FROM new_households WHERE row = ANY(%s)", [sorted(set(of_rows.values()))]
        )
    }
    for row, what in identities.bad.items():
        if of_rows[row] in new:
            household, division = new[of_rows[row]]
            summary = f"{mask_name(people['name'][row].as_py())}：{what}"
            payload = _person(households, people, row)
            yield Clash(Kind.BAD_IDENTITY, division, household, None, summary, payload)


def _cards_in_the_way(households: pa.Table, people: pa.Table, cards: pa.Table) -> Iterator[Clash]:
    found = fetch("SELECT row, household_id, division, holder_id, account_in_use FROM clashing_cards ORDER BY row")
    for row, household, division, holder, in_use in found:
        card = cards.slice(row, 1).to_pylist()[0]
        account, name = mask_account(card["account"]), mask_name(people["name"][card["holder"]].as_py())
        if holder is None:
            kind, summary = Kind.CARD_WITHOUT_HOLDER, f"账号 {account} 的持卡人{name}未入库"
        elif in_use:
            kind, summary = Kind.SHARED_CARD, f"{name}的账号 {account} 已由他人（他户）使用"
        else:
            kind, summary = Kind.SECOND_CARD, f"{name}已有一张在用的卡，又报来账号 {account}"
        payload = {
            "household_no": households["household_no"][card["household"]].as_py(),
            "account": card["account"],
            "name": people["name"][card["holder"]].as_py(),
            "use": str(card["kind"]),
            "state": str(card["state"]),
        }
        yield Clash(kind, division, household, holder, summary, payload)


def _person(households: pa.Table, people: pa.Table, row: int) -> dict[str, Any]:
    """The input row as it came, with the household's number in place of its position."""
    plain: dict[str, Any] = people.slice(row, 1).to_pylist()[0]
    plain["household_no"] = households["household_no"][plain.pop("household")].as_py()
    return plain


def add_items(clashes: Iterable[Clash]) -> dict[str, int]:
    """Add the work items that are not there yet; how many were added, by kind."""
    rows = []
    for clash in clashes:
        enc, hashed = sealed(canonical(clash.payload).decode(), PAYLOAD)
        rows.append((clash.kind, clash.division, clash.household, clash.person, clash.summary[:300], enc, hashed))
    names = ("kind", "division", "household_id", "person_id", "summary", "payload_enc", "payload_hash")
    types = ("text", "text", "int8", "int8", "text", "bytea", "bytea")
    copy_rows("new_items", tuple(zip(names, types, strict=True)), rows)
    before = Counter(dict(_open_by_kind()))
    run(
        f"INSERT INTO registry_workitem ({', '.join(names)}, state, settlement)"  # noqa: S608
        f" SELECT {', '.join(names)}, 'open', '' FROM new_items ON CONFLICT (kind, payload_hash) DO NOTHING"
    )
    return dict(Counter(dict(_open_by_kind())) - before)


def _open_by_kind() -> list[tuple[Any, ...]]:
    return fetch("SELECT kind, count(*) FROM registry_workitem WHERE state = 'open' GROUP BY kind")
