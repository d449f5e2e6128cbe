"""Files as they are sent: layouts, encodings, and what is refused in a sentence (REG-03, SEC-04)."""

import io
import time
import zipfile
from datetime import date

import pytest

from huimin.importing.layout import lay_out
from huimin.importing.plans import make_plan
from huimin.importing.reading import Limits, Unreadable, open_file
from huimin.importing.reading.workbook import column_of, letters_of
from tests.importing.files import csv, xlsx


def read(file, name="a.xlsx", **limits):
    return open_file(file, name, Limits(**limits))


def table(file, name="a.xlsx"):
    [sheet] = read(file, name)
    laid = lay_out(sheet)
    assert laid is not None
    return laid, [[column[row].as_py() for column in laid.columns] for row in range(laid.rows)]


def test_titles_merged_heads_sums_notes_and_units_are_not_data():
    """Two lines of heads under a title; a household merged over its members; sums, page titles, notes left out, and said."""
    rows = [
        ["某某乡2021年家庭基本情况表"],
        ["填报单位：某村", "", "", "", "填报日期：2021.6.1"],
        ["序号", "户编码", "家庭成员", "", "月工资", "健康"],
        ["", "", "姓名", "身份证号", "（元）", "状况"],
        ["1", "2", "3", "4", "5", "6"],
        [1, "V-1", "张三", "341599199001010010", "1,200", "健康"],
        ["", "", "李四", "341599199001010029", 300, "患病"],
        ["小计", "", "2人", "", 1500, ""],
        ["某某乡2021年家庭基本情况表"],
        ["序号", "户编码", "姓名", "身份证号", "（元）", "状况"],
        [2, "V-2", "王五", "341599199001010037", "", ""],
        ["合计", "", "", "", 1500, ""],
        ["注：本表一式三份"],
        ["填表人：赵六", "", "", "审核人：孙七"],
    ]
    merges = [
        lambda sheet: sheet.merge_range("C3:D3", "家庭成员"),
        lambda sheet: sheet.merge_range("B6:B7", "V-1"),
        lambda sheet: sheet.merge_range("A1:F1", "某某乡2021年家庭基本情况表"),
    ]
    laid, data = table(xlsx(rows, changes=merges))
    assert laid.found() == {"household_no", "name", "id_number", "wage_month"} | ({"health"} & laid.found())
    assert [(row[1], row[2]) for row in data] == [("V-1", "张三"), ("V-1", "李四"), ("V-2", "王五")]
    assert laid.numbers == [6, 7, 11]
    assert [each.why for each in laid.left_out] == [
        "栏号或单位", "小计、合计", "标题", "重复的表头", "小计、合计", "说明或签名", "说明或签名",
    ]  # fmt: skip


def test_a_title_is_no_line_of_the_heads():
    laid, _ = table(
        xlsx([["某村家庭成员情况表"], ["户编码", "姓名", "身份证号"], ["V-1", "张三", "341599199001010010"]])
    )
    assert laid.labels == ["户编码", "姓名", "身份证号"]


def test_cells_are_what_the_sheet_shows():
    rows = [
        ["姓名", "身份证号", "出生日期"],
        ["㐂𠮷䶮", 341524199001010012, date(2021, 7, 1)],
        ["张三", 123456789012345, 0.1 + 0.2],
    ]
    _, data = table(xlsx(rows))
    assert data == [["㐂𠮷䶮", "3.41524E+17", "2021-07-01"], ["张三", "123456789012345", "0.3"]]


def test_formulas_give_what_was_saved_and_are_never_run():
    def add(sheet):
        sheet.write_formula("B2", "=1+1", None, 7)
        sheet.write_formula("B3", '=WEBSERVICE("http://127.0.0.1/")', None, "")

    _, data = table(xlsx([["姓名", "月工资"], ["张三"], ["李四"]], changes=[add]))
    assert data == [["张三", "7"], ["李四", "=?"]]


