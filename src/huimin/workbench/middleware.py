"""Who is at the desk: from the session to the actor of each request, and what stands before it (SEC-01, SEC-08).

in    the session (account, chosen appointment), the address the request came from
out   `request.actor` (or None) and `request.business_date`, before any view runs

In this order, and failing closed: an address outside the account's networks ends the session and is recorded; an
issued password is changed before anything else; with several appointments one is chosen; a page of other posts is
refused and recorded. A refusal or missing row that a view lets through becomes a page that says what to do.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlencode

from django.contrib.auth import logout
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, NotYourPost, record_refusal
from huimin.organisation.entrance import allowed_from, as_system, authenticate_from
from huimin.organisation.queries import business_date, get_actor, list_appointments
from huimin.workbench.guard import Guard

APPOINTMENT = "appointment"
"""Session key of the appointment that acts."""
_BEHIND_PROXY = os.environ.get("HUIMIN_BEHIND_PROXY") == "1"


def remote_address(request: HttpRequest) -> str:
    """Where the request came from; behind a declared proxy, what that proxy says (its own, last entry)."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if _BEHIND_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or request.META["REMOTE_ADDR"]


class Desk:
    """The middleware named in the settings."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.actor, request.appointments = None, []
        _drop_nul(request)
        request.business_date = business_date()
        if request.user.is_authenticated:
            if not allowed_from(request.user.allowed_networks, remote_address(request)):
                return self._sent_away(request)
            with as_system(request.user.division):
                request.appointments = list_appointments(request.user, request.business_date)
            request.actor = self._actor(request)
        response = self.get_response(request)
        if response.status_code == 405 and request.user.is_authenticated:
            response = _only_a_button(request, response)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _sent_away(self, request: Any) -> HttpResponse:
        """A session used from elsewhere ends; the entrance records why."""
        with suppress(Refusal):
            authenticate_from(request.user, remote_address(request), on=request.business_date)
        logout(request)
        return redirect(reverse("sign-in") + "?" + urlencode({"why": "address"}))

    def _actor(self, request: Any) -> Actor | None:
        """The chosen appointment while it lasts; the only one when there is no choice."""
        if request.user.must_change_password:
            return None
        chosen = request.session.get(APPOINTMENT)
        live = [each for each in request.appointments if each.pk == chosen]
        if not live and len(request.appointments) == 1:
            live = request.appointments
            request.session[APPOINTMENT] = live[0].pk
        if not live:
            return None
        live[0].account = request.user
        return get_actor(live[0], address=remote_address(request))

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        guard: Guard | None = getattr(view, "guard", None)
        if guard is None:
            raise Http404("a view without a guard opens for nobody")
        if not guard.signed_in:
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if not guard.posts:
            return None
        if request.user.must_change_password:
            return redirect("password")
        if request.actor is None:
            return redirect("appointment")
        if request.actor.post not in guard.posts:
            refusal = NotYourPost(
                f"{request.actor.post.label}不用这一页", why="各岗位只打开自己要办的", remedy="请从上方菜单进入"
            )
            record_refusal(request.actor, request.resolver_match.view_name, refusal)
            return refused(request, refusal, status=403)
        return None

    def process_exception(self, request: Any, error: Exception) -> HttpResponse | None:
        if isinstance(error, Refusal):
            return refused(request, error, status=409)
        if isinstance(error, ObjectDoesNotExist):
            return refused(
                request,
                Refusal("没有找到", why="它不存在，或不在您的辖区内", remedy="请核对后从列表进入"),
                status=404,
            )
        return None


def _only_a_button(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Of an address that takes a form alone and was opened like a page (typed, or come back to)."""
    words = Refusal("这个地址只在按下按钮时使用", why="直接打开不办理任何事", remedy="请返回原来的页面，从按钮办理")
    told = refused(request, words, status=405)
    told.headers["Allow"] = response.headers.get("Allow", "")
    return told


def refused(request: HttpRequest, refusal: Refusal, *, status: int) -> HttpResponse:
    """The page of a refusal: what, why, what to do next."""
    return render(request, "workbench/refused.html", {"refusal": refusal}, status=status)


def _drop_nul(request: HttpRequest) -> None:
    """PostgreSQL takes no NUL in text; an address with one is read as if it were not there."""
    if "\0" in unquote(request.META.get("QUERY_STRING", "")):
        clean = request.GET.copy()
        for name, values in request.GET.lists():
            clean.setlist(name, [value.replace("\0", "") for value in values])
        request.GET = clean  # type: ignore[assignment]


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    query = {"next": request.get_full_path()} if request.method == "GET" and request.path != "/" else {}
    if request.COOKIES.get("sessionid"):
        query["why"] = "idle"
    return redirect(reverse("sign-in") + ("?" + urlencode(query) if query else ""))
