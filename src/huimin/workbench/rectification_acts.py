"""The acts the pages of a campaign and of an item offer, and what each asks for (CASE-10).

One table each: an act has a title, a button, a form of its own (or none), and runs one command of room rectification. Whether
it fits is settled here as the page shows it, by the command when it is done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.forms import Form

from huimin.organisation.acting import Actor, may
from huimin.rectification import checking, finding, planning
from huimin.rectification.finding import Finding
from huimin.rectification.models import Campaign, CheckDraw, Item, Pick
from huimin.workbench import rectification_forms as forms

OPEN, PLANNED = Campaign.State.OPEN, Campaign.State.PLANNED


@dataclass(frozen=True)
class Seen:
    """A campaign, or one of its items, as its page has it: who looks, when, the draw, the pick (at the county)."""

    by: Actor
    on: date
    campaign: Campaign
    draw: CheckDraw | None = None
    item: Item | None = None
    pick: Pick | None = None

    @property
    def its(self) -> Item:
        assert self.item is not None
        return self.item

    @property
    def open(self) -> bool:
        return self.campaign.state == OPEN


@dataclass(frozen=True)
class Act:
    """`effect` stands above the button; `warning` colours it."""

    key: str
    title: str
    button: str
    fits: Callable[[Seen], bool]
    form: Callable[[Seen, Any], Form | None]
    run: Callable[[Seen, dict[str, Any]], Any]
    done: str
    effect: str = ""
    warning: bool = False


def offered(acts: dict[str, Act], told: Seen) -> list[Act]:
    return [act for act in acts.values() if act.fits(told)]


def _nothing(told: Seen, data: Any) -> None:
    return None


def _common(told: Seen) -> dict[str, Any]:
    return {"by": told.by, "on": told.on, "campaign_id": told.campaign.pk}


def _inside(told: Seen) -> bool:
    """Whether the campaign is of the acting place, not of one above it."""
    return told.campaign.division.startswith(told.by.prefix)


def _may_type(told: Seen) -> bool:
    draw = told.draw
    waits = draw is not None and draw.state == CheckDraw.State.FROZEN and told.on >= draw.event_on
    return told.open and waits and may(told.by, checking.type_number) and _inside(told)


def _first(told: Seen) -> bool:
    """Whether who looks typed the number first, and may type it again."""
    return told.draw is not None and told.draw.first_account == told.by.account


def _type(told: Seen, data: dict[str, Any]) -> Any:
    typed = checking.retype_number if _first(told) else checking.type_number
    return typed(**_common(told), number=data["number"])


def _postpone(told: Seen, data: dict[str, Any]) -> Any:
    return planning.postpone_phase(**_common(told), **data | {"number": int(data["number"])})


ACTS = {
    act.key: act
    for act in (
        Act(
            "open", "启动专项整治？", "启动", lambda told: told.campaign.state == PLANNED and may(told.by, planning.open_campaign), _nothing,
            lambda told, data: planning.open_campaign(**_common(told)), "已启动，名单已冻结",
            "把现在享受的全部对象和系统筛查应进未进的户冻结成名单，标出疑点；启动后项目、范围和名单不能再改。须由制定方案以外的人启动。",
        ),
        Act(
            "draw", "冻结抽查名单", "冻结名单",
            lambda told: told.open and told.draw is None and may(told.by, checking.freeze_draw) and _inside(told),
            lambda told, data: forms.FreezeDraw(data),
            lambda told, data: checking.freeze_draw(**_common(told), **data), "已冻结抽查名单",
            "名单先冻结，再用以后公布的号码抽签，谁也不能事先知道抽中谁；备案的近亲属 100% 抽查。",
        ),
        Act(
            "number", "录入公布的号码", "录入", _may_type, lambda told, data: forms.TypeNumber(data), _type, "已录入号码",
            "两人各录一遍，一致了就按公布的规则抽出，任何人都可以重算。",
        ),
        Act(
            "postpone", "延长一个阶段", "延长",
            lambda told: told.campaign.state in (OPEN, PLANNED) and may(told.by, planning.postpone_phase) and _inside(told),
            lambda told, data: forms.Postpone(data), _postpone, "已延长", "下一阶段需要时顺延开始。",
        ),
        Act(
            "close", "结束专项整治？", "结束", lambda told: told.open and may(told.by, planning.close_campaign) and _inside(told),
            lambda told, data: forms.Close(data), lambda told, data: planning.close_campaign(**_common(told), **data), "专项整治已结束",
            "每一户都有复核过的结果、抽中的都抽查一致才能结束；结束后不能再改，由您签名。", True,
        ),
    )
}  # fmt: skip


# On one item.


def results_of(item: Item) -> list[tuple[str, str]]:
    """The results its origin allows, in words."""
    fits = finding.HELD_RESULTS if item.origin == Item.Origin.HELD else finding.MISSED_RESULTS
    return [(result.value, result.label) for result in fits]


def _result_form(told: Seen, data: Any) -> Form:
    item = told.its
    before = {"result": item.result, "grounds": item.grounds, "evidence": item.evidence} if item.result else {}
    return forms.Result(data, results=results_of(item), initial=before)


def _result(told: Seen, data: dict[str, Any]) -> Any:
    found = Finding(data["result"], data["grounds"], data["evidence"], data.get("to_fen"))
    return finding.record_result(by=told.by, on=told.on, item_id=told.its.pk, finding=found)


def _checkable(told: Seen) -> bool:
    ready = told.pick is not None and told.its.state == Item.State.REVIEWED
    done = ready and any(check.round == told.its.round for check in told.pick.checks.all())  # type: ignore[union-attr]
    return told.open and ready and not done and may(told.by, checking.record_check)


def _check(told: Seen, data: dict[str, Any]) -> Any:
    agreed = data["agreed"] == "yes"
    return checking.record_check(by=told.by, on=told.on, item_id=told.its.pk, agreed=agreed, words=data["words"])


ITEM_ACTS = {
    act.key: act
    for act in (
        Act(
            "result", "登记核查结果", "登记结果",
            lambda told: told.open and told.its.state != Item.State.REVIEWED and may(told.by, finding.record_result), _result_form, _result,
            "已登记核查结果", "须有双方签字的入户核查；由另一人复核。结果由系统的建议、变更和申请去执行，这里不改待遇。",
        ),
        Act(
            "review", "同意这个结果？", "复核同意",
            lambda told: told.open and told.its.state == Item.State.FOUND and may(told.by, finding.review_results), _nothing,
            lambda told, data: finding.review_results(by=told.by, on=told.on, items=[told.its.pk]), "已复核",
            "签名落在结果、理由、凭据和入户核查的摘要上；登记的人不能复核。",
        ),
        Act(
            "return", "退回重查", "退回重查",
            lambda told: told.open and told.its.state != Item.State.OPEN and may(told.by, finding.return_result),
            lambda told, data: forms.Return(data),
            lambda told, data: finding.return_result(by=told.by, on=told.on, item_id=told.its.pk, **data), "已退回重查",
            "要重新入户核查，原来的记录保留。", True,
        ),
        Act("check", "登记县级抽查", "登记抽查", _checkable, lambda told, data: forms.Check(data), _check, "已登记抽查",
            "须有县里的人双方签字的入户记录；不一致的退回乡镇重查。"),
    )
}  # fmt: skip
