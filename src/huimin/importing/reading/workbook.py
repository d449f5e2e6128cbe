"""Workbooks (.xlsx): unzipped and parsed here, in one pass a sheet, so that what is read is bounded (REG-03).

in    a file on disk or in memory
out   its Sheets, hidden ones marked

Nothing is run and nothing is fetched: formulas give the value saved with them, links to other files are never opened, a
document type declaration (where entity bombs live) is refused, macros are refused by their presence. Unzipped bytes are
counted as they come, whatever the file says of its size. Speed: a million cells in two seconds.
"""

import re
import zipfile
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from sys import getsizeof
from typing import IO, Any
from xml.parsers import expat

from huimin.importing.reading.sheets import (
    MEGABYTE,
    NO_VALUE,
    Gathering,
    Limits,
    Sheet,
    Spent,
    Unreadable,
    fit,
    too_much,
)

_CHUNK = 256 * 1024
_MACROS = ("vbaproject.bin", "xl/macrosheets/")
_DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""Numbers of built-in formats that show a date or a time (ECMA-376 part 1, 18.8.30, with the Chinese ones)."""
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
DAY_ZERO, DAY_ZERO_1904 = date(1899, 12, 30), date(1904, 1, 1)
_DIGITS_KEPT = 15
_REFERENCE_BYTES = 8
_ROWS_THERE_ARE = 1 << 20
Progress = Callable[[int, int], None]


class _Names(dict[str, str]):
    """Local names of elements, whatever prefix a program writes before them."""

    def __missing__(self, name: str) -> str:
        self[name] = name.rpartition(":")[2]
        return self[name]


def read_workbook(
    file: IO[bytes], name: str, limits: Limits, progress: Progress = lambda done, total: None
) -> list[Sheet]:
    """All sheets. Unreadable when it is no workbook, cut, a bomb, has macros, or is larger than the limits."""
    try:
        with zipfile.ZipFile(file) as parts:
            return _Workbook(parts, name, limits, progress).sheets()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as wrong:
        raise Unreadable(
            "打不开这个文件",
            where=name,
            why="文件不完整、已损坏或加了密码",
            remedy="请在 Excel 或 WPS 中打开，另存为 .xlsx 后再选",
        ) from wrong
    except (expat.ExpatError, LookupError, ValueError, StopIteration) as wrong:
        raise Unreadable(
            "文件内容已损坏", where=name, why="不是完整的 .xlsx", remedy="请在 Excel 或 WPS 中打开，另存为 .xlsx 后再选"
        ) from wrong


class _Workbook:
    def __init__(self, parts: zipfile.ZipFile, name: str, limits: Limits, progress: Progress) -> None:
        self.parts, self.name, self.limits, self.progress = parts, name, limits, progress
        self.names = {each.filename.lower(): each for each in parts.infolist()}
        self._refuse_macros()
        self.total = sum(each.file_size for each in parts.infolist() if "worksheets/" in each.filename.lower())
        self.done = self.unzipped = 0

    def sheets(self) -> list[Sheet]:
        listed, spent = self._listed(), Spent()
        shared, dates = self._shared_strings(), self._date_styles()
        found = []
        for title, hidden, path in listed:
            if path.lower() in self.names:
                gathering = Gathering(title, self.limits, spent, hidden=hidden)
                reading = _SheetReading(gathering, shared, dates, self.day_zero, self.limits)
                self._parse(path, reading.start, reading.end, reading.text)
                found.append(gathering.done())
        return found

    def _refuse_macros(self) -> None:
        if any(mark in name for name in self.names for mark in _MACROS):
            raise Unreadable(
                "带宏的文件不收",
                where=self.name,
                why="宏是会运行的程序",
                remedy="请另存为“Excel 工作簿（.xlsx）”后再选",
            )
        if "xl/workbook.xml" not in self.names:
            raise Unreadable("不是 Excel 工作簿", where=self.name, remedy="请在 Excel 或 WPS 中另存为 .xlsx 后再选")

    def _listed(self) -> list[tuple[str, bool, str]]:
        """(title, hidden, part) of each worksheet, in the order of the tabs."""
        targets: dict[str, str] = {}
        sheets: list[tuple[str, bool, str]] = []
        self.day_zero = DAY_ZERO

        def relation(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                targets[attributes["Id"]] = attributes["Target"]

        def book(name: str, attributes: dict[str, str]) -> None:
            if name == "sheet":
                key = next(value for each, value in attributes.items() if each.endswith(":id"))
                sheets.append((attributes["name"], attributes.get("state", "visible") != "visible", key))
            elif name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
                self.day_zero = DAY_ZERO_1904

        self._parse("xl/_rels/workbook.xml.rels", relation)
        self._parse("xl/workbook.xml", book)
        if len(sheets) > self.limits.sheets:
            raise Unreadable(
                f"有 {len(sheets)} 张表", where=self.name, remedy=f"请拆开，每个文件最多 {self.limits.sheets} 张"
            )
        return [(title, hidden, _part(targets.get(key, ""))) for title, hidden, key in sheets]

    def _shared_strings(self) -> list[str]:
        found: list[str] = []
        if "xl/sharedstrings.xml" in self.names:
            reading = _StringReading(found, self.limits, self.name)
            self._parse("xl/sharedStrings.xml", reading.start, reading.end, reading.text)
        return found

    def _date_styles(self) -> list[bool]:
        """By number of cell style: does it show a date?"""
        custom: dict[int, bool] = {}
        styles: list[bool] = []
        inside = [False]

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "numFmt":
                custom[int(attributes["numFmtId"])] = _shows_date(attributes.get("formatCode", ""))
            elif name == "cellXfs":
                inside[0] = True
            elif name == "xf" and inside[0]:
                number = int(attributes.get("numFmtId", 0))
                styles.append(custom.get(number, number in _DATE_FORMATS))

        def end(name: str) -> None:
            if name == "cellXfs":
                inside[0] = False

        if "xl/styles.xml" in self.names:
            self._parse("xl/styles.xml", start, end)
        return styles

    def _parse(
        self,
        path: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Feed one part to the handlers, counting what it unzips to."""
        part, names = self.names[path.lower()], _Names()
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, attributes: start(names[name], attributes)
        if end is not None:
            parser.EndElementHandler = lambda name: end(names[name])
        if text is not None:
            parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        most = min(self.limits.part_bytes, max(10 * MEGABYTE, part.compress_size * self.limits.swelling))
        if part.file_size > most:
            raise self._bomb()
        counts, seen = "worksheets/" in path.lower(), 0
        with self.parts.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                seen += len(chunk)
                self.unzipped += len(chunk)
                if seen > most or self.unzipped > self.limits.unzipped_bytes:
                    raise self._bomb()
                parser.Parse(chunk, False)
                if counts:
                    self.done += len(chunk)
                    self.progress(self.done, self.total)
        parser.Parse(b"", True)

    def _bomb(self) -> Unreadable:
        return Unreadable(
            "解压后过大",
            where=self.name,
            why="里面的内容远远超过一张正常的表",
            remedy="请删去空行空列，拆成几个文件后再选",
        )

    def _refuse_doctype(self, *_: Any) -> None:
        raise Unreadable(
            "文件里有不该有的声明", where=self.name, why="可能是恶意文件", remedy="请在 Excel 或 WPS 中另存为 .xlsx"
        )


