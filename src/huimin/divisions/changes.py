"""Renamings and mergers of divisions: steps of the commands in `organisation.boundaries` (ORG-01).

Run inside the caller's transaction, which has declared the scope. Always true: a change begins on a day after the name
it replaces began, so a code has one name a day; a merged division keeps its rows and names its successor; nothing may
end while something beneath it goes on.
"""

from datetime import date

from huimin.database.bulk import fetch
from huimin.divisions.models import Division
from huimin.divisions.queries import get_division
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.pinyin import pinyin_key
from huimin.kernel.places import Level


class StillInUse(Refusal):
    """A division cannot end while divisions beneath it go on."""


def rename(code: str, name: str, on: date) -> Division:
    """The division's new row under `name` from `on`; the row in force unchanged when it has that name already."""
    name = name.strip()
    if not 0 < len(name) <= 60:
        raise BadInput("没有新名称或名称过长", where="新名称", remedy="名称为 1 至 60 个字")
    old = get_division(code, on)
    if old.name == name:
        return old
    _close(old, on, successor=None)
    return Division.objects.create(
        code=code,
        name=name,
        level=old.level,
        parent=old.parent,
        pinyin=pinyin_key(name)[:200],
        valid_from=on,
        valid_to=None,
    )


def merge(code: str, into: str, on: date) -> Division:
    """End `code` on `on` with `into` as successor; returns the division that ended. Repeating it changes nothing."""
    ended = Division.objects.filter(code=code, valid_to=on, successor=into).first()
    if ended:
        return ended
    old, new = get_division(code, on), get_division(into, on)
    if old.code == new.code or old.level != new.level:
        raise BadInput("只能并入另一个同级区划", where=f"{old.name} 并入 {new.name}", remedy="请重新选择并入的区划")
    _require_nothing_beneath(old, on)
    _close(old, on, successor=into)
    return old


def _close(row: Division, on: date, successor: str | None) -> None:
    if row.valid_from >= on:
        raise BadInput(f"“{row.name}”自 {row.valid_from} 起生效", where="生效日期", remedy="变更须晚于这一天")
    row.valid_to, row.successor = on, successor
    row.save(update_fields=["valid_to", "successor"])


def _require_nothing_beneath(old: Division, on: date) -> None:
    beneath = fetch(
        "SELECT count(*) FROM divisions_division WHERE parent = %s AND (valid_to IS NULL OR valid_to > %s)",
        [old.code, on],
    )[0][0]
    if beneath:
        below = Level(old.level).label
        raise StillInUse(
            f"{old.name}下还有 {beneath} 个区划", why=f"{below}级撤并前，下级须先划转", remedy="请先办理下级区划的变更"
        )