def test_hidden_rows_are_read_and_known_hidden_sheets_are_not():
    def hide(sheet):
        if sheet.get_name() == "旧":
            sheet.hide()
        else:
            sheet.set_row(1, None, None, {"hidden": True})

    rows = [["户编码", "姓名", "身份证号", "与户主关系"], ["1", "张三", "1", "户主"], ["2", "李四", "2", "户主"]]
    sheets = read(xlsx(rows, rows, [["填表说明"], ["请如实填写"]], names=["新", "旧", "说明"], changes=[hide]))
    plan = make_plan(sheets, remembered={})
    assert plan.kind == "members" and [each.sheet for each in plan.laid] == ["新"]
    assert plan.laid[0].hidden_rows == {2} and plan.laid[0].rows == 2
    assert plan.passed_over == [("旧", "隐藏的表，不导入"), ("说明", "认不出表头")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_text_in_every_encoding(encoding, separator):
    """REG-03: UTF-8, GBK, GB18030, with BOM or without; rare characters exactly where the encoding has them."""
    name = "张三" if encoding == "gbk" else "㐂𠮷䶮"
    lines = [["姓名", "身份证号", "户编码"], [name, "341599199001010010", '="00012"']]
    content = "\r\n".join(separator.join(line) for line in lines).encode(encoding)
    _, data = table(io.BytesIO(content), "a.csv")
    assert data == [[name, "341599199001010010", "00012"]]


def zipped(**parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    file.seek(0)
    return file


def changed(**parts):
    """A good workbook with some parts replaced."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(xlsx([["姓名", "身份证号"], ["张三", "1"]])) as good,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for each in good.namelist():
            made.writestr(each, parts.pop(each, good.read(each)))
        for each, content in parts.items():
            made.writestr(each, content)
    file.seek(0)
    return file


BOMB = b"<worksheet><sheetData>" + b" " * (40 << 20)
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet><sheetData><row><c><v>&b;</v></c></row></sheetData></worksheet>'
SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (lambda: io.BytesIO(b""), "文件是空的"),
        (lambda: io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "另存为"),
        (lambda: io.BytesIO(b"%PDF-1.7 ..."), "PDF"),
        (lambda: io.BytesIO("<html><table>户</table></html>".encode()), "网页"),
        (lambda: io.BytesIO(xlsx([["姓名"], ["张三"]]).getvalue()[:-800]), "不完整"),
        (lambda: io.BytesIO("姓名,身份证号\n张三,3415".encode()[:-6] + "张".encode()[:2]), "截断"),
        (lambda: io.BytesIO('姓名,身份证号\n"张三,3415\n'.encode()), "引号"),
        (lambda: io.BytesIO(b"\xff\xfe\xfa\x00\xd8\x00" * 30 + b"\xd8"), "截断"),
        (lambda: io.BytesIO(b"\x81\x20\xff\xff" * 30), "编码"),
        (lambda: io.BytesIO(bytes(range(256)) * 4), "二进制"),
        (lambda: csv([[f"列{at}" for at in range(10_000)]]), "10,000 列"),
        (lambda: csv([["姓名"], ["张" * 3000]]), "3,000 个字"),
        (lambda: changed(**{"xl/vbaProject.bin": b"macro"}), "宏"),
        (lambda: changed(**{SHEET: BOMB}), "解压后过大"),
        (lambda: changed(**{SHEET: LAUGHS}), "声明"),
        (lambda: changed(**{SHEET: b"<worksheet><sheetData><row>"}), "已损坏"),
        (
            lambda: changed(
                **{SHEET: b'<worksheet><sheetData><row><c t="s"><v>999</v></c></row></sheetData></worksheet>'}
            ),
            "已损坏",
        ),
        (
            lambda: changed(
                **{
                    SHEET: b'<worksheet><sheetData><row r="99999999999999999999"><c><v>1</v></c></row></sheetData></worksheet>'
                }
            ),
            "已损坏",
        ),
        (lambda: zipped(**{"word/document.xml": "<x/>"}), "不是 Excel"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(file, words):
    """SEC-04: macros, bombs, cut files, 10,000 columns …: no stack trace, and what to do."""
    with pytest.raises(Unreadable) as refused:
        read(file())
    assert words in str(refused.value) and refused.value.remedy


def test_a_large_file_is_refused_before_it_is_read():
    with pytest.raises(Unreadable, match="最多"):
        read(io.BytesIO(b"x" * (3 << 20)), file_bytes=1 << 20)
    with pytest.raises(Unreadable, match="超过 10 行"):
        read(csv([["姓名"], *[["张三"]] * 20]), rows=10)


def test_many_sheets_are_bounded_as_one():
    """Sixty small parts over one long text, or over the same bytes, are gigabytes as much as one large part is."""
    row = "<row>" + '<c t="s"><v>0</v></c>' * 60 + "</row>"
    sheet = f"<worksheet><sheetData>{row * 60}</sheetData></worksheet>".encode()
    names = [f"sheet{at}" for at in range(1, 8)]
    with zipfile.ZipFile(xlsx(*[[["很长的说明" * 300]]] * 7)) as good:
        parts = {each: good.read(each) for each in good.namelist()}
    parts |= {f"xl/worksheets/{name}.xml": sheet for name in names}
    file = zipped(**parts)
    assert len(file.getvalue()) < 100_000
    with pytest.raises(Unreadable, match="内容超过"):
        read(file, text_bytes=60 << 20)
    with pytest.raises(Unreadable, match="超过 200 行"):
        read(file, rows=200)
    with pytest.raises(Unreadable, match="解压后过大"):
        read(file, unzipped_bytes=300_000)
    with pytest.raises(Unreadable, match="内容超过"):
        read(xlsx([[f"说明{at}" for at in range(100)] for _ in range(20)]), string_bytes=5_000)


def test_cells_merged_over_each_other_cost_no_more_than_once():
    """Twenty thousand merges over ten million rows: no spreadsheet makes them, and nobody waits for them."""
    merge = '<mergeCell ref="A3:A9999999"/><mergeCell ref="A1:XFD3"/>' * 10_000
    with zipfile.ZipFile(xlsx([["户编码", "姓名"], ["V-1", "张三"], [None, "李四"]])) as good:
        parts = {each: good.read(each) for each in good.namelist()}
    parts[SHEET] = parts[SHEET].replace(b"</sheetData>", f"</sheetData><mergeCells>{merge}</mergeCells>".encode())
    begun = time.monotonic()
    laid, data = table(zipped(**parts))
    assert (laid.labels, data) == (["户编码", "姓名"], [["V-1", "张三"], [None, "李四"]])
    assert time.monotonic() - begun < 4


def test_half_characters_are_told_as_lost():
    """A workbook can spell what no text may hold; it reaches no column and no message as such."""
    strings = "".join(f"<si><t>{text}</t></si>" for text in ("姓名", "身份证号", "张_x0000_三", "_xD83D_"))
    parts = {"xl/sharedStrings.xml": f"<sst>{strings}</sst>"}
    rows = [(0, 1), (2, 3)]
    cells = "".join("<row>" + "".join(f'<c t="s"><v>{at}</v></c>' for at in row) + "</row>" for row in rows)
    parts[SHEET] = f"<worksheet><sheetData>{cells}</sheetData></worksheet>"
    _, data = table(changed(**parts))
    assert data == [["张\ufffd三", "\ufffd"]]


def test_letters_of_columns():
    assert [letters_of(at) for at in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert all(column_of(letters_of(at)) == at for at in range(2000))
