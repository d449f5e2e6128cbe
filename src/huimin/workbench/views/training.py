"""Training at the desk: courses, results, sign-in sheets, who is due (ORG-07)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.capacity import queries, training
from huimin.capacity.models import Attendance, Course, CourseMaterial
from huimin.capacity.versions import Version, versions_at
from huimin.divisions.queries import names_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.registers import Register, register_pdf
from huimin.registry.commands.attachments import ENDINGS, SIZE_MAX, open_scan
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.capacity_forms import Cancel, CapacityRule, Material, Plan
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer, shortened

DUE = [("due", "待训"), ("overdue", "超期"), ("trained", "已训")]
SHOWN_MAX = 300
NAMED_MAX = 3
TONES = {"held": "done", "planned": "soon"}


def nav(by: Actor, here: str) -> list[tuple[str, str, bool]]:
    pages = (
        ("training", "培训"),
        ("training-due", "应训人员"),
        ("staffing", "经办力量"),
        ("capacity-rule", "县里的规定"),
    )
    return [(label, reverse(route), route == here) for route, label in pages]


def _names(by: Actor, on: Any) -> dict[str, Version]:
    return versions_at(by.division, on)


@require_safe
@page(guard.CAPACITY_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Courses, the newest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        found = queries.page_courses("" if whole else request.GET.get("at", ""), 1000 if whole else 50)
        names, counts = _names(by, on), queries.count_results([row.pk for row in found])
        places = names_of({row.division for row in found}, on)
        return Listing(
            "惠民政策培训", "县里培训乡镇干部，乡镇培训村信息员；谁讲的、讲的哪一版、谁来了、结果怎样。", "training",
            [Head("培训"), Head("举办", "date", 22), Head("举办地"), Head("学时", paper=14), Head("授课人", paper=24),
             Head("讲的项目", paper=40), Head("合格", "count", 14), Head("状态", paper=20)],
            [_course(row, names, counts.get(row.pk, {}), places) for row in found],
            "还没有培训。政策有新版时，先安排培训，再按应训名单签到。", nav=nav(by, "training"), page=found, across=True,
            acts=[("安排培训", reverse("course-plan"))] if may(by, training.plan_course) else [],
        )  # fmt: skip

    return answer_listing(request, build)


def _course(row: Course, names: dict[str, Version], counts: dict[str, int], places: dict[str, str]) -> list[Any]:
    topics = "、".join(
        names[each.programme].name if each.programme in names else each.programme for each in row.topics.all()
    )
    return [
        Cell(row.title, reverse("course", args=[row.pk])), row.held_on, Cell(places.get(row.division, row.division), sub=row.location),
        f"{row.minutes / 60:g}", row.trainer, topics, counts.get("passed", 0),
        Cell(row.get_state_display(), tone=TONES.get(row.state, "plain"), sub=row.reason),
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(training.plan_course.posts))  # type: ignore[attr-defined]
def plan(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        versions = _names(by, on)
    offered = [
        (code, f"{each.name}（{each.since} 起）") for code, each in sorted(versions.items()) if _may_teach(by, code)
    ]
    form = Plan(request.POST or None, programmes=offered, initial={"taught_for": on, "held_on": on})
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        minutes = int(told.pop("hours") * 60)

        def act() -> Outcome:
            made = training.plan_course(by=by, on=on, minutes=minutes, **told)
            return Outcome("已安排培训", reverse("course", args=[made.pk]), "打印签到表，举办后登记结果。")

        try:
            return once(request, act)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    context = {"section": "training", "form": form, "nav": nav(by, "training")}
    return render(request, "workbench/course_plan.html", context, status=422 if form.errors else 200)


def _may_teach(by: Actor, code: str) -> bool:
    return by.post != "department_officer" or code in by.programmes


@require_http_methods(["GET", "POST"])
@page(guard.CAPACITY_READERS)
def course(request: Any, number: int) -> HttpResponse:
    """One course: what it was about, hand-outs, results of who was there; results and hand-outs are added by who holds it."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = Course.objects.prefetch_related("topics").get(pk=number)
        rows, results = _invited(by, found, on, request.GET.get("place", "")), queries.results_of(number)
        context = {
            "section": "training", "course": found, "nav": nav(by, "training"), "names": _names(by, on),
            "materials": list(CourseMaterial.objects.filter(course=found).order_by("id")), "rows": rows, "results": results,
            "choices": Attendance.Result.choices, "place": chosen_place(request), "tone": TONES.get(found.state, ""),
            "hours": f"{found.minutes / 60:g}",
        }  # fmt: skip
    mine = may(by, training.record_attendance) and found.division.startswith(by.prefix) and found.state != "cancelled"
    material, cancel = Material(None), Cancel(None)
    form: Any = None
    if request.method == "POST":
        kind = request.POST.get("kind", "")
        form = {"material": Material, "cancel": Cancel}[kind](request.POST) if kind in ("material", "cancel") else None
        if form is None or form.is_valid():
            try:
                return once(request, lambda: _act(request, number, kind, form))
            except BadInput as wrong:
                if form is None:
                    raise
                form.add_error(None, str(wrong))
        material, cancel = (form if kind == "material" else material), (form if kind == "cancel" else cancel)
    context |= {"mine": mine, "material": material, "cancel": cancel, "form": form, "held": found.held_on <= on}
    return render(request, "workbench/course.html", context, status=422 if form is not None and form.errors else 200)


