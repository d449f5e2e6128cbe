"""The steps a roster or batch takes from here, as a page offers them: who may, in which state, and what to check first.

One table each for rosters and batches. A step is offered when post, office and state fit; the command itself decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from huimin.notices.models import Notice, Objection
from huimin.organisation.acting import Actor, may
from huimin.organisation.posts import Post
from huimin.organisation.queries import business_date, list_holders
from huimin.payment import commands
from huimin.payment.commands.checks import demanded_of, standing
from huimin.payment.models import Batch, Roster, RosterFinding
from huimin.payment.queries import STEPS

WAYS: dict[type, tuple[str, ...]] = {
    Roster: STEPS,
    Batch: (Batch.State.PREPARED, Batch.State.RELEASED, Batch.State.WRITTEN, Batch.State.ANSWERED),
}
"""The states in their order: what lies before a step is not there yet, what lies behind it is done."""


@dataclass(frozen=True)
class Step:
    """`ask` heads the page before the act, `button` names the act, `done` and `then` tell what came of it.

    `missing` says why it does not fit; `waits` what it waits for, or who does it instead of who asks.
    """

    key: str
    act: Callable[..., Any]
    states: tuple[str, ...]
    ask: str
    button: str
    done: str
    then: str
    effect: str
    fits: Callable[[Any], bool] = lambda _: True
    missing: str = "现在不能办这一步"
    waits: Callable[[Actor, Any], str] = lambda _by, _subject: ""
    warning: bool = False
    of_programme: bool = False

    def offered(self, by: Actor, subject: Any) -> bool:
        mine = not self.of_programme or subject.programme in by.programmes
        return mine and subject.state in self.states and may(by, self.act) and self.fits(subject)

    def hindrance(self, by: Actor, subject: Any) -> str:
        """Why it cannot be done here and now, for the page before the act; nothing where it can."""
        if subject.state not in self.states:
            return self._not_now(subject)
        if not may(by, self.act):
            return f"这一步由{'、'.join(Post(post).label for post in sorted(self.act.posts))}办理。"  # type: ignore[attr-defined]
        if self.of_programme and subject.programme not in by.programmes:
            return "这个项目由它的主管部门核定。"
        return self.waits(by, subject) if self.fits(subject) else self.missing + "。"

    def _not_now(self, subject: Any) -> str:
        what = "清册" if isinstance(subject, Roster) else "批次"
        way = WAYS[type(subject)]
        early = subject.state in way and way.index(subject.state) < min(way.index(state) for state in self.states)
        why = "还没有到这一步" if early else "不能再办这一步，可能已有人办理"
        return f"{what}现在是“{subject.get_state_display()}”，{why}。"


def _money_there(roster: Roster) -> bool:
    """A base roster's money was transferred; a reissue's money never left."""
    if roster.batches.exclude(state__in=[Batch.State.CANCELLED, Batch.State.REJECTED]).exists():
        return False
    transferred = roster.application is not None and roster.application.state == "transferred"
    return transferred or roster.kind == Roster.Kind.REISSUE


def _check_due(roster: Roster) -> bool:
    """The bank's setting demands checks, and some account of the roster was never asked about."""
    setting = demanded_of(roster, business_date())
    return setting is not None and _money_there(roster) and standing(roster, setting.bank_office_id)[0] > 0


def _returned(roster: Roster) -> bool:
    return roster.lines.filter(state="returned").exists()


def _doubts(_: Actor, roster: Roster) -> str:
    waiting = roster.findings.filter(state=RosterFinding.State.OPEN).count()
    return f"核对事项还有 {waiting} 件没有处理，处理后才能公示。" if waiting else ""


def _running(_: Actor, roster: Roster) -> str:
    """Objections without an answer, or the days of the notice that are not over."""
    notices = Notice.objects.filter(subject=f"roster:{roster.pk}").exclude(state=Notice.State.WITHDRAWN)
    if waiting := Objection.objects.filter(notice__in=notices, state=Objection.State.OPEN).count():
        return f"还有 {waiting} 件异议没有答复，答复后才能签批。"
    last = notices.order_by("-ends_on").first()
    if last is not None and last.may_end_on > business_date():
        return f"公示到 {last.ends_on} 止，{last.may_end_on} 起可以签批。"
    return ""


def _mine(by: Actor, batch: Batch) -> str:
    """Who releases what `by` prepared: his colleagues of the same post."""
    if batch.prepared_by != by.appointment:
        return ""
    others = [
        each.account.full_name
        for each in list_holders(by, by.office, business_date())
        if each.post in commands.release_batch.posts and each.pk != by.appointment  # type: ignore[attr-defined]
    ]
    who = f"请{by.office_name}的{'、'.join(others)}放行" if others else "请另一位复核放行岗放行，现在没有别人任这个岗位"
    return f"这个批次是您编制的，不能由您放行。{who}。"


