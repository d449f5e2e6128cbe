"""Acts on monthly comparisons, each on a page of its own: compare, explain, sign, give back, sign for the county (VER-04)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from huimin.comparison import commands, queries
from huimin.comparison.models import Comparison, ComparisonDifference, CountySigning
from huimin.comparison.queries import DifferenceFilter
from huimin.kernel.errors import Refusal
from huimin.kernel.money import yuan
from huimin.organisation.acting import AlreadyDone, reading
from huimin.workbench.acts import Outcome
from huimin.workbench.field_forms import pick
from huimin.workbench.forms import DeskForm, text
from huimin.workbench.guard import page
from huimin.workbench.listing import ids_of, one_of
from huimin.workbench.views.comparisons import SECTION, month_name, month_of, months_shown, reader
from huimin.workbench.views.reliefs import _answer as answer_form

FORM = "workbench/field_form.html"
Kind = ComparisonDifference.Kind


class OfMonth(DeskForm):
    month = pick("月份", [])

    def __init__(self, *args: Any, months: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["month"].choices = [("", "请选择"), *months]  # type: ignore[attr-defined]


class Explain(DeskForm):
    explanation = text("说明", "请填写说明", hint="原因，怎样处理；4 至 200 个字", rows=3, max_length=200)


class SendBack(DeskForm):
    reason = text("原因", "请填写退回的原因", hint="要乡镇补充什么", rows=3, max_length=200)


class CountyNote(DeskForm):
    note = text("意见", "", hint="可不填", rows=3, max_length=300)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.compare_month.posts))  # type: ignore[attr-defined]
def new(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        month = month_of(request.GET, on, queries.last_due_month(by.prefix, on))
    form = OfMonth(request.POST or None, months=months_shown(on), initial={"month": f"{month:%Y-%m}"})

    def run() -> Outcome:
        asked = month_of({"month": form.cleaned_data["month"]}, on, month)
        made = commands.compare_month(by=by, on=on, division=by.division, month=asked)
        what = f"{month_name(asked)}核对：{made.beneficiaries:,} 个发放对象，差异 {made.differences_count:,} 笔"
        then = "请逐笔说明差异，再由乡镇负责人签字。" if made.differences_count else "没有差异，请乡镇负责人签字。"
        if made.state == Comparison.State.SIGNED:
            then = "三方的数据没有变，仍是已签字的那一份。"
        return Outcome(what, reverse("comparison", args=[made.pk]), then)

    context = {
        "section": SECTION, "title": "逐户逐人核对", "button": "核对", "back": reverse("comparisons"),
        "lead": "把这个月的系统审批、财政清册、银行代发明细逐户逐人核对。再核对一次，没有变的差异保留原来的说明。",
    }  # fmt: skip
    return answer_form(request, form, run, FORM, context)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.explain_differences.posts))  # type: ignore[attr-defined]
def explain(request: Any, number: int) -> HttpResponse:
    """One difference (`id`), or a kind's of a village that nobody has explained."""
    by, on, row = request.actor, request.business_date, reader(request.actor, number)
    ids = ids_of(request.GET, commands.IDS_MAX)
    kind, village = one_of(request.GET, "kind", Kind.values), request.GET.get("village", "")
    with reading(by):
        if ids:
            found = [each for each in queries.differences_of(ids) if each.comparison_id == number]
            count, said = len(found), found[0].explanation if len(found) == 1 else ""
            lead = "；".join(f"{each.household_no} {each.name} {each.get_kind_display()}" for each in found[:5])
        else:
            wanted = DifferenceFilter(number, kind, village if village.isdigit() else "", "open")
            count, said = wanted.rows().count() if kind else 0, ""
            lead = f"“{Kind(kind).label}”还没有说明的 {count:,} 笔，用同样的说明。" if kind else ""
    if not count:
        raise Refusal("没有选中要说明的差异", why="可能已有人说明", remedy="请返回列表查看")
    form = Explain(request.POST or None, initial={"explanation": said})

    def run() -> Outcome:
        chosen: dict[str, Any] = {"ids": ids} if ids else {"kind": kind, "village": wanted.village}
        done = commands.explain_differences(
            by=by, on=on, comparison_id=number, explanation=form.cleaned_data["explanation"], **chosen
        )
        return Outcome(
            f"已说明 {done:,} 笔",
            reverse("comparison", args=[number]) + "?standing=open",
            "都说明以后由乡镇负责人签字。",
        )

    context = {
        "section": SECTION, "title": f"说明差异：{month_name(row.month)}", "button": f"说明 {count:,} 笔", "lead": lead,
        "back": reverse("comparison", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, run, FORM, context)


def _require_state(request: Any, row: Comparison, state: str, act: str) -> None:
    """The page before an act says at once that it is too late for it; the act itself is refused by its command."""
    if request.method == "GET" and row.state != state:
        raise AlreadyDone(
            f"这份核对现在是“{row.get_state_display()}”，不能{act}", why="可能已有人办理", remedy="请回到这份核对查看"
        )


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.sign_comparison.posts))  # type: ignore[attr-defined]
def sign(request: Any, number: int) -> HttpResponse:
    row = reader(request.actor, number)
    _require_state(request, row, Comparison.State.MADE, "签字")

    def run() -> Outcome:
        commands.sign_comparison(by=request.actor, on=request.business_date, comparison_id=number)
        return Outcome("已签字", reverse("comparison", args=[number]), "全部乡镇签字后由县里签。")

    lead = (
        f"审批 {yuan(row.approved_fen)} 元，清册 {yuan(row.listed_fen)} 元，银行 {yuan(row.paid_fen)} 元；差异 {row.differences_count:,} 笔。"
        "签名覆盖金额、差异和每一条说明，签字后不能再改。"
    )
    context = {
        "section": SECTION, "title": f"签字：{month_name(row.month)}逐户逐人核对", "button": "签字", "lead": lead,
        "back": reverse("comparison", args=[number]),
    }  # fmt: skip
    return answer_form(request, None, run, FORM, context)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.send_back.posts))  # type: ignore[attr-defined]
