"""Registers and labels on paper: set, remembered, bounded (ORG-07, ORG-08, REG-08, REG-10)."""

from datetime import date

import pytest

from huimin.audit.models import Event
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import reading
from huimin.payment.papers.registers import LABELS_MAX, Label, Register, labels_pdf, register_pdf
from tests.registry.people import officer

ON = date(2021, 9, 30)


def test_a_register_and_labels_are_set_and_remembered_org_07_reg_08(county):
    county("organised")
    by = officer()
    sheet = Register(
        "签到表", [("序号", 12), ("姓名", 0), ("签名", 30)], [(1, "陈文海#set text(red)", ""), (2, None, "")],
        lines=["培训：新办法"], notes=["应到 2 人"], seats=["授课人"], to_sign=True, address="http://127.0.0.1/training/1/",
    )  # fmt: skip
    content = register_pdf(sheet, by=by, on=ON)
    assert content.startswith(b"%PDF") and content == register_pdf(sheet, by=by, on=ON)
    assert labels_pdf([Label("1 号盒", ("编号 1-1",), "http://127.0.0.1/b/1/")] * 11, by=by, on=ON).startswith(b"%PDF")
    with reading(by):
        taken = Event.objects.filter(kind=Event.Kind.EXPORTED).order_by("id").values_list("subject", "detail")
        assert list(taken) == [("paper:签到表", {"rows": 2})] * 2 + [("paper:档案标签", {"rows": 11})]
    with pytest.raises(BadInput):
        labels_pdf([], by=by, on=ON)
    with pytest.raises(BadInput):
        labels_pdf([Label("盒")] * (LABELS_MAX + 1), by=by, on=ON)
    with pytest.raises(BadInput):
        register_pdf(Register("长表", [("列", 0)], [("",)] * 5001), by=by, on=ON)