def _act(request: Any, number: int, kind: str, form: Any) -> Outcome:
    common = {"by": request.actor, "on": request.business_date, "course": number}
    where = reverse("course", args=[number])
    if kind == "cancel":
        training.cancel_course(**common, reason=form.cleaned_data["reason"])
        return Outcome("已取消培训", where)
    if kind == "material":
        sent = request.FILES.get("file")
        if sent is None or sent.size > SIZE_MAX:
            raise BadInput("没有选文件，或文件超过 10 MB", where="文件", remedy="请选择 PDF、JPG 或 PNG")
        training.add_material(**common, title=form.cleaned_data["title"], content=sent.read())
        return Outcome("已上传材料", where)
    results = {
        int(name.removeprefix("result_")): value
        for name, value in request.POST.items()
        if name.startswith("result_") and name.removeprefix("result_").isdecimal() and value
    }
    changed = training.record_attendance(**common, results=results)
    return Outcome(f"已登记 {changed} 人的结果", where)


def _invited(by: Actor, found: Course, on: Any, place: str) -> list[queries.Officer]:
    """Officers of the course's place (as far as the acting place sees them), who is due for what it teaches in front."""
    codes = {topic.programme: topic.version_from for topic in found.topics.all()}
    versions = [Version(code, code, since) for code, since in codes.items()]
    prefix = place[:9] if place.startswith(by.prefix) and place.isdecimal() else by.prefix
    own = found.division[:9] if found.division[6:9].strip("0") else found.division[:6]
    prefix = max(prefix, own, key=len)
    days = queries.asked_at(by.division).training_days
    return queries.list_training_due(prefix, max(on, found.held_on), days, versions)[:SHOWN_MAX]


