"""Forms of the archives: stores, papers, loans, moves and destruction, retention (REG-08)."""

from typing import Any

from django import forms

from huimin.archives.models import PaperKind, Store
from huimin.workbench.capacity_forms import day, whole
from huimin.workbench.forms import DeskForm, asked, text


def _select(label: str, choices: Any = ()) -> forms.ChoiceField:
    wanted = asked(label)
    return forms.ChoiceField(
        label=label, choices=choices, error_messages={"required": wanted, "invalid_choice": wanted}
    )


class NewStore(DeskForm):
    kind = _select("种类", Store.Kind.choices)
    division = _select("地方")
    name = text("名称", "请填写名称", hint="如：二号档案柜", max_length=80)
    keeper = text("保管人", "请填写保管人", max_length=40)

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["division"].choices = places


class Boxes(DeskForm):
    shelf = whole("第几层", 1, 50)
    count = whole("添几盒", 1, 200)


class FileAll(DeskForm):
    """One paper of every household of the place."""

    kind = _select("材料种类", PaperKind.choices)
    title = text("材料名称", "请填写材料名称", hint="如：2021 年基本信息表（村联）", max_length=80)
    dated_on = day("材料日期")
    pages = whole("每户页数", 1, 1000)
    per_box = whole("每盒户数", 1, 500)


class NewPaper(DeskForm):
    kind = _select("材料种类", PaperKind.choices)
    title = text("材料名称", "请填写材料名称", max_length=80)
    dated_on = day("材料日期")
    pages = whole("页数", 1, 1000)
    box = _select("放在哪里")

    def __init__(self, *args: Any, boxes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["box"].choices = [("", "请选择"), *boxes]


class Lend(DeskForm):
    borrower = text("借阅人", "请填写借阅人", max_length=40)
    office = text("单位", "请填写单位", max_length=80)
    purpose = text("用途", "请填写用途", max_length=120)
    due_on = day("归还期限")


class Return(DeskForm):
    remark = text("归还时的情况", "", hint="如：完好、缺第 2 页；没有可不填", max_length=120)


class Move(DeskForm):
    target = _select("移到哪里")
    reason = text("移交的原因", "请填写移交的原因", max_length=200)

    def __init__(self, *args: Any, boxes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = [("", "请选择"), *boxes]


class Destroy(DeskForm):
    reason = text("销毁的原因", "请填写销毁的原因", hint="保管期限已满的才能销毁", max_length=200)


class Verdict(DeskForm):
    outcome = forms.ChoiceField(
        label="审批意见", choices=[("agree", "同意"), ("refuse", "不同意")], widget=forms.RadioSelect,
        error_messages={"required": "请选择同意还是不同意", "invalid_choice": "请选择同意还是不同意"},
    )  # fmt: skip
    refusal = text("不同意的原因", "", hint="选“不同意”时填写", max_length=200)


class Retention(DeskForm):
    kind = _select("材料种类", PaperKind.choices)
    years = whole("保管年限", 0, 100, "从材料当年年底起算；0 为永久")
    basis = text("依据", "请填写依据", hint="文件名称和文号", max_length=120)
