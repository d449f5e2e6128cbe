"""`./huimin policy list|show|check|explain` from the folder, without a database (POL-01, POL-02, DET-07)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from huimin.policy.book_cli import policy
from huimin.policy.exchange import read_bundle, write_bundle

FOLDER = Path(__file__).resolve().parents[2] / "policy"
COUNTY, DAY = "341524000000", "2021-07-01"


def told(*arguments: str) -> Result:
    return CliRunner().invoke(policy, list(arguments))


def test_pol_01_the_list_names_every_programme_and_where_it_is_written() -> None:
    """POL-01: for people and for programs, the same programmes."""
    found = json.loads(told("list", "--json").output)["policies"]
    by_code = {each["code"]: each for each in found}
    assert {"dibao-rural", "grain-one-off", "reservoir-migrant"} <= by_code.keys()
    assert by_code["grain-one-off"]["places"] == ["340000000000"]
    assert by_code["dibao-rural"]["cases"] >= 3
    table = told("list").output
    assert all(code in table for code in by_code)
    assert "安徽省" in table


def test_pol_01_the_list_of_a_place_tells_standards_and_status() -> None:
    """POL-01: as it stands there on that day; an assumption of the example says so."""
    found = json.loads(told("list", "--place", COUNTY, "--date", DAY, "--json").output)
    dibao = next(each for each in found["policies"] if each["code"] == "dibao-rural")
    assert dibao["status"] == "in_force"
    assert dibao["version"].startswith("dibao-rural@2021-07-01#")
    (standard,) = dibao["standards"]
    assert (standard["name"], standard["place"], standard["assumption"]) == ("低保标准", COUNTY, True)
    table = told("list", "--place", COUNTY, "--date", DAY).output
    assert "施行中" in table
    assert "示例假设" in table


def test_det_07_the_version_is_the_one_that_determinations_name() -> None:
    """DET-07: list and explain name the same version of the same texts."""
    listed = json.loads(told("list", "--place", COUNTY, "--date", DAY, "--json").output)["policies"]
    facts = json.dumps({"户": {}, "成员": [{"与户主关系": "户主"}]}, ensure_ascii=False)
    arguments = ["explain", "--place", COUNTY, "--date", DAY, "--facts", "-", "--programme", "dibao-rural", "--json"]
    explained = CliRunner().invoke(policy, arguments, input=facts)
    (result,) = json.loads(explained.output)["results"]
    assert result["policy"] in {each["version"] for each in listed}


def test_det_01_nothing_in_force_is_said(tmp_path: Path) -> None:
    """An empty answer says why; for programs it is an empty list."""
    (tmp_path / "facts.json").write_text("{}", encoding="utf-8")
    before = ["explain", "--place", COUNTY, "--date", "1990-01-01", "--facts", str(tmp_path / "facts.json")]
    assert "1990-01-01 没有施行的项目" in told(*before).output
    assert "1990-01-01 项目 dibao-rural 没有施行" in told(*before, "--programme", "dibao-rural").output
    assert json.loads(told(*before, "--json").output)["results"] == []
    nobody = [DAY if each == "1990-01-01" else each for each in before]
    assert "没有写成员" in told(*nobody, "--programme", "reservoir-migrant").output


def test_pol_01_one_programme_on_a_page() -> None:
    """POL-01: conditions with law and paper, standards with source, history."""
    page = told("show", "dibao-rural", "--place", COUNTY, "--date", DAY)
    assert page.exit_code == 0
    for word in ("农村居民最低生活保障", "家庭人均月收入 < 低保标准", "650 元/月", "示例县假设", "沿革", "收入"):
        assert word in page.output
    assert "渐退：正在享受的，只因“家庭人均月收入低于当地低保标准”不再符合" in page.output.replace("\n", "")
    assert not any(elsewhere in page.output for elsewhere in ("henan/", "shigatse/", "yichun/"))
    full = json.loads(told("show", "dibao-rural", "--place", COUNTY, "--date", DAY, "--json").output)
    assert (full["phase_out"]["triggers"], full["phase_out"]["months"]) == (["income"], "渐退月数")
    assert {"income", "members"} <= {each["id"] for each in full["conditions"]}
    assert full["files"][0] == "national/dibao-rural.yaml"
    assert full["history"][-1]["changes"] == ["开始施行"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["show", "dibao-rurel"], "最接近的是“dibao-rural”"),
        (["show", "grain-one-off"], "安徽省 340000000000"),
        (["show", "dibao-rural", "--place", "34"], "不是区划代码"),
        (["list", "--place", COUNTY, "--date", "2021-7-1"], "不是日期"),
        (["list", "--folder", "nowhere"], "没有这个文件或文件夹"),
    ],
)
def test_pol_01_refusals_are_one_sentence(arguments: list[str], word: str) -> None:
    result = told(*arguments)
    assert result.exit_code == 2
    assert word in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_pol_02_words_in_brackets_are_shown_as_written(tmp_path: Path) -> None:
    """Texts are never read as marks of the table."""
    texts = read_bundle(FOLDER)
    path = "national/reservoir-migrant.yaml"
    write_bundle({path: texts[path].replace("核定登记的水库移民", "核定登记的[bold]水库移民[/]")}, tmp_path / "book")
    page = told("show", "reservoir-migrant", "--date", DAY, "--folder", str(tmp_path / "book"))
    assert "[bold]水库移民[/]" in page.output


def test_pol_02_check_tells_programs_what_is_wrong(tmp_path: Path) -> None:
    """POL-02: counts, or faults with file, line and column; the exit code tells which."""
    texts = read_bundle(FOLDER)
    path = "national/reservoir-migrant.yaml"
    write_bundle({path: texts[path]}, tmp_path / "good.zip")
    good = told("check", str(tmp_path / "good.zip"), "--json")
    assert good.exit_code == 0
    assert json.loads(good.output)["programmes"] == 1
    write_bundle({path: texts[path].replace("算式: 水库移民", "算式: 水库移明")}, tmp_path / "bad")
    bad = told("check", str(tmp_path / "bad"), "--json")
    assert bad.exit_code == 1
    (fault,) = json.loads(bad.output)["faults"]
    assert fault["file"] == "bad/" + path
    assert fault["line"] > 1
    assert "水库移民" in fault["remedy"]


def test_det_01_an_explanation_as_a_table() -> None:
    """DET-01: the numbers in the conditions, for people."""
    facts = json.dumps({"户": {"实际种植亩数": 3.25}, "成员": []}, ensure_ascii=False)
    arguments = ["explain", "--place", COUNTY, "--date", DAY, "--facts", "-", "--programme", "grain-one-off"]
    page = CliRunner().invoke(policy, arguments, input=facts)
    assert page.exit_code == 0
    assert "符合 59.61 元" in page.output
    assert "3.25" in page.output


def test_pol_02_the_folder_is_read_without_a_database_or_django() -> None:
    code = "import sys; from huimin.policy.book_cli import policy; policy(['list'], standalone_mode=False); " + (
        "sys.exit('django' in sys.modules or 'psycopg' in sys.modules)"
    )
    source = str(FOLDER.parent / "src")
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": source}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
