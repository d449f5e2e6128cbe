"""Forms of changes of a household, one a kind; what they give is the payload of registry.commands.changes (REG-05)."""

from collections.abc import Callable
from typing import Any

from django import forms

from huimin.kernel.facts import RELATIONS
from huimin.kernel.identity import BadIdentityNumber, parse_identity
from huimin.kernel.masking import mask_address, mask_identity, mask_phone
from huimin.registry.models import ReportedChange
from huimin.registry.queries import HouseholdState
from huimin.workbench.forms import DayField, DeskForm, text

Kind = ReportedChange.Kind
Options = list[tuple[str, str]]
_RELATION: Options = [("", "请选择"), *((each, each) for each in RELATIONS)]
_OTHERS: Options = [option for option in _RELATION if option[0] != "户主"]


class ChangeForm(DeskForm):
    """Since when and on which evidence; `members` are those of the household now, `places` its possible villages."""

    told: tuple[str, ...] = ()
    about_relations = False

    effective_on = DayField(
        label="从哪一天起",
        help_text="事情发生的那一天，如 2021-07-01",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写从哪一天起"},
    )
    evidence = text(
        "依据",
        "请填写依据",
        hint="证明材料的名称和编号，或入户核实情况；不写证件号码",
        max_length=120,
        autocomplete="off",
    )

    def __init__(self, *args: Any, state: HouseholdState, places: Options, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state = state
        people = [(str(each.person.pk), f"{each.person.name}（{each.relation}）") for each in state.members]
        for name, field in self.fields.items():
            if isinstance(field, forms.TypedChoiceField):
                field.choices = [("", "请选择" if field.required else "没有、不涉及"), *people]
            if name == "people":
                field.choices = people
            if name == "division":
                field.choices = places
        if self.about_relations:
            self._add_relations()
        self.order_fields([*self.told, *self.relation_names, "effective_on", "evidence"])

    def _add_relations(self) -> None:
        for member in self.state.members:
            field = forms.ChoiceField(
                label=f"{member.person.name}（现为{member.relation}）", choices=[("", "不变"), *_RELATION[1:]], required=False,
                error_messages={"invalid_choice": "请从列表选择关系"},
            )  # fmt: skip
            field.widget.attrs["class"] = "govuk-select"
            self.fields[f"relation_{member.person.pk}"] = field

    @property
    def relation_names(self) -> list[str]:
        return [name for name in self.fields if name.startswith("relation_")]

    def plain_fields(self) -> list[forms.BoundField]:
        return [
            self[name]
            for name in self.fields
            if name not in (*self.relation_names, "people", "effective_on", "evidence")
        ]

    def relation_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.relation_names]

    def payload(self) -> dict[str, Any]:
        """What was told, without what was left empty; people as numbers."""
        found: dict[str, Any] = {}
        for name in self.told:
            value = self.cleaned_data.get(name)
            if value in ("", None, []):
                continue
            found[name] = [int(each) for each in value] if name == "people" else value
        if self.about_relations:
            given = {name.removeprefix("relation_"): self.cleaned_data.get(name) for name in self.relation_names}
            found["relations"] = {person: word for person, word in given.items() if word}
        return found


def _who(label: str, required: str = "", hint: str = "") -> forms.TypedChoiceField:
    words = required or "请从列表选择"
    return forms.TypedChoiceField(
        label=label, coerce=int, required=bool(required), empty_value=None, help_text=hint,
        error_messages={"required": words, "invalid_choice": words},
    )  # fmt: skip


def _several(label: str, required: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": required, "invalid_choice": required},
    )


def _relation(required: str = "请选择与户主关系", label: str = "与户主关系", hint: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=_OTHERS, required=bool(required), help_text=hint,
        error_messages={"required": required, "invalid_choice": "请选择与户主关系"},
    )  # fmt: skip


