"""Forms of community review: lists of a village, calling and holding a meeting, results, minutes, 一事一议 (CASE-01, CASE-03)."""

from collections.abc import Iterable
from typing import Any

from django import forms

from huimin.casework.models import Relief
from huimin.meetings.models import CollectiveDecision, Inquiry, Item, Majority, MeetingScan, Overseer, Supervisor
from huimin.meetings.rules import COUNTERS
from huimin.workbench.capacity_forms import whole
from huimin.workbench.field_forms import day, pick, radio
from huimin.workbench.forms import DeskForm, asked
from huimin.workbench.forms import text as line
from huimin.workbench.relief_forms import YuanField

Choices = list[tuple[str, str]]


def boxes(label: str, hint: str = "", required: str = "") -> forms.TypedMultipleChoiceField:
    """Rows to tick; the values are row numbers."""
    return forms.TypedMultipleChoiceField(
        label=label, help_text=hint, required=bool(required), coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": required or "请勾选", "invalid_choice": "请从列表勾选"},
    )  # fmt: skip


class Number(DeskForm):
    number = whole("法定代表数（人）", 3, 500, "推选产生的居民（村民）代表应有的人数")
    valid_from = day("从哪一天起")
    basis = line("依据", "请填写依据", hint="如：2021 年村民代表推选结果报告单", max_length=120)


class NewRepresentative(DeskForm):
    name = line("姓名", "请填写姓名", max_length=40, autocomplete="off")
    group_name = line("村民组或片区", "请填写村民组或片区", hint="如：徐冲组", max_length=20, autocomplete="off")
    valid_from = day("任职开始")
    last_day = day("任期截止", "可不填：没有定", required=False)
    phone = line(
        "电话", "", hint="可不填。加密保存，看的时候要写用途", max_length=30, inputmode="tel", autocomplete="off"
    )
    household_no = line(
        "本人所在户的户编码", "", hint="可不填。填了以后评议到他自己家时自动回避", max_length=24, autocomplete="off"
    )


class NewSupervisor(DeskForm):
    name = line("姓名", "请填写姓名", max_length=40, autocomplete="off")
    kind = pick("身份", Supervisor.Kind.choices)
    valid_from = day("聘任开始")
    last_day = day("聘期截止", "可不填：没有定", required=False)
    phone = line(
        "电话", "", hint="可不填。加密保存，看的时候要写用途", max_length=30, inputmode="tel", autocomplete="off"
    )
    household_no = line(
        "本人所在户的户编码", "", hint="可不填。填了以后评议到他自己家时自动回避", max_length=24, autocomplete="off"
    )


class CheckList(DeskForm):
    outcome = radio("核对意见", [("agree", "与推选结果一致"), ("refuse", "不予认可")])
    refusal = line("不予认可的原因", "", hint="选“不予认可”时填写", max_length=200)


class End(DeskForm):
    last_day = day("最后一天")
    reason = line("原因", "请填写原因", hint="如：换届、外出、本人辞去", max_length=200)


class Rule(DeskForm):
    majority = radio("投票多少通过（占到会且不须回避的代表）", Majority.choices)
    overseer = radio("评议监督员从哪里选", Overseer.choices)
    basis = line("依据", "请填写依据", hint="文件或会议的名称和日期", max_length=120)


