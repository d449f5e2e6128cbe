"""The policy list (补贴政策清单), one policy on one page, and both as papers (POL-01, POL-05)."""

from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.posts import Post
from huimin.payment.papers.handouts import booklet_pdf, handout_pdf
from huimin.policy.drafts import open_draft
from huimin.policy.queries import adoptions_of, find_open_draft, get_shelf
from huimin.policy.showing import LEVEL_TITLES, Policy, Shelf, Step
from huimin.workbench.guard import DRAFT_READERS, POLICY_READERS, page
from huimin.workbench.listing import one_of
from huimin.workbench.policy_workbook import export_list

STATUSES = (("in_force", "施行中"), ("waiting", "未生效"), ("ahead", "尚未施行"), ("over", "已停止"))


@require_safe
@page(POLICY_READERS)
def listing(request: Any) -> HttpResponse:
    """The list, by default in short; `?view=published` has the columns in which counties publish it."""
    shelf = get_shelf(request.actor, request.business_date)
    everything = shelf.policies()
    departments = sorted({each.field("主管部门") for each in everything})
    status = one_of(request.GET, "status", [code for code, _ in STATUSES])
    department = one_of(request.GET, "department", departments)
    rows = [each for each in everything if status in ("", each.status) and department in ("", each.field("主管部门"))]
    if request.GET.get("export") == "xlsx":
        return export_list(request.actor, _title(shelf), rows)
    context = {
        "section": "policies",
        "rows": rows,
        "count": {code: sum(each.status == code for each in everything) for code, _ in STATUSES},
        "whole": len(everything),
        "statuses": STATUSES,
        "status": status,
        "departments": [(each, each) for each in departments],
        "department": department,
        "title": _title(shelf),
        "levels": LEVEL_TITLES,
        "published": request.GET.get("view") == "published",
    }
    return render(request, "workbench/policies.html", context)


def _title(shelf: Shelf) -> str:
    return f"{list(shelf.places.values())[-1]}惠民补贴政策清单"


@require_safe
@page(POLICY_READERS)
def detail(request: Any, code: str) -> HttpResponse:
    """What, for whom, how much, by which law and paper, and how it came to be so."""
    by: Actor = request.actor
    shelf = get_shelf(by, request.business_date)
    policy = _policy(shelf, code)
    history = shelf.history(code)
    context = {
        "section": "policies",
        "policy": policy,
        "limits": policy.standards(paid=False),
        "levels": list(zip(shelf.places.items(), LEVEL_TITLES, strict=False)),
        "layers": [(shelf.places.get(file.division, file.division), file) for file in reversed(policy.state.layers)],
        "history": _adopted(history),
        "sees_drafts": by.post in DRAFT_READERS,
        "draft": find_open_draft(by.division, code),
        "may_draft": may(by, open_draft) and (by.post == Post.COUNTY_OFFICER or code in by.programmes),
    }
    return render(request, "workbench/policy.html", context)


def _adopted(history: list[Step]) -> list[dict[str, Any]]:
    """Each day of the history with how its texts came into use, alike ones once."""
    found = adoptions_of({path for step in history for path in step.paths})
    return [
        {
            "step": step,
            "adoptions": {
                (each.adopted_on, each.draft): each for path in step.paths if (each := found.get(path))
            }.values(),
        }
        for step in history
    ]


def _policy(shelf: Shelf, code: str) -> Policy:
    policy = shelf.find(code)
    if policy is None:
        raise Http404
    return policy


@require_safe
@page(POLICY_READERS, reads=False)
def handout(request: Any, code: str) -> HttpResponse:
    """明白纸 of one programme."""
    with reading(request.actor):
        policy = _policy(get_shelf(request.actor, request.business_date), code)
    return _pdf(handout_pdf(by=request.actor, on=request.business_date, code=code), f"{policy.name}明白纸")


@require_safe
@page(POLICY_READERS, reads=False)
def booklet(request: Any) -> HttpResponse:
    """宣传手册 of all programmes in force."""
    return _pdf(booklet_pdf(by=request.actor, on=request.business_date), "惠民政策宣传手册")


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}.pdf"
    return response