class IdentityField(forms.CharField):
    """An identity number as people type it: spaces, full width and a lower-case x are forgiven; 18 characters out."""

    def __init__(self, label: str, *, required: bool = True, hint: str = "") -> None:
        super().__init__(
            label=label, required=required, max_length=40, help_text=hint or "18 位，可以带空格",
            widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
            error_messages={"required": f"请填写{label}", "max_length": f"{label}过长，请核对"},
        )  # fmt: skip

    def to_python(self, value: Any) -> Any:
        typed = super().to_python(value)
        if not typed:
            return ""
        try:
            return parse_identity(typed, where=str(self.label)).number
        except BadIdentityNumber as wrong:
            raise forms.ValidationError(str(wrong)) from wrong


def _name(label: str = "姓名", required: str = "请填写姓名") -> forms.CharField:
    return text(label, required, max_length=60, autocomplete="off")


class Newcomer(ChangeForm):
    told = ("name", "id_number", "relation")
    name, id_number, relation = _name(), IdentityField("证件号码"), _relation()


class Birth(Newcomer):
    """As whoever comes, but a child is nobody's spouse or parent."""

    relation = _relation()
    relation.choices = [option for option in _OTHERS if option[0] not in ("配偶", "父母", "祖父母")]


class Death(ChangeForm):
    told, about_relations = ("person", "new_head", "survivor"), True
    person = _who("谁去世", "请选择去世的人")
    new_head = _who("新户主", hint="户主去世而还有其他成员时选择")
    survivor = _who("谁因此丧偶", hint="户主与配偶之间的不用选，系统自动登记；其他夫妻请选择")


class Marriage(ChangeForm):
    told = ("person", "spouse", "spouse_name", "spouse_number", "relation")
    person = _who("谁结婚", "请选择结婚的人")
    spouse = _who("配偶已在这一户", hint="配偶已是本户成员时选择")
    spouse_name = _name("配偶姓名", "")
    spouse_number = IdentityField("配偶证件号码", required=False, hint="配偶迁入或住在县内另一户时填写")
    relation = _relation("", "配偶迁入后与户主关系", "不迁入的不选")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("relation") and not (data.get("spouse_name") and data.get("spouse_number")):
            self.add_error("spouse_number", "配偶迁入的，请填写配偶姓名和证件号码")
        return data


class Divorce(ChangeForm):
    told, about_relations = ("person", "other", "leaves", "to", "relation", "new_head"), True
    person = _who("谁离婚", "请选择离婚的人")
    other = _who("原配偶也在这一户")
    leaves = _who("谁离开这一户")
    to = text("去哪一户", "", hint="县内另一户的户编码；离开本县的不填", max_length=24, autocomplete="off")
    relation = _relation("", "到那一户后与户主关系")
    new_head = _who("新户主", hint="离开的是户主时选择")


class Departure(ChangeForm):
    told, about_relations = ("people", "to", "new_head"), True
    people = _several("谁迁出", "请勾选迁出的人")
    to = text("迁到哪一户", "", hint="县内另一户的户编码；迁出本县的不填", max_length=24, autocomplete="off")
    new_head = _who("新户主", hint="迁出的有户主而还有人留下时选择")


class Move(ChangeForm):
    told = ("away", "division", "address")
    away = forms.TypedChoiceField(
        label="迁到哪里", choices=[("", "县内"), ("yes", "迁出本县")], coerce=bool, required=False, empty_value="",
        widget=forms.Select, error_messages={"invalid_choice": "请选择县内或迁出本县"},
    )  # fmt: skip
    division = forms.ChoiceField(
        label="迁入的村", required=False, error_messages={"invalid_choice": "请从列表选择辖区内的村"}
    )
    address = text("新住址", "", hint="县内迁移的填写", max_length=100, autocomplete="off")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not data.get("away") and not data.get("address", "").strip():
            self.add_error("address", "请填写迁入后的住址")
        return data


