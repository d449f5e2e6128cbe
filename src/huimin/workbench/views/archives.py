"""Stores, boxes and a household's file at the desk (REG-08); loans, moves and stock-taking: archive_acts."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import resolve, reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.archives import keeping, queries, stocktaking
from huimin.archives.disposing import years_at
from huimin.archives.models import Box, PaperKind, Store
from huimin.divisions.queries import chain_names, list_beneath, names_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.registers import Label, Register, labels_pdf, register_pdf
from huimin.registry.models import Household
from huimin.registry.queries import get_household
from huimin.workbench import archive_forms, guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import DeskForm
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer

BOXES_OFFERED = 400


def nav(by: Actor, here: str) -> list[tuple[str, str, bool]]:
    pages = (
        ("archives", "库室柜"), ("archive-places", "各村情况"), ("archive-loans", "借阅"), ("archive-disposals", "移交和销毁"),
        ("archive-missing", "清点未见"), ("archive-retention", "保管期限"),
    )  # fmt: skip
    return [(label, reverse(route), route == here) for route, label in pages]


def submitted(request: Any, form: DeskForm, act: Callable[[], Outcome]) -> HttpResponse | None:
    """A good POST done once; what the command refuses stands above the form. None: show the page."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return once(request, act)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
    return None


@require_http_methods(["GET", "POST"])
@page(guard.ARCHIVE_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Stores, rooms and cabinets; a POST sets up the cabinets that are missing."""
    by, on = request.actor, request.business_date
    if request.method == "POST":

        def act() -> Outcome:
            made = keeping.set_up_cabinets(by=by, on=on)
            return Outcome(f"新设 {made} 个村档案柜", reverse("archives"), "" if made else "每个村都已有柜。")

        return once(request, act)

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        found = queries.page_stores(place.prefix, "" if whole else request.GET.get("at", ""), 1000 if whole else 50)
        counts = queries.count_papers_of([row.pk for row in found])
        places = names_of({row.division for row in found}, on)
        return Listing(
            "档案库、室、柜", "县有库、乡有室、村有柜、户有档：哪里有柜，谁保管，里面有多少件。", "archives",
            [Head("名称"), Head("种类", paper=26), Head("地方", paper=36), Head("编号", paper=36), Head("保管人", paper=30),
             Head("盒", "count", 14), Head("在架", "count", 18), Head("借出", "count", 16), Head("未见", "count", 16)],
            [_store(row, counts.get(row.pk, {}), places) for row in found],
            "还没有登记档案柜。可以先为每个村设一个柜。", nav=nav(by, "archives"), page=found, across=True,
            filters=[Filter("place", "地方", place.options, place.code)],
            acts=[("登记库、室、柜", reverse("archive-store-new"))] if may(by, keeping.open_store) else [],
            more={"may_set_up": may(by, keeping.set_up_cabinets)},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/archives.html")


def _store(row: Store, counts: dict[str, int], places: dict[str, str]) -> list[Any]:
    url = reverse("archive-store", args=[row.pk])
    return [
        Cell(row.name, url), row.get_kind_display(), places.get(row.division, row.division), row.code, row.keeper,
        row.boxes_count, counts.get("kept", 0), counts.get("lent", 0), counts.get("missing", 0),  # type: ignore[attr-defined]
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(keeping.open_store.posts))  # type: ignore[attr-defined]
def store_new(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        own = [(by.division, by.office_name)]
        if by.level == Level.COUNTY:
            beneath = list_beneath(by.division, by.level, Level.TOWNSHIP, on)
        else:
            beneath = list_beneath(by.division, by.level, Level.VILLAGE, on) if by.level < Level.VILLAGE else []
    form = archive_forms.NewStore(request.POST or None, places=own + [(each.code, each.name) for each in beneath])

    def act() -> Outcome:
        made = keeping.open_store(by=by, on=on, **form.cleaned_data)
        return Outcome(f"已登记{made.name}", reverse("archive-store", args=[made.pk]), "接着添盒、登记材料、打印标签。")

    context = {
        "section": "archives",
        "form": form,
        "nav": nav(by, "archives"),
        "title": "登记库、室、柜",
        "button": "登记",
    }
    return submitted(request, form, act) or _shown(request, "workbench/archive_form.html", form, context)


@require_http_methods(["GET", "POST"])
@page(guard.ARCHIVE_READERS)
def store(request: Any, number: int) -> HttpResponse:
    """One cabinet: its boxes; add boxes, file one paper of every household, start a stock-taking."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = Store.objects.get(pk=number)
        context = {
            "section": "archives", "store": found, "boxes": queries.list_boxes(number), "nav": nav(by, "archives"),
            "trail": chain_names(found.division, on), "stocktakes": queries.list_stocktakes(number),
            "may_keep": may(by, keeping.add_boxes),
        }  # fmt: skip
    kind = request.POST.get("kind_of_act", "")
    boxes = archive_forms.Boxes(request.POST if kind == "boxes" else None, initial={"shelf": 1, "count": 1})
    file_all = archive_forms.FileAll(request.POST if kind == "file" else None, initial={"pages": 3, "per_box": 50})
    form = {"boxes": boxes, "file": file_all}.get(kind)
    where = reverse("archive-store", args=[number])

    def act() -> Outcome:
        if kind == "boxes":
            made = keeping.add_boxes(by=by, on=on, store=number, **boxes.cleaned_data)
            return Outcome(f"添了 {made} 盒", where, "可以打印盒签。")
        if kind == "file":
            made = keeping.file_households(by=by, on=on, store=number, **file_all.cleaned_data)
            return Outcome(f"登记了 {made:,} 户", where, "" if made else "每一户都已登记过这份材料。")
        taken = stocktaking.start_stocktake(by=by, on=on, store=number)
        return Outcome(f"开始清点，应有 {taken.listed:,} 件", reverse("stocktake", args=[taken.pk]))

    if request.method == "POST" and form is None:
        return once(request, act)
    done = submitted(request, form, act) if form is not None else None
    context |= {"boxes_form": boxes, "file_form": file_all, "form": form}
    return done or _shown(request, "workbench/archive_store.html", form, context)


@require_safe
@page(guard.ARCHIVE_READERS, reads=False)
def labels(request: Any, number: int) -> HttpResponse:
    """Labels of a cabinet's boxes, each with a code that leads to the box."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = Store.objects.get(pk=number)
        boxes = queries.list_boxes(number)
        place = "".join(chain_names(found.division, on)[2:])
    made = [
        Label(
            f"{found.name} {box.number} 号盒", (place, f"编号 {found.code}-{box.number}", f"第 {box.shelf} 层　保管人 {found.keeper}"),
            request.build_absolute_uri(reverse("archive-box", args=[box.pk])),
        )
        for box in boxes[:500]
    ]  # fmt: skip
    return pdf_answer(labels_pdf(made, by=by, on=on), f"盒签{found.code}")


@require_safe
@page(guard.ARCHIVE_READERS, reads=False)
def box(request: Any, number: int) -> HttpResponse:
    """The papers of one box; ticked ones are lent, returned, moved or destroyed."""
    by = request.actor

    def build(whole: bool) -> Listing:
        found = Box.objects.select_related("store").get(pk=number)
        rows = queries.page_papers(number, "" if whole else request.GET.get("at", ""), 1000 if whole else 100)
        return Listing(
            f"{found.store.name} {found.place}", f"{found.title}，编号 {found.store.code}-{found.number}。", "archives",
            [Head("序号", paper=12), Head("户编码", paper=40), Head("种类", paper=30), Head("材料"), Head("日期", "date", 22),
             Head("页数", "count", 14), Head("状态", paper=18)],
            [[row.place_no, Cell(row.household.household_no, reverse("archive-household", args=[row.household_id])),
              row.get_kind_display(), row.title, row.dated_on, row.pages, Cell(row.get_state_display(), tone=TONES.get(row.state, "plain"))]
             for row in rows],
            "盒里还没有登记材料。", nav=nav(by, "archives"), page=rows,
            acts=[("返回柜", reverse("archive-store", args=[found.store_id]))],
            more={"papers": [(row, row.state) for row in rows], "may_keep": may(by, keeping.register_paper)},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/archive_box.html")


TONES = {"kept": "done", "lent": "soon", "missing": "late"}


@require_http_methods(["GET", "POST"])
@page(guard.ARCHIVE_READERS)
def household(request: Any, number: int) -> HttpResponse:
    """户档: every paper and electronic document of a household, where each is; register one more, print the catalogue."""
    by, on = request.actor, request.business_date
    with reading(by):
        home = get_household(number, by, on)
        rows = [(each, _open_to(by, each)) for each in queries.catalogue_of(number)]
        trail = chain_names(home.household.division, on)
        offered = boxes_offered(by, home.household.division)
    form = archive_forms.NewPaper(request.POST or None, boxes=offered, initial={"dated_on": on, "pages": 1})

    def act() -> Outcome:
        told = form.cleaned_data | {"box": int(form.cleaned_data["box"])}
        made = keeping.register_paper(by=by, on=on, household=number, **told)
        return Outcome(f"已登记“{made.title}”", reverse("archive-household", args=[number]), f"第 {made.place_no} 件。")

    context = {
        "section": "archives", "state": home, "rows": rows, "trail": trail, "form": form, "nav": nav(by, ""),
        "may_keep": may(by, keeping.register_paper), "tones": TONES,
    }  # fmt: skip
    return submitted(request, form, act) or _shown(request, "workbench/archive_household.html", form, context)


def _open_to(by: Actor, document: queries.Document) -> str:
    """Where an electronic document is seen, when the acting post may open that page."""
    if document.page is None:
        return ""
    url = reverse(document.page[0], args=[document.page[1]])
    return url if by.post in resolve(url).func.guard.posts else ""  # type: ignore[attr-defined]


def boxes_offered(by: Actor, division: str) -> list[tuple[str, str]]:
    """Boxes of a household's village, its township and its county, as far as the acting place has them; newest first."""
    codes = {division[:12], division[:9].ljust(12, "0"), division[:6].ljust(12, "0")}
    found = Box.objects.filter(division__in=codes).select_related("store").order_by("-division", "store_id", "-number")
    return [(str(each.pk), f"{each.store.name} {each.place}") for each in found[:BOXES_OFFERED]]


@require_safe
@page(guard.ARCHIVE_READERS, reads=False)
def household_paper(request: Any, number: int) -> HttpResponse:
    """The catalogue on paper: it lies in front in the household's file."""
    by, on = request.actor, request.business_date
    with reading(by):
        home = Household.objects.get(pk=number)
        state = get_household(number, by, on)
        rows = queries.catalogue_of(number)
        place = "".join(chain_names(home.division, on)[2:])
    paper = Register(
        "户档目录", [("序号", 12), ("种类", 30), ("材料", 0), ("日期", 23), ("存放处", 56), ("状态", 20)],
        [(at, each.kind, each.title, each.dated_on, each.where, each.state) for at, each in enumerate(rows, 1)],
        lines=[f"户编码：{home.household_no}　户主：{state.head.person.name if state.head else '—'}", f"地方：{place}"],
        notes=[f"共 {len(rows)} 件"], seats=["建档人", "日期"],
        address=request.build_absolute_uri(reverse("archive-household", args=[number])),
    )  # fmt: skip
    return pdf_answer(register_pdf(paper, by=by, on=on), f"户档目录{home.household_no}")


@require_safe
@page(guard.ARCHIVE_READERS, reads=False)
def places(request: Any) -> HttpResponse:
    """By township or village: who has a file, what is lent, overdue, missing."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        level = Level.VILLAGE if len(place.prefix) >= Level.TOWNSHIP else Level.TOWNSHIP
        rows = queries.count_by_place(place.prefix, level, on)
        names = names_of({row.division for row in rows}, on)
        return Listing(
            "各村档案情况", "有多少户、多少户有纸质档、借出和没有归还的、清点没有见到的。", "archives",
            [Head("地方"), Head("户数", "count", 24), Head("有档户", "count", 24), Head("纸质材料", "count", 24), Head("借出", "count", 20),
             Head("超期未还", "count", 22), Head("清点未见", "count", 22)],
            [[Cell(names.get(row.division, row.division), f"?place={row.division}"), row.households, row.filed, row.papers, row.lent,
              row.overdue, row.missing] for row in rows],
            "这里还没有登记住户。", nav=nav(by, "archive-places"),
            filters=[Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.ARCHIVE_READERS, reads=False)
def missing(request: Any) -> HttpResponse:
    """Papers that a stock-taking did not find."""
    by = request.actor

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        rows = queries.page_missing(place.prefix, "" if whole else request.GET.get("at", ""), 1000 if whole else 50)
        return Listing(
            "清点未见的材料", "最近一次清点没有见到的，找到后重新清点即恢复在架。", "archives",
            [Head("户编码", paper=40), Head("种类", paper=30), Head("材料"), Head("日期", "date", 22), Head("应在", paper=60)],
            [[Cell(row.household.household_no, reverse("archive-household", args=[row.household_id])), row.get_kind_display(),
              row.title, row.dated_on, f"{row.box.store.name} {row.box.place} 第 {row.place_no} 件"] for row in rows],
            "没有清点未见的材料。", nav=nav(by, "archive-missing"), page=rows,
            filters=[Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(guard.ARCHIVE_READERS)
def retention(request: Any) -> HttpResponse:
    """How long each kind of paper is kept; the county's office sets it."""
    by, on = request.actor, request.business_date
    with reading(by):
        years = years_at(by.division)
    form = archive_forms.Retention(request.POST or None)

    def act() -> Outcome:
        made = keeping.set_retention(by=by, on=on, **form.cleaned_data)
        told = f"保管 {made.years} 年" if made.years else "永久保管"
        return Outcome(f"{made.get_kind_display()}{told}", reverse("archive-retention"))

    context = {
        "section": "archives", "form": form, "nav": nav(by, "archive-retention"), "may_set": may(by, keeping.set_retention),
        "rows": [(label, years.get(value)) for value, label in PaperKind.choices],
    }  # fmt: skip
    return submitted(request, form, act) or _shown(request, "workbench/archive_retention.html", form, context)


def _shown(request: Any, template: str, form: DeskForm | None, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, context, status=422 if form is not None and form.errors else 200)


def chosen_papers(source: Any) -> list[int]:
    """Ticked papers; BadInput when none is."""
    ids = [int(each) for each in source.getlist("id")[:500] if each.isascii() and each.isdecimal() and len(each) < 19]
    if not ids:
        raise BadInput("没有选材料", where="材料", remedy="请返回勾选要办的材料")
    return ids