def back(request: Any, number: int) -> HttpResponse:
    row, form = reader(request.actor, number), SendBack(request.POST or None)
    _require_state(request, row, Comparison.State.SIGNED, "退回")

    def run() -> Outcome:
        commands.send_back(
            by=request.actor, on=request.business_date, comparison_id=number, reason=form.cleaned_data["reason"]
        )
        return Outcome("已退回乡镇", reverse("comparison", args=[number]), "乡镇统计员重新核对、补充说明后再签字。")

    context = {
        "section": SECTION, "title": f"退回：{month_name(row.month)}逐户逐人核对", "button": "退回", "warning": True,
        "lead": "退回的一份留存可查；乡镇重新核对，没有变的差异保留原来的说明。", "back": reverse("comparison", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, run, FORM, context)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.sign_county.posts))  # type: ignore[attr-defined]
def county(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        month = month_of(request.GET, on, queries.last_due_month(by.prefix, on))
        rows = queries.in_use_of_county(by.prefix[:6], month)
        hindrance = queries.county_hindrance(by, on, month)
    if not rows:
        raise Http404
    if hindrance and request.method == "GET":
        raise AlreadyDone(f"{month_name(month)}的核对现在不用您签", why=hindrance, remedy="请回到核对列表查看")
    form = CountyNote(request.POST or None)

    def run() -> Outcome:
        made = commands.sign_county(by=by, on=on, month=month, note=form.cleaned_data["note"])
        then = (
            "财政部门在主管部门之后签。" if made.seat == CountySigning.Seat.DEPARTMENT else "这个月的核对已逐级签完。"
        )
        return Outcome(f"{month_name(month)}已签字", f"{reverse('comparisons')}?month={month:%Y-%m}", then)

    sums = [yuan(sum(getattr(row, name) for row in rows)) for name in ("approved_fen", "listed_fen", "paid_fen")]
    lead = (
        f"{len(rows)} 个乡镇：审批 {sums[0]} 元，清册 {sums[1]} 元，银行 {sums[2]} 元；"
        f"差异 {sum(row.differences_count for row in rows):,} 笔。签名覆盖每个乡镇签字的内容。"
    )
    context = {
        "section": SECTION, "title": f"全县签字：{month_name(month)}逐户逐人核对", "button": "签字", "lead": lead,
        "back": f"{reverse('comparisons')}?month={month:%Y-%m}",
    }  # fmt: skip
    return answer_form(request, form, run, FORM, context)
