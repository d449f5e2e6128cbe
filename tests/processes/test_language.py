"""Process files: what they say, and errors that teach with line and column (CASE-04, CASE-05, SEC-02)."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from huimin.__main__ import huimin
from huimin.kernel.places import Level
from huimin.processes.book import read_process_folder, read_processes
from huimin.processes.drawing import describe, draw
from huimin.rules import PolicyFaults

POLICY = Path(__file__).resolve().parents[2] / "policy"
GOOD = """流程: short
名称: 短流程
区划: "341524000000"
自: 2021-01-01
对象: 户
依据: 示例
步骤:
  - 步骤: 受理
    办理: 乡镇 统计员
    须有: [材料]
    期限: 1 日
    下一步: 公示
    依据: 示例
  - 步骤: 公示
    办理: 乡镇 统计员
    须有:
      - {公示: {级: 村, 天: 7}}
    期限: 10 日
    下一步: 审批
    异议: 受理
    依据: 示例
  - 步骤: 审批
    办理: 县 部门审批
    期限: 7 日
    下一步: 办结
    决定: 是
    不同于: [受理]
    依据: 示例
"""


def book():
    return read_processes(read_process_folder(POLICY))


def faults(text, programmes=()):
    with pytest.raises(PolicyFaults) as found:
        read_processes({"county/processes/short.yaml": text}, programmes)
    return [(fault.line, fault.what, fault.remedy) for fault in found.value.faults]


def test_the_four_processes_say_what_their_sources_say_case_04():
    found = book()
    chain = found.process("three-level")
    assert [chain.step(key).limit.days for key in ("村意见", "乡镇审核", "县联合审批")] == [7, 7, 7]
    levels = [chain.step(key).acting[0].level for key in ("村意见", "乡镇审核", "县联合审批")]
    assert levels == [Level.VILLAGE, Level.TOWNSHIP, Level.COUNTY]
    confirm, tekun = found.process("township-confirmation"), found.process("township-confirmation-tekun")
    assert [str(confirm.limit), str(confirm.extended), str(confirm.refusal)] == [
        "20 个工作日",
        "30 个工作日",
        "3 个工作日",
    ]
    assert [str(tekun.limit), str(tekun.extended)] == ["15 个工作日", "20 个工作日"]
    assert confirm.step("确认").decides and confirm.step("确认").acting[0].level == Level.TOWNSHIP
    nine = found.process("nine-steps")
    assert nine.main == (
        "申请",
        "审查受理",
        "调查核实",
        "民主评议",
        "张榜公示",
        "乡镇审核",
        "县审批",
        "长期公示",
        "发放",
    )
    assert nine.demanded[-1] == "县审批" and nine.step("县审批").demands[0].number == 30
    assert found.process("list-publicity").subject == "list"
    for process in found.processes:
        published = [d.number for step in process.steps for d in step.demands if d.kind == "公示"]
        assert all(days >= 7 for days in published), process.code
        assert "评议" not in process.demanded or process.code == "three-level"


def test_the_nearest_place_tells_which_process_a_programme_follows_case_04():
    from datetime import date

    day, found = date(2023, 1, 1), book()
    asked = {
        ("dibao-rural", "341524100201"): ("three-level", "confirm-proposals"),
        ("dibao-rural", "230722100201"): ("township-confirmation", "township-confirmation"),
        ("tekun", "230722100201"): ("township-confirmation-tekun", "township-confirmation-tekun"),
        ("dibao-urban", "540202001001"): ("nine-steps", "nine-steps"),
        ("forest-compensation", "230722100201"): ("list-publicity", "confirm-proposals"),
        ("forest-compensation", "410423100201"): ("list-publicity", "confirm-proposals"),
    }
    for (programme, place), (application, proposals) in asked.items():
        assert found.rule(programme, place, day).application == application
        assert found.rule(programme, place, day, proposals=True).proposals == proposals
    assert found.rule("dibao-rural", "230722100201", date(2021, 1, 1)) is None
    assert found.rule("maternal-relief", "410423100201", day) is None


def test_a_good_file_is_read_and_faults_teach_case_04():
    assert read_processes({"x/processes/a.yaml": GOOD}).processes[0].demanded == ("受理", "公示", "审批")
    for old, new, line, what, remedy in (
        ("下一步: 公示", "下一步: 公式", 12, "没有这一步", "最接近的是“公示”"),
        ("办理: 县 部门审批", "办理: 乡镇 部门审批", 23, "乡镇没有“部门审批”", "部门审批在县"),
        ("办理: 县 部门审批", "办理: 部门审批", 23, "没有写清级次", ""),
        ("    期限: 1 日\n", "", 8, "没有期限", "无规定"),
        ("期限: 10 日", "期限: 7 日", 18, "办不完", "多于 7 日"),
        ("期限: 10 日", "期限: 十日", 18, "不是期限", "7 日 或 20 工作日"),
        ("须有: [材料]", "须有: [材科]", 10, "没有“材科”这种凭据", "最接近的是“材料”"),
        ("    异议: 受理\n", "", 14, "没有写异议通向哪一步", "重新评议"),
        ("不同于: [受理]", "不同于: [公示]", 22, "同一个人", "不同于: [受理]"),
        ("    不同于: [受理]\n", "", 22, "同一个人", "不同于"),
        ("下一步: 办结", "下一步: 公示", 25, "绕成了圈", "通向“办结”"),
        ("下一步: 公示", "下一步: 审批", 14, "没有哪一步通向“公示”", "下一步"),
        ("    下一步: 审批\n", "", 14, "没有出路", "办结"),
        ("    决定: 是\n", "", 1, "有 0 步写了“决定: 是”", "恰好一步"),
        ("对象: 户", "对象: 家庭", 5, "对象没有", "户、名单、建议"),
        ("级: 村, 天: 7", "级: 村", 17, "没有写天", "{级: 村, 天: 7}"),
        ("依据: 示例\n步骤:", "根据: 示例\n步骤:", 6, "没有“根据”", "依据"),
        ("步骤: 审批", "步骤: 公示", 22, "写了两步", "不同的名字"),
        ("须有: [材料]", "须有: [{抽查: {比例: 30%}}]", 8, "由县以下办理", "事后抽查"),
        (
            "依据: 示例\n步骤:",
            "依据: 示例\n事后抽查: {比例: 50%, 依据: 示例}\n步骤:",
            7,
            "县里自己作决定",
            "{抽查: {比例: 30%}}",
        ),
    ):
        assert old in GOOD
        found = faults(GOOD.replace(old, new, 1))
        assert any(at == line and what in told and remedy in say for at, told, say in found), (new, found)


def test_rules_name_what_is_there():
    rules = """区划: "341524000000"
