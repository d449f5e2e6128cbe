"""Old workbooks (.xls) as townships still send them: read like .xlsx, with the same defences (REG-03, SEC-04)."""

import io
import random
import struct
import time
import zipfile
from datetime import date

import pytest
import xlwt

from huimin.importing.cells import Fault, identity_of
from huimin.importing.layout import lay_out
from huimin.importing.reading import Limits, Unreadable, open_file
from huimin.importing.reading.sheets import NO_VALUE
from tests.importing.files import DAY, bring, xlsx
from tests.importing.test_merging import MEMBERS_HEAD, family


def xls(*sheets, names=(), since_1904=False, changes=()):
    """An old workbook of rows; a text beginning with = is a formula, which xlwt leaves to Excel."""
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = since_1904
    day = xlwt.easyxf(num_format_str='yyyy"年"m"月"d"日"')
    for at, rows in enumerate(sheets):
        sheet = book.add_sheet(names[at] if at < len(names) else f"表{at + 1}", cell_overwrite_ok=True)
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if isinstance(value, date):
                    sheet.write(row, column, value, day)
                elif isinstance(value, str) and value.startswith("="):
                    sheet.write(row, column, xlwt.Formula(value[1:]))
                elif value not in (None, ""):
                    sheet.write(row, column, value)
        for change in changes:
            change(sheet)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def entry(content: bytes, old: str, new: str) -> io.BytesIO:
    """The file with an entry of its directory renamed; old "" is an unused one."""
    at = content.index("Root Entry".encode("utf-16-le"))
    while content[at : at + 64].split(b"\0\0")[0] != old.encode("utf-16-le")[:-1].rstrip(b"\0") and old:
        at += 128
    while not old and content[at : at + 2] != b"\0\0":
        at += 128
    name = new.encode("utf-16-le")
    changed = name.ljust(64, b"\0") + struct.pack("<H", len(name) + 2)
    return io.BytesIO(content[:at] + changed + content[at + 66 :])


def read(file, name="表.xls", **limits):
    return open_file(file, name, Limits(**limits))


ROWS = [
    ["某某乡2021年家庭成员花名册"],
    ["户编码", "姓名", "身份证号", "出生日期", "月工资", "就业"],
    ["V-1", "㐂𠮷䶮", "341599199001010010", date(1990, 1, 1), 1200, True],
    ["", "李四", 341524199001010012, date(1990, 1, 1), 0.1 + 0.2, False],
    ["V-2", "王五", "341599199001010037", "", '=HYPERLINK("http://127.0.0.1/")', ""],
]  # fmt: skip


def hide_and_merge(sheet):
    sheet.merge(2, 3, 0, 0)
    sheet.row(4).hidden = True


@pytest.mark.parametrize("since_1904", [False, True])
def test_an_old_workbook_reads_as_a_new_one(since_1904):
    """Texts, rare characters, days of both calendars, numbers, merged cells, hidden rows; a formula is never worked out."""
    [sheet] = read(xls(ROWS, changes=[hide_and_merge], since_1904=since_1904))
    assert sheet.top(9)[2:] == [
        ["V-1", "㐂𠮷䶮", "341599199001010010", "1990-01-01", "1200", "TRUE"],
        ["", "李四", "3.41524E+17", "1990-01-01", "0.3", "FALSE"],
        ["V-2", "王五", "341599199001010037", "", NO_VALUE, ""],
    ]
    assert sheet.hidden_rows == {5}
    laid = lay_out(sheet)
    assert laid is not None and laid.columns[0].to_pylist() == ["V-1", "V-1", "V-2"]
    assert laid.head_row == 2 and laid.numbers == [3, 4, 5]


def test_a_number_that_excel_cut_short_is_refused_with_the_reason():
    [sheet] = read(xls(ROWS[:4]))
    with pytest.raises(Fault, match="Excel 把它当作数字"):
        identity_of(sheet.columns[2][3].as_py(), DAY)


def test_several_sheets_and_hidden_ones():
    def hide(sheet):
        sheet.visibility = 1 if sheet.name == "旧表" else 0

    sheets = read(xls(ROWS[:3], ROWS[:3], names=["2021年", "旧表"], changes=[hide]))
    assert [(each.name, each.hidden) for each in sheets] == [("2021年", False), ("旧表", True)]


