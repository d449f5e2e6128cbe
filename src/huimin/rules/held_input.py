"""享受 and 符合 of one household as people write them: what it holds today, and what it is said to fit.

in    under the household or a member: `"享受": ["tekun", {"项目": "dibao-rural", "金额": 300, "自": "2025-01-01"}]`, `"符合": ["tekun"]`
out   `Held` columns and given outcomes, or BadInput

A programme about households stands with the household, one about persons with each member who holds it. 符合 given
anywhere in the input, be it an empty list, says all there is to say; otherwise it is worked out.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import numpy as np

from huimin.kernel.errors import BadInput
from huimin.rules.outcome import Outcome
from huimin.rules.programme import Programme
from huimin.rules.table import Held
from huimin.rules.typed import EPOCH_ORDINAL

HOLDS, FITS = "享受", "符合"
HELD_FIELDS = ("项目", "金额", "自", "渐退自")
Row = Mapping[str, object]


def held_of(household: Row, members: Sequence[Row]) -> dict[str, Held]:
    """By code; a code named without 金额 counts as held with 0.01 元. Raises BadInput."""
    rows = {"户": [household], "成员": members}
    found: dict[str, tuple[str, Held]] = {}
    for whose, row, where in _each(household, members):
        for item in _items(row, HOLDS, where):
            code, amount, since, out_since = _holding(item, f"{where}.{HOLDS}")
            size = len(rows["户" if whose is None else "成员"])
            side, held = found.setdefault(code, ("户" if whose is None else "成员", _nobody(size)))
            if side != ("户" if whose is None else "成员"):
                raise BadInput(f"“{code}”既写在户下又写在成员下", where=f"{where}.{HOLDS}", remedy="请只写一处")
            at = whose or 0
            held.amount_fen[at], held.since[at], held.phase_out_since[at] = amount, since, out_since
    return {code: held for code, (_, held) in found.items()}


def given_outcomes(programme: Programme, household: Row, members: Sequence[Row]) -> dict[str, Outcome]:
    """The outcomes of 符合 as given; empty when the input says nothing of it. Raises BadInput."""
    if not any(FITS in row for row in (household, *members)):
        return {}
    found = {}
    for code in programme.structure.fits:
        by_person = programme.structure.others[code] == "person"
        rows = members if by_person else [household]
        found[code] = Outcome.given(np.array([code in _codes(row) for row in rows], np.bool_))
    return found


def refuse_misplaced(programme: Programme, household: Row, members: Sequence[Row]) -> None:
    """A programme this one asks about must stand with whom it is about. Raises BadInput."""
    units = {**programme.structure.others, programme.code: programme.unit}
    for whose, row, where in _each(household, members):
        written = {*_codes(row), *(_holding(item, where)[0] for item in _items(row, HOLDS, where))}
        for code in sorted(written & units.keys()):
            if (units[code] == "person") == (whose is None):
                right = "成员" if whose is None else "户"
                raise BadInput(f"项目 {code} 的对象不在这里", where=where, remedy=f"请写到“{right}”下面")


def refuse_bare_holding(programme: Programme, outcome: Outcome, household: Row, members: Sequence[Row]) -> None:
    """渐退 pays a share of what was granted, so 享受 must say how much that was. Raises BadInput."""
    for _, row, where in _each(household, members):
        if bool(outcome.phase_out.any()) and programme.code in _items(row, HOLDS, where):
            remedy = f'写成 {{"项目": "{programme.code}", "金额": 300}}'
            raise BadInput("渐退按原来发给的金额计算，这里没有写金额", where=f"{where}.{HOLDS}", remedy=remedy)


def _each(household: Row, members: Sequence[Row]) -> list[tuple[int | None, Row, str]]:
    return [(None, household, "户"), *((i, member, f"成员[{i}]") for i, member in enumerate(members))]


def _items(row: Row, key: str, where: str) -> Sequence[object]:
    items = row.get(key) or ()
    if isinstance(items, str) or not isinstance(items, Sequence):
        raise BadInput(f"“{key}”应当是一列项目编码", where=f"{where}.{key}", remedy='写成 ["tekun"]')
    return items


def _codes(row: Row) -> list[str]:
    return [str(item) for item in _items(row, FITS, "")]


def _nobody(size: int) -> Held:
    return Held(np.zeros(size, np.int64), np.zeros(size, np.int32), np.zeros(size, np.int32))


def _holding(item: object, where: str) -> tuple[str, int, int, int]:
    """Code, amount in 分, days since 1970-01-01 of 自 and 渐退自."""
    if isinstance(item, str):
        return item, 1, 0, 0
    if not isinstance(item, Mapping) or "项目" not in item or not item.keys() <= set(HELD_FIELDS):
        raise BadInput("看不懂“享受”的这一项", where=where, remedy="写编码，或 {项目, 金额, 自, 渐退自}")
    return (
        str(item["项目"]),
        _fen(item.get("金额", 0.01), where),
        _days(item.get("自"), where),
        _days(item.get("渐退自"), where),
    )


def _fen(value: object, where: str) -> int:
    fen = (
        Decimal(str(value)) * 100 if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None
    )
    if fen is None or not fen.is_finite() or fen != int(fen) or not 0 < fen < 10**15:
        raise BadInput("享受的金额不对", where=where, remedy="写大于零的元，至多两位小数，例如 300.50")
    return int(fen)


def _days(value: object, where: str) -> int:
    if value is None:
        return 0
    try:
        return (value if isinstance(value, date) else date.fromisoformat(str(value))).toordinal() - EPOCH_ORDINAL
    except ValueError:
        raise BadInput(f"“{value}”不是日期", where=where, remedy="日期写成 2026-06-01") from None
