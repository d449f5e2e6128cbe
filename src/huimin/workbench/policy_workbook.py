"""The policy list as a workbook, in the columns in which the counties of Anhui publish it (POL-01).

序号 | 主管部门 | 补贴项目 | 政策依据 | 补贴对象 | 补贴标准{国家,省级,市级,县级} | 申领流程 | 发放方式 | 发放时间 | 咨询方式 | 备注
"""

import tempfile
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import xlsxwriter
from django.http import FileResponse

from huimin.audit.models import Event
from huimin.organisation.acting import Actor, record_event
from huimin.policy.showing import LEVEL_TITLES, LEVELS, Policy
from huimin.workbench.spreadsheet import TYPE, plain_text

_COLUMNS = (
    ("序号", 6), ("主管部门", 16), ("补贴项目", 20), ("政策依据", 34), ("补贴对象", 34), *((level, 20) for level in LEVEL_TITLES),
    ("申领流程", 30), ("发放方式", 18), ("发放时间", 12), ("咨询方式", 20), ("备注", 26),
)  # fmt: skip
_STANDARDS_AT = 5
_HEAD_ROW = 1


def export_list(by: Actor, title: str, policies: Sequence[Policy]) -> FileResponse:
    """The download; an EXPORTED event says who took it. Inside a transaction."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it
    write_list(file, title, policies)
    record_event(by, Event.Kind.EXPORTED, title, {"rows": len(policies)})
    file.seek(0)
    response = FileResponse(file, content_type=TYPE)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(title)}.xlsx"
    return response


def write_list(file: Any, title: str, policies: Sequence[Policy]) -> None:
    """Write the workbook into `file`: title, a head of two rows, one row a programme, A4 across on paper."""
    book = xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("补贴政策清单")
    formats = {
        "title": book.add_format({"bold": True, "font_size": 16, "align": "center"}),
        "head": book.add_format({"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}),
        "cell": book.add_format({"num_format": "@", "border": 1, "valign": "top", "text_wrap": True}),
    }
    _head(sheet, title, formats)
    for number, policy in enumerate(policies, 1):
        for column, value in enumerate(published_row(number, policy)):
            sheet.write_string(_HEAD_ROW + 1 + number, column, plain_text(value), formats["cell"])
    book.close()


def _head(sheet: Any, title: str, formats: dict[str, Any]) -> None:
    sheet.merge_range(0, 0, 0, len(_COLUMNS) - 1, plain_text(title), formats["title"])
    for column, (name, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        if _STANDARDS_AT <= column < _STANDARDS_AT + len(LEVELS):
            sheet.write_string(_HEAD_ROW + 1, column, name, formats["head"])
        else:
            sheet.merge_range(_HEAD_ROW, column, _HEAD_ROW + 1, column, name, formats["head"])
    sheet.merge_range(_HEAD_ROW, _STANDARDS_AT, _HEAD_ROW, _STANDARDS_AT + len(LEVELS) - 1, "补贴标准", formats["head"])
    sheet.freeze_panes(_HEAD_ROW + 2, 3)
    sheet.repeat_rows(_HEAD_ROW, _HEAD_ROW + 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C第 &P 页，共 &N 页")


def published_row(number: int, policy: Policy) -> list[str]:
    """The cells of one programme."""
    return [
        str(number), policy.department, policy.name, policy.field("依据"), policy.whom,
        *(policy.standard_at(level) for level in range(len(LEVELS))), policy.how_to_apply, policy.payout_words,
        policy.field("发放时间") or policy.field("发放"), policy.ask, policy.remarks,
    ]  # fmt: skip