适用:
  - 项目: dibao-rurall
    申请: shrot
    自: 2021-01-01
    依据: 示例
"""
    with pytest.raises(PolicyFaults) as found:
        read_processes({"a/processes/s.yaml": GOOD, "a/processes/r.yaml": rules}, ["dibao-rural"])
    told = [(fault.line, fault.remedy) for fault in found.value.faults]
    assert told == [(3, "最接近的是“dibao-rural”"), (4, "最接近的是“short”")]


def test_the_picture_names_every_step_and_escapes_what_people_wrote_case_04():
    for process in book().processes:
        svg = draw(process, done=process.main[:1], at=process.main[1])
        assert svg.count("<rect") >= len(process.steps) and "<title" in svg and describe(process) in svg
        assert all(f">{n} " in svg for n in range(1, len(process.steps) + 1))
    odd = read_processes({"x/processes/a.yaml": GOOD.replace("名称: 短流程", "名称: <b>短&流程")}).processes[0]
    assert "<b>" not in draw(odd) and "&lt;b&gt;短&amp;流程" in draw(odd)


def test_the_command_line_lists_shows_and_checks(tmp_path):
    def said(*words):
        return CliRunner().invoke(huimin, ["process", *words])

    assert "three-level" in said("list").output
    assert {row["code"] for row in json.loads(said("list", "--json").output)} >= {"nine-steps", "list-publicity"}
    assert "须有入户调查（2 人以上）" in said("show", "three-level").output
    limits = "共 20 个工作日，可延长至 30 个工作日，不予批准的 3 个工作日内告知"
    assert limits in said("show", "township-confirmation").output
    assert json.loads(said("show", "three-level", "--json").output)["demanded"][-1] == "列入"
    assert said("show", "three-level", "--svg").output.startswith("<svg")
    assert "没有差错" in said("check").output
    wrong = said("show", "three-levle")
    assert wrong.exit_code and "three-level" in str(wrong.exception)
    bad = tmp_path / "county" / "processes"
    bad.mkdir(parents=True)
    (bad / "short.yaml").write_text(GOOD.replace("下一步: 公示", "下一步: 公式"), encoding="utf-8")
    result = said("check", str(tmp_path))
    assert result.exit_code == 1 and "第 12 行第 10 列" in result.output and "最接近的是“公示”" in result.output
    assert json.loads(said("check", str(tmp_path), "--json").output)["faults"][0]["line"] == 12
