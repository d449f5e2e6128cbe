"""Conflicts of a merge as work items: the row whole and encrypted, masked words to find it by (REG-04)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa

from huimin.kernel.masking import mask_account, mask_identity, mask_name
from huimin.registry.commands.clashes import Clash, add_items
from huimin.registry.commands.merging.verdicts import CONFLICT, Verdict

Verdicts = dict[int, Verdict]


def keep(
    households: pa.Table,
    members: pa.Table,
    cards: pa.Table,
    of_members: Verdicts,
    of_households: Verdicts,
    of_cards: Verdicts,
) -> int:
    """Work items for every conflict; how many are new. The same row makes the same item, however often it comes."""
    clashes = [
        *_clashes(households, of_households, households),
        *_clashes(members, of_members, households),
        *_clashes(cards, of_cards, households),
    ]
    return sum(add_items(clashes).values()) if clashes else 0


def _clashes(table: pa.Table, verdicts: Verdicts, households: pa.Table) -> Iterator[Clash]:
    for pos, found in verdicts.items():
        if found.status == CONFLICT:
            row = {
                name: _plain(value) for name, value in table.slice(pos, 1).to_pylist()[0].items() if value is not None
            }
            if (household := row.pop("household", None)) is not None:
                key = households.slice(household, 1).to_pylist()[0]
                row |= {name: key[name] for name in ("household_no", "head_id") if key.get(name)}
            yield Clash(found.item, found.division, found.household, found.person, f"{_who(row)}：{found.what}", row)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _who(row: dict[str, Any]) -> str:
    name = mask_name(str(row.get("name") or row.get("head_name") or row.get("account_name") or ""))
    if "account" in row:
        return f"{name or '持卡人'}的账号 {mask_account(row['account'])}"
    return (
        name or mask_identity(str(row.get("id_number") or row.get("head_id") or "")) or str(row.get("household_no", ""))
    )
