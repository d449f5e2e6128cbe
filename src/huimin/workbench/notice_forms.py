"""Forms of notices: objections filed, looked into, told; photos of sheets; what the county sets (CASE-06, CASE-07)."""

from typing import Any

from django import forms

from huimin.notices.models import Objection, SheetPhoto
from huimin.registry.commands.attachments import SIZE_MAX
from huimin.telling.models import Letter
from huimin.workbench.field_forms import day, radio
from huimin.workbench.forms import DeskForm
from huimin.workbench.forms import text as words


class FileObjection(DeskForm):
    text = words(
        "反映的情况",
        "请填写反映的情况",
        hint="写清是谁、什么事、怎么知道的；不要写证件号码和电话",
        rows=5,
        max_length=500,
    )
    channel = radio("怎么来的", Objection.Channel.choices)
    name = words(
        "反映人姓名",
        "",
        hint="不愿留名的留空。加密保存，只用来告知答复，每次查看都留痕",
        max_length=40,
        autocomplete="off",
    )
    phone = words("反映人电话", "", hint="没有的留空。加密保存", max_length=20, autocomplete="off", inputmode="tel")
    about = forms.TypedChoiceField(
        label="反映的是工作人员吗", coerce=int, required=False, empty_value=None,
        help_text="选了谁，就不由谁答复，也不给谁看是谁反映的", error_messages={"invalid_choice": "请从列表选择"},
    )  # fmt: skip

    def __init__(self, *args: Any, staff: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["about"].choices = [("", "不是"), *staff]  # type: ignore[attr-defined]


class AnswerObjection(DeskForm):
    how = radio("怎么核查的", Objection.How.choices)
    looked_on = day("核查日期")
    looked_by = words(
        "谁去核查的", "请填写谁去核查的", hint="姓名；重新评议的写主持人和到会人数", max_length=120, autocomplete="off"
    )
    found = words("查到的情况", "请填写查到的情况", hint="不要写证件号码和电话", rows=4, max_length=1000)
    upheld = forms.ChoiceField(
        label="异议成立吗", widget=forms.RadioSelect,
        error_messages={"required": "请选择异议成立还是不成立", "invalid_choice": "请选择异议成立还是不成立"},
    )  # fmt: skip
    answer = words(
        "答复",
        "请填写答复",
        hint="告知反映人的话；匿名的也写在公示页面上。不要写证件号码和电话",
        rows=4,
        max_length=500,
    )

    def __init__(self, *args: Any, upheld: str, dismissed: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("yes", f"成立：{upheld}"), ("no", f"不成立：{dismissed}")]
        self.fields["upheld"].choices = choices  # type: ignore[attr-defined]


class TellObjector(DeskForm):
    told_on = day("告知日期")
    how = words("怎么告知的", "请填写怎么告知的", hint="如：电话、当面、书面送达", max_length=80, autocomplete="off")


class Photo(DeskForm):
    """Whatever the file is, it is judged by its content."""

    file = forms.FileField(
        label="照片", help_text="JPG 或 PNG，10 MB 以内；要看得清公开栏和纸上的标题", widget=forms.FileInput({"accept": "image/jpeg,image/png"}),
        error_messages={"required": "请选择照片", "empty": "文件是空的，请重新拍照", "invalid": "请选择照片"},
    )  # fmt: skip
    taken_on = day("拍摄日期")
    spot = words("在哪里拍的", "请填写在哪里拍的", hint="如：村委会门口公开栏", max_length=80, autocomplete="off")
    photographer = words("谁拍的", "请填写谁拍的", max_length=40, autocomplete="off")

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > SIZE_MAX:
            raise forms.ValidationError("照片超过 10 MB，请用手机的普通画质重新拍")
        return file


class SheetPhotoForm(Photo):
    occasion = radio("什么时候拍的", SheetPhoto.Occasion.choices)
    field_order = ("file", "occasion", "taken_on", "spot", "photographer")


class NoticeRuleForm(DeskForm):
    """What the county sets for its notices."""

    programmes = forms.MultipleChoiceField(
        label="长期公示的项目", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="在享的家庭和个人长期张贴在村里的固定公示栏", error_messages={"invalid_choice": "请从列表选择"},
    )  # fmt: skip
    hotline = words(
        "监督电话", "", hint="印在每张公示上，如 0564-2345678；没有的留空", max_length=60, autocomplete="off"
    )
    due_day = forms.IntegerField(
        label="名单有变化的，当月几号前换新", min_value=1, max_value=28, widget=forms.TextInput({"inputmode": "numeric"}),
        error_messages={
            "required": "请填写几号", "invalid": "请填写 1 至 28", "min_value": "请填写 1 至 28", "max_value": "请填写 1 至 28",
        },
    )  # fmt: skip
    photo_needed = radio(
        "结束公示须有张贴照片吗", [("no", "不须：没有照片的只提示"), ("yes", "须有：没有照片不能结束公示")]
    )
    basis = words("依据", "请填写依据", hint="文件名和文号", max_length=120, autocomplete="off")

    def __init__(self, *args: Any, programmes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programmes"].choices = programmes  # type: ignore[attr-defined]


class Deliver(DeskForm):
    """How letters were brought; of many at once the addressees signed."""

    how = radio("怎么送达的", Letter.How.choices)
    delivered_on = day("送达日期")
    receiver = words("签收人", "", hint="家属签收时填写姓名；本人签收不填", max_length=40, autocomplete="off")
    note = words("说明", "", hint="留置写见证人和经过；邮寄写单号；无人可送写原因", max_length=200, autocomplete="off")


class DeliverOne(Deliver):
    file = forms.FileField(
        label="送达回证", required=False, help_text="可不传：签字的回证，JPG、PNG 或 PDF，10 MB 以内",
        widget=forms.FileInput({"accept": ".jpg,.jpeg,.png,.pdf"}),
        error_messages={"empty": "文件是空的，请重新扫描", "invalid": "请选择文件"},
    )  # fmt: skip

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > SIZE_MAX:
            raise forms.ValidationError("文件超过 10 MB，请用较低的分辨率重新扫描")
        return file


class CertificateReason(DeskForm):
    reason = words("原因", "请填写原因", max_length=120, autocomplete="off")