def _part(target: str) -> str:
    """`worksheets/sheet1.xml` of a relation, as a path in the archive."""
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _shows_date(code: str) -> bool:
    plain = _QUOTED.sub("", code.lower()).split(";")[0]
    return any(letter in plain for letter in "yd年月日") or ("m" in plain and "0" not in plain and "#" not in plain)


class _StringReading:
    """Shared strings: the text runs of each, without what says how to pronounce it."""

    def __init__(self, found: list[str], limits: Limits, where: str) -> None:
        self.found, self.limits, self.where = found, limits, where
        self.runs: list[str] = []
        self.bytes = 0
        self.inside = self.phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "t":
            self.inside = not self.phonetic
        elif name == "si":
            self.runs = []
        elif name == "rPh":
            self.phonetic = True

    def end(self, name: str) -> None:
        if name == "t":
            self.inside = False
        elif name == "si":
            text = fit(unescaped("".join(self.runs)), self.limits, self.where)
            self.bytes += getsizeof(text) + _REFERENCE_BYTES
            if self.bytes > self.limits.string_bytes:
                raise too_much(self.limits.string_bytes, self.where)
            self.found.append(text)
        elif name == "rPh":
            self.phonetic = False

    def text(self, data: str) -> None:
        if self.inside:
            self.runs.append(data)


