"""Forms of home visits, letters and entrusted visits, and what is read out of them (CASE-02, VER-02).

One form serves the desk and the telephone: `n0_name`, `d0_fact` … are blocks for neighbours and differences, as many as the page
shows; empty blocks say nothing.
"""

import re
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django import forms

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Entity, Fact
from huimin.kernel.money import parse_yuan
from huimin.organisation.models import Appointment
from huimin.registry.commands.attachments import SIZE_MAX
from huimin.registry.queries import HouseholdState
from huimin.visits.findings import NEIGHBOURS_MAX, TOPICS, Differs, Found, Neighbour, Position
from huimin.visits.models import ProofLetter, Visit, VisitPaper
from huimin.visits.sending import Sent
from huimin.workbench.field_forms import day, pick, radio
from huimin.workbench.forms import DeskForm
from huimin.workbench.forms import text as words
from huimin.workbench.survey import read_value

HOUSEHOLD = "h"
DESK_BLOCKS, PHONE_BLOCKS = (3, 4, 2), (NEIGHBOURS_MAX, 30, 10)
"""How many neighbours, differing facts and doubts in words there is room for."""
HINTS = {
    "health": "疾病、残疾、自理能力；没有的写“无”", "living": "房屋结构、面积、家电、取暖用水", "work": "谁在哪里做什么，一个月挣多少",
    "property": "车辆、房产、存款、农机，没有的写“无”", "spending": "看病、上学、日常开支", "other": "",
}  # fmt: skip
_SPOT = re.compile(r"(-?\d{1,3}(?:\.\d{1,12})?),(-?\d{1,3}(?:\.\d{1,12})?),(\d{1,9})")


