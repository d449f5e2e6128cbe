"""A bank's file of issued cards, read into rows; the columns are found by their heads (REG-07).

BadInput when the file cannot be opened or has no columns for number, name and account.
"""

import hashlib
from typing import IO

from huimin.importing.heads import recognise
from huimin.importing.layout import Laid, lay_out
from huimin.importing.reading.opening import open_file
from huimin.kernel.errors import BadInput
from huimin.registry.commands import IssuedCard
from huimin.registry.commands.issuing import ROWS_MAX

_NEEDED = {
    "number": ("holder_id", "id_number", "head_id"),
    "name": ("account_name", "name", "head_name"),
    "account": ("account",),
}
_USES = {"": "", "户": "household", "人": "person", "家庭": "household", "个人": "person"}


def issued_cards(file: IO[bytes], name: str) -> tuple[list[IssuedCard], str]:
    """Rows of the first sheet that has the columns, and the SHA-256 of the file."""
    sheets = open_file(file, name)
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    for sheet in sheets:
        laid = lay_out(sheet)
        if laid is not None and (columns := _columns(laid)):
            return _rows(laid, columns, name), sha256
    raise BadInput("没有找到证件号码、姓名、账号三列", where=name, remedy="请让表头写明“证件号码、姓名、账号”")


def _columns(laid: Laid) -> dict[str, int]:
    """Position of each column; empty when one is missing."""
    codes = [recognise(label) for label in laid.labels]
    found = {}
    for key, names in _NEEDED.items():
        at = next((codes.index(code) for code in names if code in codes), None)
        if at is None:
            return {}
        found[key] = at
    if "use" in codes:
        found["use"] = codes.index("use")
    return found


def _rows(laid: Laid, columns: dict[str, int], name: str) -> list[IssuedCard]:
    if laid.rows > ROWS_MAX:
        raise BadInput(f"文件有 {laid.rows:,} 行，最多 {ROWS_MAX:,} 行", where=name, remedy="请按乡镇分成几个文件")
    texts = {key: [_plain(each) for each in laid.columns[at].to_pylist()] for key, at in columns.items()}
    uses = texts.get("use", [""] * laid.rows)
    return [
        IssuedCard(number, texts["number"][row], texts["name"][row], texts["account"][row], _USES.get(uses[row], "?"))
        for row, number in enumerate(laid.numbers)
    ]


def _plain(text: str | None) -> str:
    return "".join((text or "").split()).lstrip("'’")
