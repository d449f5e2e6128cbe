"""`./huimin import`: counts, faults, exit codes (REG-03)."""

import json
import os

import openpyxl
import pytest
from click.testing import CliRunner

from huimin.audit.models import Event
from huimin.importing import cli
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import reading
from huimin.registry.models import Person
from tests.importing.files import MEMBERS_HEAD, TOWN, member, numbers, officer, stored, xlsx


def rows(count=3):
    return [
        MEMBERS_HEAD,
        *(member(at, "张三", number, "户主", "小学", 1, "否") for at, number in enumerate(numbers(count))),
    ]


@pytest.fixture
def run(county, tmp_path, monkeypatch):
    county("organised")
    monkeypatch.setattr(cli, "use_instance", lambda: None)

    def at(content, *more, place=TOWN):
        file = tmp_path / "成员.xlsx"
        file.write_bytes(content.getvalue())
        return CliRunner().invoke(cli.import_command, [str(file), "--place", place, *more])

    return at


def test_dry_run_then_import_then_again(run):
    told = json.loads(run(xlsx(rows()), "--dry-run", "--json").stdout)
    assert (told["imported"], told["kind"], told["new"], told["wrong"], told["faults"]) == (False, "members", 3, 0, [])
    assert stored(Person) == []
    assert json.loads(run(xlsx(rows()), "--json").stdout)["imported"] and len(stored(Person)) == 3
    again = run(xlsx([[*row, "茶园" if not at else "2"] for at, row in enumerate(rows())]))
    assert again.exit_code == 0 and "新增 0，变更 0，相同 3，待核实 0，有误 0" in again.stdout
    assert "没有导入的列：茶园" in again.stdout


def test_faults_are_told_and_the_right_rows_taken_when_asked(run, tmp_path):
    wrong = rows()
    wrong[2][2] = numbers(1)[0][:17] + "?"
    whole = run(xlsx(wrong))
    assert whole.exit_code == 1 and "第 3 行 C 列（身份证号）" in whole.stdout and "没有导入任何数据" in whole.stdout
    assert stored(Person) == [] and numbers(1)[0][:17] not in whole.stdout
    book = tmp_path / "问题.xlsx"
    part = run(xlsx(wrong), "--right-rows", "--faults", str(book), "--json")
    told = json.loads(part.stdout)
    assert part.exit_code == 0 and (told["imported"], told["new"], told["wrong"]) == (True, 2, 1)
    assert told["faults"][0] | {"value": ""} == {
        "sheet": "Sheet1", "row": 3, "column": "C", "head": "身份证号", "value": "", "kind": "wrong",
        "what": "证件号码中有不该出现的字符", "why": "前 17 位只能是数字，末位是数字或 X", "remedy": "请改正；表格中该列应设为文本格式",
    }  # fmt: skip
    sheet = openpyxl.load_workbook(book).active
    assert sheet["C2"].value == wrong[2][2] and "用命令行取出，用于改正后重新导入" in sheet["A3"].value
    with reading(officer()):
        taken = Event.objects.filter(kind=Event.Kind.EXPORTED).latest("id")
    assert taken.detail["rows"] == 1, "SEC-04: what is taken out is recorded"


def test_a_name_from_an_archive_of_windows_is_read(run, tmp_path):
    """Names in the bytes of GBK, as unpacking leaves them on Linux."""
    run(xlsx(rows()))
    os.rename(tmp_path / "成员.xlsx", os.fsencode(tmp_path) + b"/" + "人员.xlsx".encode("gbk"))
    [file] = tmp_path.glob("*.xlsx")
    told = CliRunner().invoke(cli.import_command, [str(file), "--place", TOWN, "--dry-run"])
    assert told.exit_code == 0 and told.stdout.startswith("人员.xlsx（members）共 3 行")


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (rows(), "999999000000", "没有能导入"),
        (rows(), "12", "不是区划代码"),
        ([["甲", "乙"], ["1", "2"]], TOWN, "认不出"),
        ([["说明"]], TOWN, "认不出"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused(run, content, place, words):
    refused = run(xlsx(content), place=place)
    assert isinstance(refused.exception, Refusal) and words in str(refused.exception) and stored(Person) == []
