"""How a file differs from its description when an office spoiled it: a mark at its beginning, other line ends, another encoding.

in    a format, raw lines or the whole stream, the name it came by
out   BadInput that names what is there and what was agreed

A description says how lines end and whether there is a mark, and digests and signatures are over the bytes as agreed: a file that
was opened and saved again is refused, but told what happened to it, not that it was cut.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from huimin.kernel.bankfile.describing import Format
from huimin.kernel.errors import BadInput

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8", "UTF-8"), (b"\xff\xfe", "utf-16", "UTF-16"), (b"\xfe\xff", "utf-16", "UTF-16"),
    (b"\x84\x31\x95\x33", "gb18030", "GB18030"),
)  # fmt: skip
_ENDS = {"\r\n": "CRLF（回车换行）", "\n": "LF（换行）"}
_LOOKED_AT = 1 << 20
_SAVED = "可能用记事本、Excel 打开后另存过"
_REMEDY = "请用银行给的原文件，不要打开另存；原文件就是这样的，请银行按约定重送"


def sized(count: int) -> str:
    """A number of bytes as people say it."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}".replace(".0 ", " ")
    return f"{count} 字节"


def too_big(limit: int, file_name: str) -> BadInput:
    return BadInput(f"文件超过 {sized(limit)}", where=file_name, why="没有打开", remedy="请向银行核对")


def require_no_mark(form: Format, first: bytes, file_name: str) -> None:
    """No byte order mark before the first line."""
    for mark, codec, name in _MARKS:
        if not first.startswith(mark):
            continue
        if codec != form.encoding:
            raise _encoded(form, name, file_name)
        raise BadInput(
            f"文件开头多了 {name} 的标记（BOM）",
            where=f"{file_name} 第1行",
            why=f"约定不带标记；{_SAVED}",
            remedy=_REMEDY,
        )


def require_ends(form: Format, block: list[bytes], data: bytes, file_name: str, lines: int) -> None:
    """Whole lines end as agreed; the last, unfinished one of a file that was cut is not judged here."""
    feeds, both = data.count(b"\n"), data.count(b"\r\n")
    wanted = form.line_ending == "\r\n"
    if not feeds and not lines and data.count(b"\r") > 1:
        raise _ended(form, "CR（回车）", file_name, 1)
    if both == (feeds if wanted else 0):
        return
    for number, line in enumerate(block, lines + 1):
        if line.endswith(b"\n") and line.endswith(b"\r\n") != wanted:
            raise _ended(form, _ENDS["\n" if wanted else "\r\n"], file_name, number)


def _ended(form: Format, found: str, file_name: str, line: int) -> BadInput:
    agreed = _ENDS[form.line_ending]
    return BadInput(f"行尾是 {found}，约定的是 {agreed}", where=f"{file_name} 第{line}行", why=_SAVED, remedy=_REMEDY)


@contextmanager
def naming_encoding(form: Format, source: BinaryIO, file_name: str) -> Iterator[None]:
    """What is wrong inside because the file is in another encoding says that."""
    try:
        yield
    except BadInput as wrong:
        if not (other := other_encoding(form, source)):
            raise
        raise _encoded(form, other, wrong.where, wrong.what) from wrong


def other_encoding(form: Format, source: BinaryIO) -> str:
    """The encoding a file that is not as agreed is plainly in; "" when it may be as agreed.

    Chinese in GBK is no UTF-8 by accident for more than a word or two; the other way round anything may be GB18030.
    """
    source.seek(0)
    data = source.read(_LOOKED_AT)
    if len(data) == _LOOKED_AT:
        data = data[: data.rfind(b"\n") + 1]
    source.seek(0, os.SEEK_SET)
    if data.isascii():
        return ""
    if form.encoding == "utf-8":
        return "GBK" if not _reads(data, "utf-8") and _reads(data, "gb18030") else ""
    return "UTF-8" if _reads(data, "utf-8") else ""


def _reads(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _encoded(form: Format, found: str, where: str, seen: str = "") -> BadInput:
    agreed = "GBK" if form.encoding == "gbk" else form.encoding.upper()
    why = f"照约定读时：{seen}；{_SAVED}" if seen else _SAVED
    return BadInput(f"文件是 {found} 编码，约定的是 {agreed}", where=where, why=why, remedy=_REMEDY)
