"""A clerk brings a table in, in a real browser: upload, columns, faults, confirmation, outcome (REG-03)."""

import pytest

from tests.browser.test_pages import faults_of
from tests.importing.files import MEMBERS_HEAD, member, numbers, xlsx

pytestmark = pytest.mark.browser


def test_a_table_comes_in(site, tmp_path):
    """Every page of the wizard is accessible and narrow; sent twice is once; the workbook with the faults comes down."""
    rows = [
        MEMBERS_HEAD,
        *(member(at, "张三", number, "户主", "小学", 1, "否") for at, number in enumerate(numbers(4))),
    ]
    rows[2][2], rows[3][5] = "3.41524E+17", "很多"
    file = tmp_path / "某村家庭成员情况表.xlsx"
    file.write_bytes(xlsx([["某村家庭成员情况表"], *rows, ["合计"]]).getvalue())
    window = site("organised").sign_in("meishan-clerk")
    page = window.open("/households/")
    page.click("text=导入表格")
    faults = {"imports": faults_of(window)}
    window.open("/imports/")
    page.set_input_files("#id_file", file)
    page.dblclick("main form[data-main] button")
    page.wait_for_url("**/imports/1/**")
    assert "Excel 把它当作数字" in page.inner_text("main") and "某村家庭成员情况表.xlsx" in page.inner_text("h1")
    for name in ("", "columns/", "confirm/", "withdraw/"):
        window.open(f"/imports/1/{name}")
        faults[f"import/{name}"] = faults_of(window)
    window.open("/imports/1/confirm/")
    page.dblclick("main form[data-main] button")
    page.wait_for_url("**/imports/1/?done=**")
    assert "已导入：新增 2 行" in page.inner_text("main")
    faults["outcome"] = faults_of(window)
    window.open("/imports/1/")
    page.click("text=取回有问题的行")
    faults["purpose"] = faults_of(window)
    page.fill("#id_purpose", "退村核对")
    with page.expect_download() as coming:
        page.click("main form[data-main] button")
    assert coming.value.suggested_filename == "某村家庭成员情况表-有问题的行.xlsx"
    window.open("/imports/")
    assert page.locator("table.grid tbody tr").count() == 1
    faults["history"] = faults_of(window)
    assert {name: wrong for name, wrong in faults.items() if wrong} == {}
    assert window.errors == [] and window.elsewhere == []