ROSTER_STEPS = (
    Step(
        "recheck", commands.check_roster, (Roster.State.COMPILED,), "重新核对这份清册？", "重新核对", "已重新核对",
        "查出的事项在清册的核对事项里。", "按今天登记的情况再查一遍：死亡、离开、重复、互斥、账户、与上期的差额。",
    ),
    Step(
        "publish", commands.publish_roster, (Roster.State.COMPILED,), "公示这份清册？", "公示 7 天", "已公示",
        "每个村一份，期满且异议都已答复后由乡镇负责人签批。", "姓名隐去中间，不公示号码；公示后清册不能改，只能撤回重编。",
        waits=_doubts,
    ),
    Step(
        "sign", commands.sign_roster, (Roster.State.PUBLISHED,), "公示期满，签批这份清册？", "签批", "已签批",
        "已转县主管部门核定。", "公示随之结束；异议成立的行缓发。签名落在清册摘要上。", waits=_running,
    ),
    Step(
        "department", commands.confirm_by_department, (Roster.State.SIGNED,), "核定这份清册？", "部门核定", "部门已核定",
        "已转县财政局核定。", "签名落在清册摘要上。", of_programme=True,
    ),
    Step(
        "finance", commands.confirm_by_finance, (Roster.State.DEPARTMENT_CONFIRMED,), "核定这份清册？", "财政核定",
        "财政已核定", "由乡镇财务结算员提出拨款申请。", "签名落在清册摘要上。",
    ),
    Step(
        "funds", commands.apply_for_funds, (Roster.State.CONFIRMED,), "提出拨款申请？", "提出拨款申请", "已提出拨款申请",
        "等县财政局核对指标并拨付。", "按清册中可发放的行申请，缓发的不算。", fits=lambda roster: not roster.has_asked,
        missing="这份清册已经提出拨款申请",
    ),
    Step(
        "check", commands.ask_name_check, (Roster.State.CONFIRMED, Roster.State.FUNDED), "送户名核验？", "送户名核验",
        "已编制户名核验", "由财政复核放行岗写出文件送银行；收到结果以后编制批次。", "只送新的、变更过的账户；不动钱。", fits=_check_due,
        missing="账户都核验过，或这家银行不要求核验、资金还没有到专户",
    ),
    Step(
        "prepare", commands.prepare_batch, (Roster.State.CONFIRMED, Roster.State.FUNDED), "编制银行批次？", "编制批次",
        "已编制批次", "由另一个人复核放行。", "编制后清册和账户都不能再变；放行前可以撤销。", fits=_money_there,
        missing="资金还没有到专户，或这份清册已经有批次",
    ),
    Step(
        "reissue", commands.reissue_returned, (Roster.State.SENT,), "重发退汇的行？", "编制重发清册", "已编制重发清册",
        "接着编制批次，由另一个人放行。", "只包括账户已更正并审核的行；每一笔应发仍然只发一次。", fits=_returned,
        missing="没有银行退回的行",
    ),
    Step(
        "withdraw", commands.withdraw_roster, (Roster.State.COMPILED, Roster.State.PUBLISHED), "撤回这份清册？", "撤回清册",
        "已撤回", "里面的应发可以重新编入清册。", "已张贴的公示一并撤下。", warning=True,
    ),
)  # fmt: skip

BATCH_STEPS = (
    Step(
        "release", commands.release_batch, (Batch.State.PREPARED,), "放行这个批次？", "放行", "已放行",
        "可以下载银行文件；银行须在 5 个工作日内回盘。", "放行后钱就要付出，不能收回。编制的人不能放行。签名落在批次摘要上。",
        waits=_mine,
    ),
    Step(
        "cancel", commands.cancel_batch, (Batch.State.PREPARED,), "撤销这个批次？", "撤销批次", "已撤销",
        "可以重新编制。", "还没有放行，没有付出任何钱。", warning=True,
    ),
)  # fmt: skip


def offered(steps: tuple[Step, ...], by: Actor, subject: Any) -> list[Step]:
    return [step for step in steps if step.offered(by, subject)]


def find_step(steps: tuple[Step, ...], key: str) -> Step | None:
    return next((step for step in steps if step.key == key), None)


def posts_of(steps: tuple[Step, ...]) -> frozenset[str]:
    """Every post that takes any of the steps: who may open the pages before an act."""
    return frozenset().union(*(step.act.posts for step in steps))  # type: ignore[attr-defined]