class Convene(DeskForm):
    cases = boxes("评议哪些事", required="请勾选要评议的事")
    meets_on = day("开会日期")
    meets_at = line("时间", "请填写时间", hint="如 15:00", max_length=8, autocomplete="off")
    location = line("地点", "请填写地点", hint="如：村委会会议室", max_length=60)
    chair = line("主持人", "请填写主持人", hint="姓名和职务，如：李明 村委会主任", max_length=60)

    def __init__(self, *args: Any, cases: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cases"].choices = cases  # type: ignore[attr-defined]


class AddCases(DeskForm):
    cases = boxes("增加哪些事", required="请勾选要评议的事")

    def __init__(self, *args: Any, cases: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cases"].choices = cases  # type: ignore[attr-defined]


class Came(DeskForm):
    """Who came: the register to tick, the township's officers, and others by name."""

    listed = boxes("到会的代表和监督员")
    cadres = boxes("到会的乡镇干部")
    others = line("其他乡镇干部", "", hint="没有账号的：一行一人，姓名、空格、职务", rows=2, max_length=600)
    words = line("说明", "", hint="会议不成立时可写明情况", rows=2, max_length=150)

    def __init__(self, *args: Any, listed: Choices, cadres: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["listed"].choices = listed  # type: ignore[attr-defined]
        self.fields["cadres"].choices = cadres  # type: ignore[attr-defined]


COUNTER_FIELDS = ("scrutineer", "caller", "counter", "overseer")


class Judge(DeskForm):
    """One result: said by all, or voted; `near_<row>` says how somebody is near to the applicant."""

    how = radio("怎样评议", Item.How.choices)
    outcome = forms.ChoiceField(
        label="评议结果（投票的按票数得出，可不选）", required=False, choices=Item.Outcome.choices, widget=forms.RadioSelect,
        error_messages={"invalid_choice": "请选择评议结果"},
    )  # fmt: skip
    words = line("评议意见", "请填写评议意见", hint="代表怎么说的，主要理由；不要写病名和号码", rows=3, max_length=1000)
    reasons = line(
        "与认定不一致的理由", "", hint="评议结果与登记、政策的认定不一致时填写，转乡镇核查", rows=2, max_length=500
    )

    def __init__(self, *args: Any, representatives: Choices, watching: Choices, there: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (
            ("ballots", "发出票数"),
            ("in_favour", "赞成"),
            ("against", "反对"),
            ("abstained", "弃权（含废票）"),
        ):
            self.fields[name] = whole(label, 0, 500)
            self.fields[name].required = False
            self.fields[name].widget.attrs["class"] = "govuk-input"
        for name, label in zip(COUNTER_FIELDS, COUNTERS, strict=True):
            self.fields[name] = pick(label, watching if name == "overseer" else representatives)
            self.fields[name].required = False
            self.fields[name].widget.attrs["class"] = "govuk-select"
        for row, name in there:
            self.fields[f"near_{row}"] = line(name, "", max_length=40, autocomplete="off")
            self.fields[f"near_{row}"].widget.attrs["class"] = "govuk-input"

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("how") == Item.How.CONSENSUS and not data.get("outcome"):
            self.add_error("outcome", "请选择评议结果")
        if data.get("how") == Item.How.VOTE:
            for name in ("ballots", "in_favour", "against", "abstained"):
                if name not in self.errors and data.get(name) is None:
                    self.add_error(name, f"请填写{self.fields[name].label}")
            for name in COUNTER_FIELDS:
                if name not in self.errors and not data.get(name):
                    self.add_error(name, asked(str(self.fields[name].label)))
        data["near"] = {
            int(name.removeprefix("near_")): said
            for name, said in data.items()
            if name.startswith("near_") and str(said).strip()
        }
        return data

    def group(self, names: Iterable[str]) -> list[Any]:
        return [self[name] for name in names]

    @property
    def counts(self) -> list[Any]:
        return self.group(("ballots", "in_favour", "against", "abstained"))

    @property
    def counters(self) -> list[Any]:
        return self.group(COUNTER_FIELDS)

    @property
    def nearness(self) -> list[Any]:
        return self.group(name for name in self.fields if name.startswith("near_"))


class Reason(DeskForm):
    reason = line("原因", "请填写原因", max_length=200)


class Hardship(DeskForm):
    text = line("困难情况", "", hint="会在会上宣读。写家里的难处，不写病名、证件和电话号码", rows=3, max_length=200)


class Minutes(DeskForm):
    words = line(
        "会议记录", "请填写会议记录", hint="会议经过、代表主要意见；不要写证件号码和病名", rows=6, max_length=2000
    )
    recorder = line("记录人", "请填写记录人", hint="姓名和职务", max_length=60)


class Correction(DeskForm):
    text = line(
        "更正说明",
        "请填写更正说明",
        hint="哪里写错、应为什么；评议结果有误的由乡镇核查后重新评议",
        rows=3,
        max_length=500,
    )


class Inquire(DeskForm):
    conclusion = radio("核查结论", Inquiry.Conclusion.choices)
    text = line(
        "核查报告", "请填写核查报告", hint="查了什么、问了谁、结论是什么；不要写证件号码", rows=6, max_length=2000
    )


class Scan(DeskForm):
    kind = pick("材料", MeetingScan.Kind.choices)
    file = forms.FileField(
        label="文件", help_text="JPG、PNG 或 PDF，10 MB 以内", widget=forms.FileInput({"accept": ".jpg,.jpeg,.png,.pdf"}),
        error_messages={"required": "请选择文件", "empty": "文件是空的，请重新选择", "invalid": "请选择文件"},
    )  # fmt: skip


class Collective(DeskForm):
    """What the township's officials held; the last three are for help given first."""

    held_on = day("会议日期")
    location = line("地点", "请填写地点", max_length=60)
    officials = line("参加人", "请填写参加人", hint="三名以上，一行一人：姓名、空格、职务", rows=4, max_length=2000)
    unverified = line(
        "无法核实的事项", "请填写无法核实的事项", hint="缺哪样材料、哪项信息查不清", rows=2, max_length=500
    )
    no_fault = line("为什么不是申请人的原因", "请填写为什么不是申请人的原因", rows=2, max_length=300)
    hardship = line("基本生活困难情况", "请填写基本生活困难情况", rows=2, max_length=500)
    minutes = line("会议记录", "请填写会议记录", rows=5, max_length=2000)
    in_favour = whole("赞成（人）", 0, 30)
    against = whole("反对（人）", 0, 30)
    abstained = whole("弃权（人）", 0, 30)
    conclusion = radio("结论", CollectiveDecision.Conclusion.choices)
    findings = line(
        "集体认定的情况", "", hint="选“集体认定”时填写：认定哪一项、是多少、凭什么", rows=2, max_length=1000
    )
    basis = line("依据", "请填写依据", hint="准许一事一议的文件，如市、县的社会救助办法", max_length=120)
    cause = forms.ChoiceField(
        label="急难情形", required=False, choices=[("", "（不先行救助）"), *Relief.Cause.choices],
        help_text="选“先行救助”时填写，下同", error_messages={"invalid_choice": "请从列表选择"},
    )  # fmt: skip
    happened_on = day("发生日期", "如 2021-07-01", required=False)
    amount = YuanField(
        label="救助金额（元）", required=False, widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("conclusion") == CollectiveDecision.Conclusion.RELIEF:
            for name in ("cause", "happened_on", "amount"):
                if name not in self.errors and not data.get(name):
                    self.add_error(name, f"请填写{self.fields[name].label}")
        return data