class FoundForm(DeskForm):
    """Whom they met and what they found; `blocks`: room for neighbours, differing facts, doubts in words."""

    def __init__(
        self, *args: Any, state: HouseholdState | None, facts: Sequence[Fact] = (), blocks: tuple[int, int, int] = DESK_BLOCKS,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        self.state, self.facts = state, {fact.code: fact for fact in facts}
        super().__init__(*args, **kwargs)
        self.blocks = blocks
        for code, label in TOPICS.items():
            self._add(code, words(label, "", hint=HINTS[code], rows=3, max_length=1000))
        for n in range(blocks[0]):
            self._add(f"n{n}_name", words("姓名", "", max_length=40, autocomplete="off"))
            self._add(f"n{n}_relation", words("与这一户的关系", "", max_length=40, autocomplete="off"))
            self._add(f"n{n}_words", words("说了什么", "", rows=2, max_length=300))
        if state is not None:
            self._add_differences(state)

    def _add_differences(self, state: HouseholdState) -> None:
        who = [("", "请选择"), (HOUSEHOLD, "全户"), *((str(m.person.pk), m.person.name) for m in state.members)]
        of = {entity: [(f.code, f.name) for f in self.facts.values() if f.entity is entity] for entity in Entity}
        facts: list[Any] = [("", "请选择"), ("全户的", of[Entity.HOUSEHOLD]), ("个人的", of[Entity.PERSON])]
        wrong = {"invalid_choice": "请从列表选择"}
        for n in range(self.blocks[1]):
            self._add(f"d{n}_who", forms.ChoiceField(label="谁", choices=who, required=False, error_messages=wrong))
            self._add(
                f"d{n}_fact", forms.ChoiceField(label="哪一项", choices=facts, required=False, error_messages=wrong)
            )
            self._add(f"d{n}_value", words("看到的", "", max_length=60, autocomplete="off"))
        for n in range(self.blocks[2]):
            self._add(f"w{n}", words(f"没有申报的情况 {n + 1}", "", rows=2, max_length=300))

    def _add(self, name: str, field: forms.Field) -> None:
        classes = {forms.Select: "govuk-select", forms.Textarea: "govuk-textarea", forms.TextInput: "govuk-input"}
        field.widget.attrs.setdefault("class", classes[type(field.widget)])
        self.fields[name] = field

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self.differs = list(self._differs(data))
        return data

    def _differs(self, data: dict[str, Any]) -> Iterator[Differs]:
        for n in range(self.blocks[1] if self.state is not None else 0):
            who, code, text = (str(data.get(f"d{n}_{part}") or "").strip() for part in ("who", "fact", "value"))
            if not code and not text:
                continue
            fact = self.facts.get(code)
            if fact is None or not text:
                self.add_error(f"d{n}_value" if fact else f"d{n}_fact", "请选哪一项，并写看到的是什么")
                continue
            if fact.entity is Entity.PERSON and who in ("", HOUSEHOLD):
                self.add_error(f"d{n}_who", f"{fact.name}是个人的，请选是谁的")
                continue
            try:
                person = int(who) if fact.entity is Entity.PERSON else None
                yield Differs(read_value(text, fact), fact.code, person)
            except BadInput as wrong:
                self.add_error(f"d{n}_value", str(wrong))
        for n in range(self.blocks[2]):
            if told := str(data.get(f"w{n}") or "").strip():
                yield Differs(what=told)

    def found(self) -> Found:
        data = self.cleaned_data
        blocks = [
            [str(data.get(f"n{n}_{part}") or "").strip() for part in ("name", "relation", "words")]
            for n in range(self.blocks[0])
        ]
        return Found(
            {code: str(data.get(code) or "") for code in TOPICS}, tuple(Neighbour(*block) for block in blocks if any(block)),
            tuple(self.differs), str(data.get("place") or ""), position_of(str(data.get("spot") or "")),
        )  # fmt: skip

    # For the page.

    @property
    def topics(self) -> list[forms.BoundField]:
        return [self[code] for code in TOPICS]

    @property
    def neighbours(self) -> list[list[forms.BoundField]]:
        return [[self[f"n{n}_{part}"] for part in ("name", "relation", "words")] for n in range(self.blocks[0])]

    @property
    def differences(self) -> list[list[forms.BoundField]]:
        shown = self.blocks[1] if self.state is not None else 0
        return [[self[f"d{n}_{part}"] for part in ("who", "fact", "value")] for n in range(shown)]

    @property
    def remarks(self) -> list[forms.BoundField]:
        return [self[f"w{n}"] for n in range(self.blocks[2])] if self.state is not None else []


def went_field(choices: list[tuple[str, str]]) -> forms.MultipleChoiceField:
    field = forms.MultipleChoiceField(
        label="调查人", choices=choices, widget=forms.CheckboxSelectMultiple, help_text="二人以上；有近亲属在这一户的须回避",
        error_messages={"required": "请勾选调查人，二人以上", "invalid_choice": "请从列表勾选调查人"},
    )  # fmt: skip
    return field


def people_choices(rows: Sequence[Appointment]) -> list[tuple[str, str]]:
    return [(str(row.pk), f"{row.account.full_name}（{row}）") for row in rows]


class NewVisit(FoundForm):
    """A visit of ours."""

    visited_on = day("调查日期")
    met = radio("见到了谁", Visit.Met.choices)
    met_name = words("见到的人", "", hint="姓名，不是申请人的写关系", max_length=60, autocomplete="off")
    place = words("地点", "", hint="不在登记的住址时填写，如：村头打谷场", max_length=120, autocomplete="off")
    refused = words("被调查人不签字的原因", "", hint="签了字的不填", max_length=200, autocomplete="off")
    witness = words("见证人", "", hint="不签字时填写：姓名和身份，不能是调查人", max_length=60, autocomplete="off")
    spot = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    client_id = forms.UUIDField(
        required=False, widget=forms.HiddenInput, error_messages={"invalid": "这一页已过期，请重新打开"}
    )

    def __init__(self, *args: Any, people: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["investigators"] = went_field(people)

    def told(self) -> dict[str, Any]:
        """What `record_visit` takes of the form."""
        data = self.cleaned_data
        return {
            "visited_on": data["visited_on"], "met": data["met"], "met_name": data["met_name"], "found": self.found(),
            "investigators": [int(each) for each in data["investigators"]], "client_id": data["client_id"] or uuid.uuid4(),
        }  # fmt: skip


class Reply(FoundForm):
    """What the place of residence found; of a place outside, who went is written by name."""

    visited_on = day("调查日期")
    met = radio("见到了谁", [choice for choice in Visit.Met.choices if choice[0] != Visit.Met.NOBODY])
    met_name = words("见到的人", "", hint="姓名，不是申请人的写关系", max_length=60, autocomplete="off")

    def __init__(self, *args: Any, people: list[tuple[str, str]] | None, **kwargs: Any) -> None:
        super().__init__(*args, state=None, **kwargs)
        if people is None:
            hint = "照调查表写单位和姓名，一行一人，二人以上"
            self._add("names", words("调查人", "请写调查人", hint=hint, rows=3, max_length=400))
        else:
            self.fields["investigators"] = went_field(people)


def position_of(text: str) -> Position | None:
    found = _SPOT.fullmatch(text.strip())
    return Position(float(found[1]), float(found[2]), int(found[3])) if found else None


def content_of(sent: Any, where: str = "文件") -> bytes:
    """An uploaded file's bytes, refused by its size before it is read; b"" for none."""
    if sent is None:
        return b""
    if sent.size > SIZE_MAX:
        raise BadInput("文件超过 10 MB", where=where, remedy="请用较低的分辨率重新拍照或扫描，或分成几个文件")
    return bytes(sent.read())


def file_of(request: Any, name: str = "file") -> Any:
    """The file of a form, None for none; what was too large to arrive at all is refused by its size."""
    if getattr(request, "too_large", False):
        raise BadInput(
            "文件太大，没有接收", where="文件", why="每个文件不超过 10 MB", remedy="请用较低的分辨率重新拍照或扫描"
        )
    return request.FILES.get(name)


def papers_of(request: Any) -> list[Sent]:
    """Files of a visit's form: `photo` (several), `photo_N` with its day and place, `form`, `household`, `signature_N`."""
    file_of(request)
    found = [Sent(VisitPaper.Kind.PHOTO, content_of(each), each.name) for each in request.FILES.getlist("photo")]
    for name, each in request.FILES.items():
        kind, _, number = name.partition("_")
        if kind == "photo" and number:
            at, spot = request.POST.get(f"{name}_at", ""), request.POST.get(f"{name}_spot", "")
            found.append(
                Sent(
                    VisitPaper.Kind.PHOTO, content_of(each), each.name, taken_at=_moment(at), position=position_of(spot)
                )
            )
        elif kind == "signature" and number.isascii() and number.isdigit() and len(number) < 19:
            found.append(Sent(VisitPaper.Kind.INVESTIGATOR, content_of(each), each.name, signer=int(number)))
        elif name in ("form", "household"):
            found.append(Sent(name, content_of(each), each.name))
    return [each for each in found if each.content]


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


class Paper(DeskForm):
    kind = radio("种类", [c for c in VisitPaper.Kind.choices if c[0] in ("photo", "form", "other")])
    title = words("名称", "", hint="如：堂屋、粮仓、残疾证", max_length=80, autocomplete="off")


class Sign(DeskForm):
    refused = words("被调查人不签字的原因", "", hint="签了字的不填", max_length=200, autocomplete="off")
    witness = words("见证人", "", hint="不签字时填写：姓名和身份，不能是调查人", max_length=60, autocomplete="off")


class Void(DeskForm):
    reason = words("作废的原因", "请填写作废的原因", hint="错在哪里；原来的记录保留", rows=3, max_length=200)


class Settle(DeskForm):
    outcome = radio("核实结果", [("confirmed", "查实：申请人承认，或有凭据"), ("refuted", "排除：有凭据说明不是这样")])
    answer = words("申请人的说明", "请填写申请人的说明", hint="照本人说的写要点", rows=3, max_length=500)
    evidence = words(
        "凭据", "", hint="排除时填写：材料名称和编号，如行驶证、租房合同", max_length=120, autocomplete="off"
    )


class Report(DeskForm):
    effective_on = day("从哪一天起", "事情从哪一天起就是这样；说不清的写调查那天")
    evidence = words("依据", "请填写依据", max_length=120, autocomplete="off")


class NewLetter(DeskForm):
    person = forms.ChoiceField(
        label="问谁的情况", error_messages={"required": "请选择家庭成员", "invalid_choice": "请选择家庭成员"}
    )
    kind = pick("单位种类", ProofLetter.Kind.choices)
    addressee = words("单位全称", "请填写单位全称", max_length=80, autocomplete="off")
    place = words("单位地址", "", hint="寄送用，可不填", max_length=120, autocomplete="off")
    question = words("询问事项", "请填写询问事项", rows=3, max_length=300)
    due_on = day("回函期限")

    def __init__(self, *args: Any, people: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [("", "请选择"), *people]


class LetterAnswer(DeskForm):
    answered_on = day("回函日期", "回函上盖章的日期")
    answer = words("回函说了什么", "请填写回函要点", rows=3, max_length=500)
    wage = words(
        "月工资（元）",
        "",
        hint="回函写明每月工资的填写；和登记不一样的会生成疑点",
        max_length=20,
        inputmode="decimal",
        autocomplete="off",
    )

    def clean_wage(self) -> int | None:
        typed = str(self.cleaned_data["wage"]).strip()
        if not typed:
            return None
        try:
            return parse_yuan(typed.replace(",", "").replace("，", ""), where="月工资")
        except BadInput:
            raise forms.ValidationError("月工资请填数字，最多两位小数") from None


class Withdraw(DeskForm):
    reason = words("撤回的原因", "请填写撤回的原因", rows=2, max_length=200)


class Entrust(DeskForm):
    to_division = forms.ChoiceField(
        label="住在本县的村", required=False, error_messages={"invalid_choice": "请从列表选择"}
    )
    to_office = words(
        "住在外县的，写当地民政部门", "", hint="如：合肥市包河区民政局", max_length=80, autocomplete="off"
    )
    address = words(
        "现在住在哪里", "请填写住址", hint="写到门牌或居住的人家；加密保存", max_length=200, autocomplete="off"
    )
    asks = words("请对方调查什么", "请填写调查事项", rows=3, max_length=500)
    due_on = day("回复期限")

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to_division"].choices = [("", "不在本县"), *places]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(data.get("to_division")) == bool(data.get("to_office")):
            self.add_error("to_division", "请选本县的村，或写外县的民政部门，只填一样")
        return data


class WhyNot(DeskForm):
    why = words("为什么不能调查", "请填写原因", hint="去过几次、问过谁、结果怎样", rows=3, max_length=300)