@require_safe
@page(guard.CAPACITY_READERS, reads=False)
def sign_in_sheet(request: Any, number: int) -> HttpResponse:
    """The sheet to sign on the spot: who is due for what the course teaches."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = Course.objects.prefetch_related("topics").get(pk=number)
        due = [each for each in _invited(by, found, on, request.GET.get("place", "")) if each.missing]
        names = _names(by, on)
    topics = "、".join(
        names[each.programme].name if each.programme in names else each.programme for each in found.topics.all()
    )
    paper = Register(
        "惠民政策培训签到表", [("序号", 12), ("姓名", 32), ("单位", 0), ("岗位", 24), ("签名", 34), ("结果", 18)],
        [(at, each.name, each.office, each.posts, "", "") for at, each in enumerate(due, 1)],
        lines=[f"培训：{found.title}　讲授：{topics}", f"时间：{found.held_on}　地点：{found.location}　授课人：{found.trainer}"],
        notes=[f"应到 {len(due)} 人，实到＿＿＿＿人"], seats=["授课人签名", "记录人签名"], to_sign=True,
        address=request.build_absolute_uri(reverse("course", args=[number])),
    )  # fmt: skip
    return pdf_answer(register_pdf(paper, by=by, on=on, mark=printed_by(request, "签到")), f"签到表{number}")


@require_safe
@page(guard.CAPACITY_READERS, reads=False)
def material(request: Any, number: int) -> HttpResponse:
    with reading(request.actor):
        row = CourseMaterial.objects.get(pk=number)
    response = HttpResponse(open_scan(row.sha256), content_type=row.media_type)
    response["Content-Disposition"] = f'attachment; filename="material-{row.pk}{ENDINGS[row.media_type]}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@page(guard.CAPACITY_READERS, reads=False)
def due(request: Any) -> HttpResponse:
    """Who has not been trained on what is in force, overdue in front; by township or village."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", dict(DUE))
        versions, days = _names(by, on), queries.asked_at(by.division).training_days
        every = queries.list_training_due(place.prefix, on, days, versions.values())
        rows, note = shortened([each for each in every if _fits(each, state, on)], whole)
        level = Level.VILLAGE if len(place.prefix) >= Level.TOWNSHIP else Level.TOWNSHIP
        shares = queries.by_place(every, on, level)
        names = names_of({share.division for share in shares}, on)
        late = sum(each.overdue(on) for each in every)
        trained = sum(not each.missing for each in every)
        return Listing(
            "应训人员", f"现行政策的每一版，施行（或任职）起 {days} 天内受训合格；超期的在前。", "training",
            [Head("姓名", paper=30), Head("机构"), Head("岗位", paper=24), Head("待训项目", paper=60), Head("最近受训", "date", 22),
             Head("期限", "date", 22), Head("状态", paper=22)],
            [_officer(each, versions, on, whole) for each in rows], "没有符合条件的人员。", note,
            nav=nav(by, "training-due"), across=True,
            filters=[Filter("state", "状态", DUE, state), Filter("place", "地方", place.options, place.code)],
            figures=[("经办人员", f"{len(every):,}", ""), ("全部受训", f"{trained:,}", ""), ("超期", f"{late:,}", "late" if late else "")],
            more={"shares": [(names.get(share.division, share.division), share) for share in shares]},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/training_due.html")


def _fits(each: queries.Officer, state: str, on: Any) -> bool:
    return {"due": bool(each.missing), "overdue": each.overdue(on), "trained": not each.missing}.get(state, True)


def _officer(each: queries.Officer, versions: dict[str, Version], on: Any, whole: bool) -> list[Any]:
    state = Cell("待训", tone="soon") if each.missing else Cell("已训", tone="done")
    if each.overdue(on) and each.due:
        state = Cell(f"超期 {(on - each.due).days} 天", tone="late")
    names = [versions[code].name for code in each.missing]
    missing = "、".join(names if whole else names[:NAMED_MAX])
    if not whole and len(names) > NAMED_MAX:
        missing += f" 等 {len(names)} 项"
    return [each.name, each.office, each.posts, missing, each.last_trained_on, each.due, state]


@require_http_methods(["GET", "POST"])
@page(guard.CAPACITY_READERS)
def rule(request: Any) -> HttpResponse:
    """What the county asks of its townships; everybody concerned reads it."""
    by, on = request.actor, request.business_date
    with reading(by):
        asked = queries.asked_at(by.division)
    form = CapacityRule(
        request.POST or None,
        initial={
            "training_days": asked.training_days, "staff_min": asked.staff_min, "cost_permille": asked.cost_permille,
        },
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            training.set_capacity_rule(by=by, on=on, **form.cleaned_data)
            return Outcome("已保存", reverse("capacity-rule"), "今后的名单按新规定计算。")

        return once(request, act)
    context = {
        "section": "training", "form": form, "asked": asked, "nav": nav(by, "capacity-rule"),
        "percent": queries.percent(asked.cost_permille * 10), "may_set": may(by, training.set_capacity_rule),
    }  # fmt: skip
    return render(request, "workbench/capacity_rule.html", context, status=422 if form.errors else 200)