def macro_sheet() -> io.BytesIO:
    """A worksheet declared a sheet of Excel 4 macros."""
    content = xls(ROWS[:3]).getvalue()
    at = content.index(struct.pack("<H", 0x85), content.index(b"\x09\x08"))
    while struct.unpack_from("<H", content, at + 2)[0] > 60:
        at = content.index(struct.pack("<H", 0x85), at + 2)
    return io.BytesIO(content[: at + 9] + b"\x01" + content[at + 10 :])


def with_password_record() -> io.BytesIO:
    """A book whose records are said to be enciphered."""
    content = xls(ROWS[:3]).getvalue()
    at = content.index(struct.pack("<HH", 0x42, 2))
    return io.BytesIO(content[:at] + struct.pack("<H", 0x2F) + content[at + 2 :])


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (with_password_record, "加了密码"),
        (lambda: entry(xls(ROWS[:3]).getvalue(), "Workbook", "EncryptedPackage"), "加了密码"),
        (lambda: entry(xls(ROWS[:3]).getvalue(), "", "_VBA_PROJECT_CUR"), "宏"),
        (macro_sheet, "宏"),
        (lambda: entry(xls(ROWS[:3]).getvalue(), "Workbook", "WordDocument"), "不是 Excel"),
        (lambda: io.BytesIO(xls(ROWS * 200).getvalue()[:-9000]), "不完整"),
        (lambda: io.BytesIO(xls(ROWS * 200).getvalue()[:20_000]), "不完整"),
        (lambda: xls([["姓名"], ["张" * 3000]]), "3,000 个字"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(file, words):
    """SEC-04: a password, macros of both kinds, half a file, a document in one cell."""
    with pytest.raises(Unreadable) as refused:
        read(file())
    assert words in str(refused.value) and refused.value.remedy


def test_a_large_old_file_is_refused_before_it_is_read():
    with pytest.raises(Unreadable, match="旧格式"):
        read(xls(ROWS * 600), old_file_bytes=100_000)
    with pytest.raises(Unreadable, match="超过 10 行"):
        read(xls(ROWS * 5), rows=10)


def test_any_damage_is_a_sentence():
    """Sixty files with bytes overwritten: read, or refused in words, each within two seconds."""
    good, dice = xls(ROWS * 4).getvalue(), random.Random(4)
    for _ in range(60):
        broken = bytearray(good)
        for _ in range(dice.randint(1, 12)):
            broken[dice.randrange(512, len(broken))] = dice.randrange(256)
        begun = time.monotonic()
        try:
            read(io.BytesIO(bytes(broken)))
        except Unreadable as refused:
            assert refused.remedy
        assert time.monotonic() - begun < 2


def test_a_long_text_kept_once_and_used_a_million_times_is_refused():
    """Shared strings make a small file of gigabytes; both kinds of workbook stop at the limit of text."""
    long = "很长的说明" * 300
    old = xls([["姓名", "说明"], *[["张三", *[long] * 40]] * 300])
    row = "<row>" + '<c t="s"><v>0</v></c>' * 60 + "</row>"
    file = io.BytesIO()
    with zipfile.ZipFile(xlsx([[long]])) as good, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for each in good.namelist():
            content = good.read(each)
            if each == "xl/worksheets/sheet1.xml":
                content = f"<worksheet><sheetData>{row * 8000}</sheetData></worksheet>".encode()
            made.writestr(each, content)
    file.seek(0)
    assert len(file.getvalue()) < 200_000
    for each in (old, file):
        with pytest.raises(Unreadable, match="内容超过"):
            read(each, text_bytes=50 << 20)


def test_people_of_an_old_workbook_come_in(county):
    """REG-03: from the file to the registry, the same file twice changes nothing."""
    county("organised")
    rows = [MEMBERS_HEAD, *family()[1:]]
    first = bring(xls(rows), name="成员.xls")
    assert (first.counts["new"], first.faults) == (4, [])
    again = bring(xls(rows), name="成员.xls")
    assert (again.counts["new"], again.counts["changed"], again.counts["same"]) == (0, 0, 4)
