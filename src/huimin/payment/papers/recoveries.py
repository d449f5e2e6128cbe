"""追缴通知书: what was paid too much for which months and why, how it comes back, what can be said against it (PAY-06, CASE-11).

in    a recovery that was decided
out   PDF/A-2b with the receipt that comes back; who took it is remembered

Set with the template of letters. Law: S0 附件2 第28条; 行政复议法 第20条.
"""

from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.divisions.queries import chain_names
from huimin.funds.models import SpecialAccount
from huimin.kernel.digests import digest
from huimin.kernel.errors import Refusal
from huimin.kernel.money import in_words, yuan
from huimin.kernel.periods import Period
from huimin.organisation.acting import Actor, reading, record_event
from huimin.organisation.models import Appointment, Office
from huimin.payment.models import Recovery
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import code_of, day_in_words, wrappable
from huimin.payment.recovery_queries import Told, get_recovery
from huimin.payment.recovery_rules import share_of
from huimin.policy.models import Programme
from huimin.registry.models import Membership, Person, PersonFacts

RIGHTS = "对本通知有异议的，可以在收到之日起向作出决定的部门说明情况、提出证据，也可以在六十日内依法申请行政复议。"
HARD_WITHHELD = "一次退还有困难的，可以说明家庭情况，按上面的比例从以后的发放中分期抵扣。抵扣只从同一项目的发放中进行。"
HARD_IN_CASH = "一次退还有困难的，可以向乡镇说明家庭情况，分几次交回；县里没有规定抵扣比例，不从以后的发放中抵扣。"
HARD_HEIRS = "一次退还有困难的，可以向乡镇说明情况，分几次交回。"
NO_FEES = "任何单位和个人不得以本通知抵扣贷款、收取费用。"


TO_HEIRS = "这一户已无人。由村级信息员送交继承人或代办人（保管存折、银行卡的人）签收；找不到的，在送达回证上写明情况，交回乡镇。"
"""Our own choice: no law at hand says whom the letter goes to after the last of a household died."""


class NotDecided(Refusal):
    """There is nothing to tell yet."""


def notice_pdf(*, by: Actor, on: date, number: int, mark: str = "") -> bytes:
    """NotDecided before it was decided; NoFonts."""
    with reading(by):
        letter = letter_of(by, on, get_recovery(number))
        record_event(by, Event.Kind.EXPORTED, f"recovery:{number}", {"paper": "notice"})
    return typeset(
        "notify", {"title": letter["title"], "issuer": by.office_name, "letters": [letter]}, on=on, mark=mark
    )


def letter_of(by: Actor, on: date, told: Told) -> dict[str, Any]:
    """What the paper says; inside `reading(by)`."""
    row = told.row
    if row.state not in (Recovery.State.DECIDED, Recovery.State.SETTLED) or row.decided_on is None:
        raise NotDecided("这一笔还没有审定", why=row.get_state_display(), remedy="请审定后再打印")
    name = Programme.objects.get(code=row.programme).name
    rule = share_of(row.books, row.programme, on)
    steps = [
        f"{Period(each.period_from, each.period_until)}：已发 {yuan(each.paid_fen)} 元，应得 {yuan(each.owed_fen)} 元，多发 {yuan(each.amount_fen)} 元"
        for each in told.parts
    ]  # fmt: skip
    head, last = _head(row, on), ""
    if head is None:
        last, rule = _last_head(row), None
    ways = [_in_cash(row)]
    if rule is not None:
        cut = f"，每期不超过 {yuan(row.instalment_fen)} 元" if row.instalment_fen else ""
        ways.append(
            f"从以后同一项目的发放中抵扣，每次不超过当次应发的 {rule.share_percent}%{cut}（{rule.basis}），其余照发。"
        )
    return {
        "title": "追缴通知书", "number": f"第 {row.pk} 号", "name": wrappable(_addressee(row, head, last)),
        "place": "".join(chain_names(row.division, on)[2:]), "household": row.household.household_no,
        "opening": f"经核实，{wrappable(last) + '户' if last else '您（户）'}的{name}多发 {yuan(row.amount_fen)} 元（{in_words(row.amount_fen)}），"
        f"{day_in_words(row.decided_on)}决定追缴。",
        "parts": [
            ["多发的期间和金额", steps], ["原因", [f"{row.get_ground_display()}。{wrappable(row.decision)}"]], ["怎样退还", ways],
            *([["送达", [TO_HEIRS]]] if head is None else []),
            ["依据", ["《惠民直达工程一线实管理办法》（皖政办〔2008〕23号 附件2）第二十八条：错发补助资金的，采取扣发措施。"]],
        ],
        "rights": RIGHTS + (HARD_HEIRS if head is None else HARD_WITHHELD if rule else HARD_IN_CASH) + NO_FEES, "office": _decider(by, row), "date": day_in_words(on),
        # A township does not see the county's signature: the code is over what the letter says.
        "code": code_of(digest([row.pk, row.amount_fen, row.decided_on, row.decision, steps])),
    }  # fmt: skip


def _decider(by: Actor, row: Recovery) -> str:
    """The department that decided; who prints may be the township."""
    held = Appointment.objects.select_related("office").filter(pk=row.decided_by or 0).first()
    return held.office.name if held else by.office_name


def _in_cash(row: Recovery) -> str:
    """Where to pay, so that whoever holds the letter can go to the counter with it."""
    account = SpecialAccount.objects.filter(division=row.books, kind=SpecialAccount.Kind.SPECIAL).first()
    if account is None:
        return "到代理银行退回惠民资金专户，凭银行回单由乡镇或县财政登记。"
    bank = Office.objects.filter(pk=account.bank_office_id).values_list("name", flat=True).first() or "代理银行"
    return (
        f"到{bank}柜台存入“{account.name}”（账号尾号 {account.account_tail}），用途写“第 {row.pk} 号追缴”，可以分几次；"
        "银行回单交乡镇或县财政登记，打印一份留存。"
    )


def _addressee(row: Recovery, head: Person | None, last: str) -> str:
    """The person; where he died, the head of the household; where nobody is left, his heirs or whoever acts for them."""
    if row.person is not None and row.ground != Recovery.Ground.DEATH:
        return row.person.name
    if head is not None:
        return f"{head.name}（户）"
    return f"{last}（已故）户的继承人或代办人" if last else f"{row.household.household_no} 户的继承人或代办人"


def _head(row: Recovery, on: date) -> Person | None:
    """The living head; in a household without one, whoever lives there."""
    now = Membership.objects.filter(household=row.household_id, recorded_to=None, valid_from__lte=on)
    dead = PersonFacts.objects.filter(recorded_to=None, death_date__isnull=False, person__in=now.values("person"))
    alive = now.exclude(valid_to__lte=on).exclude(person__in=dead.values("person")).select_related("person")
    first = min(alive, key=lambda each: (each.relation != "户主", each.pk), default=None)
    return first.person if first else None


def _last_head(row: Recovery) -> str:
    """Who was the head last; "" where nobody ever was."""
    held = Membership.objects.filter(household=row.household_id, recorded_to=None, relation="户主")
    return held.order_by("-valid_from").values_list("person__name", flat=True).first() or ""
