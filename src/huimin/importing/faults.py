"""What is wrong with a row, in the words of who sent it: sheet, row, column, value, what to do (REG-03, SEC-04).

Personal values are masked here once and for all; the plain ones stand only in the workbook that goes back.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

from huimin.importing.kinds import PERSONAL
from huimin.kernel import masking

LOST = re.compile(r"\d(?:\.\d+)?[Ee]\+?\d{1,3}")
"""What a spreadsheet leaves of a long number: nobody's any more."""
WRONG, CONFLICT = "wrong", "conflict"
_MASKS = {
    "id_number": masking.mask_identity, "head_id": masking.mask_identity, "holder_id": masking.mask_identity,
    "account": masking.mask_account, "address": masking.mask_address, "phone": masking.mask_phone,
}  # fmt: skip


@dataclass(frozen=True)
class RowFault:
    """One fault. `kind` is wrong (goes back) or conflict (waits for a person); `column` is the letter, "" for the row."""

    sheet: str
    row: int
    column: str
    head: str
    value: str
    what: str
    why: str = ""
    remedy: str = ""
    kind: str = WRONG

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def where(self) -> str:
        place = f"“{self.sheet}”第 {self.row} 行"
        return f"{place} {self.column} 列（{self.head}）" if self.column else place

    def __str__(self) -> str:
        said = "；".join(part for part in (self.what, self.why, self.remedy) if part)
        return f"{self.where}：{said}"


def shown(target: str, text: str) -> str:
    """The value of a cell as it may be shown."""
    plain = " ".join(text.split())
    if target in PERSONAL and not LOST.fullmatch(plain):
        return _MASKS[target](plain)
    return plain if len(plain) <= 40 else plain[:40] + "…"
