"""Which agent bank a card is of, by the name a table gives it (REG-07, REG-03).

in    Rows of cards with the column 开户银行; the county's bank offices
out   the column `bank_office_id`; a name that no bank or several have is a fault that names the banks
"""

import re
from datetime import date

import pyarrow as pa
from django.db.models import Q

from huimin.importing.rows import Rows
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind

_COMPANY = re.compile(r"股份有限公司|有限责任公司|有限公司|\s|[（(].*?[)）]")


def name_banks(rows: Rows, on: date) -> None:
    """Inside the reading of a table of cards; a row that names no bank keeps none."""
    if "bank" not in rows.table.column_names:
        return
    offices = Office.objects.filter(Q(valid_to=None) | Q(valid_to__gt=on), kind=OfficeKind.BANK)
    banks = {plain_bank(name): number for number, name in offices.values_list("pk", "name")[:500]}
    names = "、".join(offices.order_by("pk").values_list("name", flat=True)[:8])
    found: list[int | None] = []
    for row, text in enumerate(rows.texts("bank")):
        meant = _meant(text, banks) if text else set()
        found.append(next(iter(meant)) if len(meant) == 1 else None)
        if text and len(meant) != 1:
            what = f"没有“{text[:20]}”这家代理银行" if not meant else f"“{text[:20]}”可能是几家银行"
            rows.blame(row, what, target="bank", value=text, remedy=f"请写全称：{names}")
    rows.table = rows.table.append_column("bank_office_id", pa.array(found, pa.int64()))


def plain_bank(name: str) -> str:
    return _COMPANY.sub("", name)


def _meant(text: str, banks: dict[str, int]) -> set[int]:
    """The bank of that name; else those whose name the text contains, as a branch does, or that contain the text."""
    plain = plain_bank(text)
    if plain in banks:
        return {banks[plain]}
    return {number for name, number in banks.items() if plain and (name in plain or plain in name)}
