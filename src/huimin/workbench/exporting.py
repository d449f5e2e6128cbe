"""Who takes rows of people out says why; who, when and why stand in what is taken, and in the record (SEC-04, SEC-05).

in    a request for a download; `purpose` of its address
out   a `Taken` for the record and the mark, or the page that asks what for

Always true: without a purpose of at least two characters nothing is read out and nothing is recorded.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from huimin.organisation.acting import Actor
from huimin.registry.commands.looking import PURPOSE_MAX, PURPOSE_MIN
from huimin.workbench.forms import ExportPurpose


@dataclass(frozen=True)
class Taken:
    """Who took it out, when, and what for."""

    who: str
    at: datetime
    purpose: str

    @property
    def line(self) -> str:
        """As it stands on the page: begins so that an import of the same file passes over it."""
        return f"说明：{self.who} {timezone.localtime(self.at):%Y-%m-%d %H:%M} 导出，用于{self.purpose}。含个人信息，不得外传。"


def taken_by(by: Actor, purpose: str) -> Taken:
    return Taken(f"{by.office_name} {by.name}", timezone.now(), purpose)


def taken(request: Any) -> Taken | None:
    """None while no purpose is given."""
    purpose = " ".join(request.GET.get("purpose", "").split())
    return taken_by(request.actor, purpose) if PURPOSE_MIN <= len(purpose) <= PURPOSE_MAX else None


def printed_by(request: Any, purpose: str) -> str:
    """What stands small at the foot of a paper; a paper is for what it is."""
    who = taken_by(request.actor, purpose)
    return f"{who.who} {timezone.localtime(who.at):%Y-%m-%d %H:%M} 打印，用于{purpose}"


def ask_purpose(request: Any, what: str) -> HttpResponse:
    """The page before a download: what is it for? Its answer is the same address with the purpose."""
    kept = [(name, value) for name, values in request.GET.lists() for value in values if name != "purpose"]
    form = ExportPurpose(request.GET if "purpose" in request.GET else None)
    back = request.GET.copy()
    for name in ("purpose", "export", "pdf"):
        back.pop(name, None)
    context = {
        "form": form, "what": what, "kept": kept, "back": f"{request.path}?{back.urlencode()}", "errors": bool(form.errors),
    }  # fmt: skip
    return render(request, "workbench/export.html", context, status=422 if form.errors else 200)