class _SheetReading:
    """One sheet's rows, as expat meets them."""

    def __init__(
        self, gathering: Gathering, shared: list[str], dates: list[bool], day_zero: date, limits: Limits
    ) -> None:
        self.gathering, self.shared, self.dates, self.limits = gathering, shared, dates, limits
        self.day_zero = day_zero
        self.letters: dict[str, int] = {}
        self.days: dict[str, str] = {}
        self.row, self.column, self.kind, self.style = 0, -1, "n", ""
        self.cells: dict[int, str] = {}
        self.hidden = self.inside = self.formula = self.phonetic = False
        self.runs: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            reference = attributes.get("r")
            self.column = self._column(reference) if reference else self.column + 1
            self.formula, self.runs = False, []
        elif name == "v" or (name == "t" and not self.phonetic):
            self.inside = True
        elif name == "f":
            self.formula = True
        elif name == "row":
            self.row = int(attributes["r"]) if "r" in attributes else self.row + 1
            if not 0 < self.row <= _ROWS_THERE_ARE:
                raise ValueError("no such row")
            self.hidden = attributes.get("hidden") in ("1", "true")
            self.column, self.cells = -1, {}
        elif name == "rPh":
            self.phonetic = True
        elif name == "mergeCell":
            self._merge(attributes["ref"])

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self.inside = False
        elif name == "c":
            text = self._value("".join(self.runs))
            if text:
                self.cells[self.column] = text
        elif name == "row":
            self.gathering.add(self.row, self.cells, hidden=self.hidden)
            self.cells = {}
        elif name == "rPh":
            self.phonetic = False

    def text(self, data: str) -> None:
        if self.inside:
            self.runs.append(data)

    def _value(self, raw: str) -> str:
        if not raw:
            return NO_VALUE if self.formula else ""
        if self.kind == "s":
            return self.shared[int(raw)]
        if self.kind == "n":
            return self._date(raw) if self._is_date() else spelled(raw)
        if self.kind == "b":
            return "TRUE" if raw == "1" else "FALSE"
        if self.kind == "d":
            raw = raw.removesuffix("T00:00:00")
        return fit(unescaped(raw), self.limits, f"{self.gathering.name}第 {self.row} 行")

    def _is_date(self) -> bool:
        return bool(self.style) and int(self.style) < len(self.dates) and self.dates[int(self.style)]

    def _date(self, raw: str) -> str:
        if raw not in self.days:
            self.days[raw] = day_of_serial(raw, self.day_zero)
        return self.days[raw]

    def _column(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        if letters not in self.letters:
            self.letters[letters] = column_of(letters)
        return self.letters[letters]

    def _merge(self, reference: str) -> None:
        cells = [_REFERENCE.fullmatch(each) for each in reference.split(":")]
        if len(cells) == 2 and cells[0] and cells[1]:
            (left, top), (right, bottom) = cells[0].groups(), cells[1].groups()
            self.gathering.merge(int(top), int(bottom), column_of(left), column_of(right))


def column_of(letters: str) -> int:
    """`A` is 0, `AB` is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def letters_of(column: int) -> str:
    """0 is `A`, 27 is `AB`: what the spreadsheet writes above the column."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def spelled(raw: str) -> str:
    """A number as a spreadsheet shows it; one with more digits than a cell can hold as `3.41524E+17`."""
    if len(raw) <= _DIGITS_KEPT and raw.isdigit():
        return raw
    number = float(raw)
    if number != number or abs(number) == float("inf"):
        return NO_VALUE
    if abs(number) >= 10**_DIGITS_KEPT:
        return f"{number:.5E}"
    return str(int(number)) if number.is_integer() else f"{number:.15g}"


def day_of_serial(raw: str, day_zero: date = DAY_ZERO) -> str:
    """`44378` is 2021-07-01; a number that is no day stays as it is."""
    days = float(raw)
    if not 1 <= days < 2_958_466:
        return spelled(raw)
    return (day_zero + timedelta(days=int(days))).isoformat()


def unescaped(text: str) -> str:
    """`_x000D_` is how a workbook writes a control character."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
