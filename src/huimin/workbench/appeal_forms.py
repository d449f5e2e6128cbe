"""Forms of appeals (issue 5 point 8)."""

from django import forms

from huimin.appeals.models import Appeal
from huimin.workbench.field_forms import day, radio
from huimin.workbench.forms import DeskForm
from huimin.workbench.forms import text as words
from huimin.workbench.recheck_forms import Reason, number


class File(DeskForm):
    kind = radio(
        "种类",
        [
            (key, f"{label}（{where}）")
            for (key, label), where in zip(
                Appeal.Kind.choices, ("向民政部门或惠民办提出", "向县政府或上一级主管部门提出"), strict=True
            )
        ],
    )
    appellant = words("申诉人", "请填写申诉人", max_length=60, autocomplete="off")
    relation = words(
        "与户主的关系", "请填写关系", hint="如：户主本人、儿子、委托代理人", max_length=40, autocomplete="off"
    )
    told_on = day("什么时候知道这个决定的", "收到通知书的日期；没有收到书面通知的，写知道的日期")
    text = words("不服什么，为什么，要求怎样", "请照申诉人的话写", hint="不要写证件号码和电话", rows=6, max_length=2000)
    evidence = words("带来的材料", "", max_length=200)
    late_reason = words("过了期限的原因", "", hint="有不可抗力等正当理由的写", max_length=200)


class Accept(DeskForm):
    organ = words(
        "复议机关", "", hint="行政复议填：县人民政府或上一级主管部门的全称", max_length=80, autocomplete="off"
    )
    late_reason = words("为什么过期仍受理", "", hint="已过期限的填", max_length=200)


class Ruling(DeskForm):
    outcome = radio("结果", [("upheld", "成立"), ("partly", "部分成立"), ("dismissed", "不成立")])
    ruling = words("理由", "请写明核实了什么、依据哪一条、结论是什么", hint="会印在答复书上", rows=8, max_length=2000)
    document = words("复议决定书文号", "", hint="行政复议填", max_length=80, autocomplete="off")


class Correct(DeskForm):
    by_what = forms.ChoiceField(
        label="用哪个新的申请或决定纠正", widget=forms.RadioSelect,
        error_messages={"required": "请选择", "invalid_choice": "请从列表选择"},
    )  # fmt: skip

    def __init__(self, *args: object, options: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["by_what"].choices = options  # type: ignore[attr-defined]


class Terms(DeskForm):
    file_days = number("知道决定后几天内可以申诉", "请填写天数", low=1, high=365)
    answer_days = number("受理后几天内答复", "请填写天数", low=1, high=180)
    extended_days = number("可以延长几天", "请填写天数，不能延长填 0", low=0, high=90)
    basis = words("依据", "请填写依据", hint="文件名和文号", max_length=120, autocomplete="off")


__all__ = ["Accept", "Correct", "File", "Reason", "Ruling", "Terms"]
