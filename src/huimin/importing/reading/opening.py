"""Which kind of file it is, by its first bytes: names lie, and townships' systems write text with the name .xls (REG-03).

in    a file and its name
out   its Sheets; Unreadable with what to do for everything that is not taken
"""

import os
from typing import IO

from huimin.importing.reading.delimited import decode, read_text
from huimin.importing.reading.old_workbook import read_old_workbook
from huimin.importing.reading.sheets import MEGABYTE, Limits, Sheet, Unreadable
from huimin.importing.reading.workbook import Progress, read_workbook

_ZIP = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Container of .xls, and of every workbook with a password."""
_OTHERS = {
    b"%PDF": "PDF",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"Rar!": "压缩包",
    b"7z\xbc\xaf": "压缩包",
    b"\x1f\x8b": "压缩包",
}


def open_file(
    file: IO[bytes], name: str, limits: Limits | None = None, progress: Progress = lambda done, total: None
) -> list[Sheet]:
    """The sheets of a file that can be sought in."""
    limits = limits or Limits()
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not size:
        raise Unreadable("文件是空的", where=name, remedy="请核对后重新选择")
    if size > limits.file_bytes:
        most = limits.file_bytes // MEGABYTE
        raise Unreadable(
            f"文件有 {size // MEGABYTE:,} MB，最多 {most} MB", where=name, remedy="请按乡镇或村拆成几个文件"
        )
    head = file.read(512)
    file.seek(0)
    if head.startswith(_ZIP):
        return read_workbook(file, name, limits, progress)
    if head.startswith(_COMPOUND):
        return read_old_workbook(file, name, limits, progress)
    _refuse_others(head, name)
    content = file.read()
    _refuse_page(content[:4096], name)
    return read_text(content, name, limits)


def _refuse_others(head: bytes, name: str) -> None:
    for mark, kind in _OTHERS.items():
        if head.startswith(mark):
            raise Unreadable(f"是{kind}，不是表格", where=name, remedy="请选 .xlsx、.xls 或 .csv 文件")


def _refuse_page(head: bytes, name: str) -> None:
    """Web pages and Excel 2003 XML under the name .xls."""
    try:
        text, _ = decode(head[: head.rfind(b"\n") + 1] or head, name)
    except Unreadable:
        return
    start = text.lstrip("\ufeff \r\n\t")[:200].lower()
    if start.startswith(("<html", "<!doctype", "<?xml", "<table", "<meta")):
        raise Unreadable(
            "是网页格式的文件，不是表格",
            where=name,
            why="有的系统导出的 .xls 其实是网页",
            remedy="请在 Excel 或 WPS 中打开，另存为 .xlsx 后再选",
        )