class Split(ChangeForm):
    told, about_relations = ("people", "head", "division", "address", "phone", "new_head"), True
    people = _several("谁分出去", "请勾选分出去的人")
    head = _who("新户的户主", "请选择新户的户主")
    division = forms.ChoiceField(
        label="新户所在的村", error_messages={"required": "请选择村", "invalid_choice": "请从列表选择辖区内的村"}
    )
    address = text("新户住址", "请填写新户的住址", max_length=100, autocomplete="off")
    phone = text("新户电话", "", max_length=20, inputmode="numeric", autocomplete="off")
    new_head = _who("原户的新户主", hint="原户主分出去时选择")


class Join(ChangeForm):
    told, about_relations = ("to",), True
    to = text(
        "并入哪一户", "请填写并入的户编码", hint="并入后这一户注销，成员都到那一户", max_length=24, autocomplete="off"
    )


class Head(ChangeForm):
    told, about_relations = ("head",), True
    head = _who("新户主", "请选择新户主")


class Correction(ChangeForm):
    told = ("person", "name", "id_number")
    person = _who("更正谁的", "请选择要更正的人")
    name = _name("正确的姓名", "")
    id_number = IdentityField("正确的证件号码", required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not data.get("name") and not data.get("id_number") and "id_number" not in self.errors:
            self.add_error("name", "请至少填写姓名和证件号码中的一项")
        return data


FORMS: dict[str, type[ChangeForm]] = {
    Kind.BIRTH: Birth, Kind.DEATH: Death, Kind.MARRIAGE: Marriage, Kind.DIVORCE: Divorce, Kind.ARRIVAL: Newcomer,
    Kind.DEPARTURE: Departure, Kind.MOVE: Move, Kind.SPLIT: Split, Kind.JOIN: Join, Kind.HEAD: Head,
    Kind.IDENTITY: Correction,
}  # fmt: skip
ABOUT = {
    Kind.BIRTH: "新生儿上户，要有证件号码",
    Kind.DEATH: "去世的人不再是成员；户主去世的同时定新户主",
    Kind.MARRIAGE: "登记婚姻状况，配偶可以同时迁入",
    Kind.DIVORCE: "登记婚姻状况，可以同时迁出",
    Kind.ARRIVAL: "从外县或县内另一户来的人",
    Kind.DEPARTURE: "个别成员迁出本县，或到县内另一户",
    Kind.MOVE: "全户搬到另一个村，或迁出本县",
    Kind.SPLIT: "一部分成员另立一户",
    Kind.JOIN: "全户并入另一户，本户注销",
    Kind.HEAD: "换户主，同时改与户主关系",
    Kind.IDENTITY: "姓名、证件号码原来登记错了；涉及账户或待遇的须另一人确认",
    Kind.FACTS: "土地、财产、收入、健康、就学等情况",
}

_LABELS: dict[str, tuple[str, Callable[[str], str]]] = {
    "name": ("姓名", str), "id_number": ("证件号码", mask_identity), "relation": ("与户主关系", str),
    "spouse_name": ("配偶姓名", str), "spouse_number": ("配偶证件号码", mask_identity), "to": ("去哪一户", str),
    "address": ("住址", mask_address), "phone": ("电话", mask_phone), "division": ("村", str),
}  # fmt: skip
_PEOPLE = {
    "person": "本人", "spouse": "配偶", "other": "原配偶", "leaves": "离开的人", "head": "户主", "new_head": "新户主",
    "survivor": "因此丧偶",
}  # fmt: skip


def told_rows(payload: dict[str, Any], names: dict[int, str], places: dict[str, str]) -> Options:
    """What a change says, label by label, for the eye: identity numbers, addresses and phones masked."""
    rows = [(label, names.get(payload[name], "")) for name, label in _PEOPLE.items() if payload.get(name)]
    if isinstance(payload.get("people"), list):
        rows.append(("哪些人", "、".join(names.get(each, "") for each in payload["people"])))
    if payload.get("away"):
        rows.append(("迁到哪里", "迁出本县"))
    for name, (label, shown) in _LABELS.items():
        if value := payload.get(name):
            rows.append((label, "离开本县" if value == "away" else places.get(value, "") or shown(str(value))))
    rows += [(f"{names.get(int(each), '')}与户主关系", word) for each, word in (payload.get("relations") or {}).items()]
    return rows
