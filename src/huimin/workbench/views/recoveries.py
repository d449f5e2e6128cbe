"""What was paid too much (追缴): the list, finding, deciding one or many, telling, receipts, write-offs, the share, E05 (PAY-06)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.money import yuan
from huimin.kernel.periods import Period
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.payment import commands
from huimin.payment.models import Recovery, RecoveryReceipt, RecoveryWriteOff
from huimin.payment.papers.recoveries import notice_pdf
from huimin.payment.queries import list_signatures
from huimin.payment.recovery_queries import (
    RecoveryFilter,
    count_waiting,
    get_recovery,
    iterate_recoveries,
    list_rules,
    list_waiting_by_two,
    page_recoveries,
    total_recoveries,
)
from huimin.payment.recovery_rules import propose_share, settle_share, share_of
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench import recovery_forms as forms
from huimin.workbench.acts import Outcome
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, require_seen, seen_of
from huimin.workbench.recovery_acts import ACTS, POSTS, offered
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.reliefs import _answer as answer_form

PRINTERS = frozenset({Post.CLERK, Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER})
"""Who brings the letter, or wrote it."""
TONES = {"proposed": "soon", "decided": "late", "settled": "done", "refused": "plain"}
TWO = {
    "receipt": (RecoveryReceipt, commands.settle_receipt, "交款"),
    "write-off": (RecoveryWriteOff, commands.settle_write_off, "核销"),
}


@require_safe
@page(guard.PAYERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Recoveries of one's place, newest first, with what is left of each."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        names = seen_of(by, programme_names())
        place = chosen_place(request)
        wanted = RecoveryFilter(
            place.prefix, one_of(request.GET, "state", Recovery.State.values), one_of(request.GET, "programme", names),
            one_of(request.GET, "ground", Recovery.Ground.values), programmes_seen(by),
        )  # fmt: skip
        found = None if whole else page_recoveries(wanted, request.GET.get("at", ""))
        rows = list(iterate_recoveries(wanted)) if found is None else found.rows
        places = names_of({row.division for row in rows}, on) if len(rows) <= 2000 else {}
        return Listing(
            "追缴", "已发多于应得的，由部门查出、审定，送达通知书，从以后同一项目的发放中按比例抵扣，或退回专户；追不回的凭文件核销。", "recoveries",
            [Head("编号", paper=16), Head("户编码", paper=40), Head("对象", paper=20), Head("补贴项目"), Head("原因", paper=30), Head("多发（元）", "fen", 22),
             Head("已抵扣（元）", "fen", 22), Head("已退回（元）", "fen", 22), Head("已核销（元）", "fen", 22), Head("还差（元）", "fen", 22), Head("状态", paper=22)],
            [_row(row, names, places) for row in rows], "没有追缴。部门经办点“查多发”，把已发多于应得的查出来。", page=found, across=True,
            figures=[(f"{each.state.label}，还差 ¥{yuan(each.outstanding_fen)}" if each.state == "decided" else f"{each.state.label} ¥{yuan(each.amount_fen)}",
                      f"{each.count:,}", "late" if each.state == "decided" and each.outstanding_fen else "")
                     for each in total_recoveries(wanted)],
            filters=[Filter("state", "状态", Recovery.State.choices, wanted.state), Filter("ground", "原因", Recovery.Ground.choices, wanted.ground),
                     Filter("programme", "补贴项目", sorted(names.items()), wanted.programme), Filter("place", "地方", place.options, place.code)],
            acts=_acts(by, wanted), nav=nav("recoveries"), seats=["填表人", "负责人", "日期"],
        )  # fmt: skip

    return answer_listing(request, build)


def nav(current: str) -> list[tuple[str, str, bool]]:
    found = [("recoveries", "追缴"), ("recovery-waiting", "待复核"), ("recovery-shares", "抵扣比例")]
    return [(label, reverse(route), route == current) for route, label in found]


def _acts(by: Actor, wanted: RecoveryFilter) -> list[tuple[str, str]]:
    found = []
    if may(by, commands.propose_recoveries):
        found.append(("查多发", reverse("recovery-find")))
    if may(by, commands.decide_recoveries) and count_waiting(by.prefix, wanted.programmes, by.appointment)[0]:
        found.append(("审定待审定的", reverse("recovery-decide")))
    return found


def _row(row: Recovery, names: dict[str, str], places: dict[str, str]) -> list[Any]:
    told = "" if row.state != Recovery.State.DECIDED or row.told_on else "未送达"
    return [
        Cell(f"第 {row.pk} 号", reverse("recovery", args=[row.pk])), Cell(row.household.household_no, sub=places.get(row.division, "")),
        row.person.name if row.person else "全户", names.get(row.programme, row.programme), row.get_ground_display(), row.amount_fen,
        row.withheld_fen, row.repaid_fen, row.written_off_fen, 0 if row.state == Recovery.State.REFUSED else row.outstanding_fen,
        Cell(row.get_state_display(), tone=TONES[row.state], sub=told),
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.propose_recoveries.posts))  # type: ignore[attr-defined]
def find(request: Any) -> HttpResponse:
    """Look for everybody who was paid more than is owed, under one programme."""
    by, on = request.actor, request.business_date
    with reading(by):
        names = seen_of(by, programme_names())
    form = forms.FindForm(request.POST or None, names=names)

    def act() -> Outcome:
        programme = form.cleaned_data["programme"]
        made = commands.propose_recoveries(by=by, on=on, programme=programme)
        what = f"{names[programme]}：查出多发 {made:,} 户（人）" if made else f"{names[programme]}：没有新的多发"
        return Outcome(what, reverse("recoveries") + "?state=proposed", "由部门审批人审定。" if made else "")

    lead = "按现在的待遇、去世登记和追溯的决定，重算每一期应得多少；已发多于应得的列出来待审定。再查一次不会重复。"
    context = {
        "section": "recoveries",
        "title": "查多发",
        "lead": lead,
        "button": "查一遍",
        "back": reverse("recoveries"),
    }
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.decide_recoveries.posts))  # type: ignore[attr-defined]
def decide(request: Any) -> HttpResponse:
    """Everything of one's programmes that somebody else proposed, at one stroke."""
    by, on = request.actor, request.business_date
    with reading(by):
        rows = RecoveryFilter(by.prefix, Recovery.State.PROPOSED, programmes=programmes_seen(by)).rows()
        waiting = list(rows.exclude(proposed_by=by.appointment).order_by("pk")[: commands.recoveries.MANY_MAX])
    if not waiting:
        return redirect("recoveries")
    form = forms.ManyForm(request.POST or None)

    def act() -> Outcome:
        count = commands.decide_recoveries(
            by=by, on=on, numbers=[row.pk for row in waiting], agreed=form.cleaned_data["outcome"] == "agree", reason=form.cleaned_data["reason"]
        )  # fmt: skip
        return Outcome(f"已审定 {count:,} 件", reverse("recoveries"), "同意追缴的，逐户打印通知书送达。")

    total = yuan(sum(row.amount_fen for row in waiting))
    lead = f"待审定 {len(waiting):,} 件，共 {total} 元。要逐户看的，从清单里点编号。"
    context = {
        "section": "recoveries", "title": "审定追缴", "lead": lead, "button": "签名，全部审定", "warning": True, "back": reverse("recoveries"),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_safe
@page(guard.PAYERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One recovery: which steps, why, how it comes back, what may be done here."""
    told = get_recovery(number)
    row = told.row
    require_seen(request.actor, row.programme)
    paid = told.paid_for()
    context = {
        "section": "recoveries", "told": told, "row": row, "tone": TONES[row.state],
        "programme": programme_names().get(row.programme, row.programme), "trail": chain_names(row.division, request.business_date),
        "parts": [(each, str(Period(each.period_from, each.period_until)), paid.get(each.period_from)) for each in told.parts],
        "rule": share_of(row.books, row.programme, request.business_date),
        "vouchers": told.vouchers() if request.actor.post in guard.BOOKKEEPERS else [],
        "signatures": list_signatures(f"recovery:{row.pk}"), "offered": offered(request.actor, told),
        "printable": request.actor.post in PRINTERS and row.state in (Recovery.State.DECIDED, Recovery.State.SETTLED),
        "may_receipt": may(request.actor, commands.settle_receipt), "may_write_off": may(request.actor, commands.settle_write_off),
    }  # fmt: skip
    return render(request, "workbench/recovery.html", context)


@require_http_methods(["GET", "POST"])
@page(POSTS)
def act(request: Any, number: int, key: str) -> HttpResponse:
    """One act on one recovery, on a page of its own."""
    by, on = request.actor, request.business_date
    chosen = ACTS.get(key)
    if chosen is None or not may(by, chosen.command):
        raise Http404
    with reading(by):
        told = get_recovery(number)
        require_seen(by, told.row.programme)
        trail = chain_names(told.row.division, on)
    form = chosen.form(request.POST or None)

    def done() -> Outcome:
        chosen.run(by, on, told.row, form.cleaned_data)
        return Outcome(chosen.done, reverse("recovery", args=[number]), chosen.then)

    row = told.row
    lead = f"{row.household.household_no}，{row.get_ground_display()}，多发 {yuan(row.amount_fen)} 元，还差 {yuan(row.outstanding_fen)} 元。{chosen.effect}"
    context = {
        "section": "recoveries", "title": chosen.title, "lead": lead, "button": chosen.button, "trail": trail,
        "back": reverse("recovery", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, done, "workbench/field_form.html", context)  # type: ignore[arg-type]


@require_safe
@page(PRINTERS, reads=False)
def paper(request: Any, number: int) -> HttpResponse:
    """追缴通知书."""
    with reading(request.actor):
        require_seen(request.actor, get_recovery(number).row.programme)
    made = notice_pdf(by=request.actor, on=request.business_date, number=number, mark=printed_by(request, "送达"))
    return pdf_answer(made, f"追缴通知书{number}")


# What a second person confirms.


@require_safe
@page(guard.PAYERS, reads=False)
def waiting(request: Any) -> HttpResponse:
    """Receipts and write-offs that wait for the second person."""
    by = request.actor

    def build(_: bool) -> Listing:
        rows = []
        for key, (model, command, label) in TWO.items():
            for each in list_waiting_by_two(by.prefix, model):
                paper_no = each.bank_serial if isinstance(each, RecoveryReceipt) else each.document_no
                there = (
                    Cell("复核", reverse("recovery-settle", args=[key, each.pk])) if may(by, command) else "待财政复核"
                )
                rows.append([
                    label, Cell(f"第 {each.recovery_id} 号", reverse("recovery", args=[each.recovery_id])), each.recovery.household.household_no,
                    paper_no, each.amount_fen, each.proposed_on, there,
                ])  # fmt: skip
        return Listing(
            "待复核的交款和核销", "交款由会计或财政复核人员对照银行回单复核，核销由财政复核人员对照批准文件复核；复核后记账。", "recoveries",
            [Head("种类", paper=18), Head("追缴", paper=22), Head("户编码", paper=40), Head("回单或文号"), Head("金额（元）", "fen", 26), Head("登记", "date", 24), Head("复核", paper=-1)],
            rows, "没有等着复核的。", nav=nav("recovery-waiting"),
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.settle_receipt.posts | commands.settle_write_off.posts))  # type: ignore[attr-defined]
def settle(request: Any, key: str, number: int) -> HttpResponse:
    """The second person's word on a receipt or a write-off."""
    by, on = request.actor, request.business_date
    if key not in TWO or not may(by, TWO[key][1]):
        raise Http404
    model, command, label = TWO[key]
    with reading(by):
        row: RecoveryReceipt | RecoveryWriteOff = model.objects.select_related("recovery__household").get(pk=number)
        who = Appointment.objects.select_related("account").get(pk=row.proposed_by).account.full_name
    form = forms.SettleForm(request.POST or None)

    def done() -> Outcome:
        agreed = form.cleaned_data["outcome"] == "agree"
        command(by=by, on=on, number=number, agreed=agreed, refusal=form.cleaned_data["refusal"])
        return Outcome("已复核，已记账" if agreed else "已退回", reverse("recovery", args=[row.recovery_id]))

    what = (
        f"银行流水号 {row.bank_serial}，{row.paid_on} 交款"
        if isinstance(row, RecoveryReceipt)
        else f"{row.document_no}：{row.reason}"
    )
    lead = f"{row.recovery.household.household_no}，{label} {yuan(row.amount_fen)} 元；{what}。{who} {row.proposed_on} 登记。"
    context = {
        "section": "recoveries",
        "title": f"复核{label}",
        "lead": lead,
        "button": "签名，复核",
        "back": reverse("recovery-waiting"),
    }
    return answer_form(request, form, done, "workbench/field_form.html", context)


# The share.


@require_safe
@page(guard.PAYERS, reads=False)
def shares(request: Any) -> HttpResponse:
    """What may be withheld, and on which paper it rests."""
    by = request.actor

    def build(_: bool) -> Listing:
        names = programme_names()
        rows = [
            [
                names.get(row.programme, "所有项目"), row.share_percent, row.basis, row.settled_on,
                Cell("待复核，去复核", reverse("recovery-share-settle", args=[row.pk])) if row.state == "proposed" and may(by, settle_share)
                else Cell(row.get_state_display(), tone={"confirmed": "done", "proposed": "soon"}.get(row.state, "plain"), sub=row.refusal),
            ]
            for row in list_rules(by.prefix)
        ]  # fmt: skip
        return Listing(
            "抵扣比例", "皖政办〔2008〕23号附件2第28条规定错发的采取扣发措施，没有规定比例；由县里发文确定，两人办理。没有确定的不抵扣。最高一半，其余留给这一户生活。", "recoveries",
            [Head("项目"), Head("每次最多（%）", "count", 26), Head("依据"), Head("生效", "date", 24), Head("状态", paper=24)], rows,
            "县里还没有确定比例，追缴只收交款，不从发放中抵扣。", nav=nav("recovery-shares"), totals=False, of_people=False,
            acts=[("提出比例", reverse("recovery-share-new"))] if may(by, propose_share) else [],
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_share.posts))  # type: ignore[attr-defined]
def share_new(request: Any) -> HttpResponse:
    form = forms.ShareForm(request.POST or None)

    def done() -> Outcome:
        propose_share(
            by=request.actor,
            on=request.business_date,
            share_percent=form.cleaned_data["share"],
            basis=form.cleaned_data["basis"],
        )
        return Outcome("已提出", reverse("recovery-shares"), "由另一人复核后生效。")

    context = {
        "section": "recoveries",
        "title": "提出抵扣比例",
        "lead": "对所有项目，新的代替旧的。",
        "button": "提出",
        "back": reverse("recovery-shares"),
    }
    return answer_form(request, form, done, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(settle_share.posts))  # type: ignore[attr-defined]
def share_settle(request: Any, number: int) -> HttpResponse:
    by = request.actor
    with reading(by):
        found = next((row for row in list_rules(by.prefix) if row.pk == number), None)
    if found is None:
        raise Http404
    form = forms.SettleForm(request.POST or None)

    def done() -> Outcome:
        agreed = form.cleaned_data["outcome"] == "agree"
        settle_share(
            by=by, on=request.business_date, number=number, agreed=agreed, refusal=form.cleaned_data["refusal"]
        )
        return Outcome("已生效" if agreed else "已退回", reverse("recovery-shares"))

    lead = f"每次最多抵扣当次应发的 {found.share_percent}%，依据 {found.basis}。"
    context = {
        "section": "recoveries",
        "title": "复核抵扣比例",
        "lead": lead,
        "button": "签名，复核",
        "back": reverse("recovery-shares"),
    }
    return answer_form(request, form, done, "workbench/field_form.html", context)
