"""Forms of agreements with agent banks, complaints, the method and assessments (PAY-09)."""

from typing import Any

from huimin.agentbanks.models import Agreement, Complaint
from huimin.workbench.field_forms import day, pick, radio
from huimin.workbench.forms import DeskForm, text
from huimin.workbench.recheck_forms import number as whole


class _OfABank(DeskForm):
    bank_office = pick("代理银行", [])

    def __init__(self, *args: Any, banks: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["bank_office"].choices = [("", "请选择"), *((str(pk), name) for pk, name in banks)]

    def told(self) -> dict[str, Any]:
        return self.cleaned_data | {"bank_office": int(self.cleaned_data["bank_office"])}


class AgreementForm(_OfABank):
    number = text("协议编号", "请填写协议编号", max_length=60, autocomplete="off")
    selection = radio("选择方式", list(Agreement.Selection.choices))
    signed_on = day("签订日期")
    valid_from = day("生效日期")
    valid_to = day("到期日期", "协议的最后一天，如 2023-12-31")
    credit_days = whole("几个工作日内入账", "请填写天数", "救灾资金另按 2 个工作日", 1, 30)
    services = text(
        "约定的服务",
        "请填写约定的服务",
        hint="办卡激活、资金支付、补贴通知、便捷取款、数据安全等",
        rows=4,
        max_length=500,
    )


class End(DeskForm):
    last_day = day("最后一天")
    reason = text("终止原因", "请填写终止原因", rows=2, max_length=200)


class ComplaintForm(_OfABank):
    kind = radio("事由", list(Complaint.Kind.choices))
    happened_on = day("什么时候")
    words = text("情况", "请填写情况", hint="谁、在哪个网点、发生了什么；不要写证件号码和账号", rows=4, max_length=500)


class Answer(DeskForm):
    outcome = radio("核查结果", [("yes", "属实"), ("no", "不属实")])
    answer = text("核查情况", "请填写核查情况", hint="怎样核查的、银行怎样整改的", rows=4, max_length=500)


class MethodForm(DeskForm):
    valid_from = day("施行日期")
    timely_points = whole("及时入账，分值", "请填写分值", "按时回盘的批次占到期批次的比例", 0, 100)
    success_points = whole("发放成功，分值", "请填写分值", "入账笔数占有结果笔数的比例", 0, 100)
    error_points = whole("数据差错，分值", "请填写分值", "回盘对不上、重复、金额不符、前后矛盾、入账后又退", 0, 100)
    error_cost = whole("每件差错扣几分", "请填写扣分", "", 0, 100)
    complaint_points = whole("群众投诉，分值", "请填写分值", "四项分值加起来是 100", 0, 100)
    complaint_cost = whole("每件属实投诉扣几分", "请填写扣分", "", 0, 100)
    good_from = whole("优秀，不低于几分", "请填写分数", "", 1, 100)
    pass_from = whole("合格，不低于几分", "请填写分数", "", 1, 100)
    basis = text("依据", "请填写依据", hint="考评办法的文件名和文号", max_length=120, autocomplete="off")


class Assess(_OfABank):
    year = whole("年度", "请填写年度", "已经过完的一年", 2000, 2100)
    words = text("评语", "请填写评语", hint="履行协议、服务质量、存在的问题", rows=4, max_length=500)
