"""Forms of duplicates: why two are not one person, what a village is asked and answers, which record stays (REG-04)."""

from dataclasses import dataclass
from typing import Any

from django import forms

from huimin.duplicates.comparing import ABSORBED, SURVIVOR, Field, Side
from huimin.duplicates.merging import Wish
from huimin.duplicates.models import Inquiry
from huimin.registry.models import Membership
from huimin.workbench.forms import DeskForm, text


class Dismissal(DeskForm):
    judgement = text("不是同一人的理由", "请写明为什么不是同一人", hint="以后查重不再列出这一对", max_length=200)


class Question(DeskForm):
    question = text("请村里核查", "请写明要村里核查什么", hint="两份档案所在的村各收到一件", max_length=200)


class Answer(DeskForm):
    answer = forms.ChoiceField(
        label="核查结果", choices=Inquiry.Answer.choices, widget=forms.RadioSelect,
        error_messages={"required": "请选择核查结果", "invalid_choice": "请选择核查结果"},
    )  # fmt: skip
    note = text("核查情况", "请写明怎样核查的", hint="看了什么证件、问了谁；不写证件号码", rows=3, max_length=200)


class Refusal(DeskForm):
    refusal = text("不予并档的原因", "请写明不予并档的原因", hint="提出的人会看到", max_length=200)


class Separation(DeskForm):
    reason = text("为什么要拆分", "请写明为什么不是同一人", max_length=200)


class MergeForm(DeskForm):
    """Whose value stays for each field that differs, who is head where one leaves, and the evidence."""

    reason = text(
        "为什么是同一人", "请写明核实的证件和经过", hint="看了什么证件、谁核实的；不写证件号码", max_length=200
    )

    def __init__(self, *args: Any, fields_told: list[Field], leaving: list["Leaving"], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told = fields_told
        self.leaving = {each.household: each for each in leaving}

    def rows(self) -> list[tuple[Field, str]]:
        """Each field, and whose value is chosen now."""
        return [(each, self.chosen(each)) for each in self.told]

    def chosen(self, field: Field) -> str:
        found = self.data.get(f"choice-{field.code}", "") if self.is_bound else ""
        return str(found) if found in (SURVIVOR, ABSORBED) else "" if self.is_bound else field.default

    def wish(self, survivor: int, absorbed: int) -> Wish:
        choices = {each.code: self.chosen(each) for each in self.told if each.choosable and self.chosen(each)}
        named = {str(number): self.named(number) for number in self.leaving}
        heads = {number: int(value) for number, value in named.items() if value.isascii() and value.isdigit()}
        return Wish(survivor, absorbed, choices, heads, self.cleaned_data["reason"])

    def head_rows(self) -> list[tuple["Leaving", str]]:
        """Each household that may lose its head, and who is chosen."""
        return [(each, self.named(number)) for number, each in self.leaving.items()]

    def named(self, household: int) -> str:
        return str(self.data.get(f"head-{household}", "")) if self.is_bound else ""


@dataclass(frozen=True)
class Leaving:
    """A household whose head is one of the two, and who else could be head."""

    household: int
    number: str
    others: list[tuple[int, str]]


def leaving_of(*sides: Side) -> list[Leaving]:
    """Households that a merge may leave without their head; inside `reading(by)`."""
    return [found for side in sides if (found := _left_without_head(side))]


def _left_without_head(side: Side) -> Leaving | None:
    row = side.membership
    if row is None or row.relation != "户主":
        return None
    present = Membership.objects.filter(household=row.household_id, recorded_to=None, valid_to=None)
    others = present.exclude(person=side.person).select_related("person").order_by("person__birth_date")
    named = [(each.person_id, f"{each.person.name}（{each.relation}）") for each in others[:50]]
    return Leaving(row.household_id, row.household.household_no, named) if named else None
