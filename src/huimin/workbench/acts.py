"""An act is done once, whatever is clicked twice, sent again or reloaded; and its outcome is shown where it led.

in    a POST with the `token` of the page it was sent from, and the command to run
out   a redirect to the page that shows the outcome

Always true: for one token the command runs at most once at a time and, once it succeeded, never again; the second
sender waits for the first and is shown the same outcome. A refused command leaves the token unused. The token's
outcome lives in the session; what the database promises (one live instruction, one decision …) does not rest on it.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from huimin.kernel.errors import Refusal

_DONE = "done"
_KEPT = 30
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Outcome:
    """What happened, in one sentence; the page that shows it; what comes next; a line for each of many; words that lead on."""

    what: str
    where: str
    then: str = ""
    lines: tuple[str, ...] = ()
    link: tuple[str, str] | None = None


class PageExpired(Refusal):
    """The form carried no token of ours."""


def new_token() -> str:
    return uuid.uuid4().hex


def answered_once(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """Run the whole view of a POST, unless its token was used: what the view reads before it acts is then out of date."""
    token = request.POST.get("token", "")
    if not _TOKEN.fullmatch(token):
        return view()
    with _alone(token):
        done = _stored(request)
        if token not in done:
            return view()
        request.session[_DONE] = done
        return _led_to(done[token], token)


def once(request: HttpRequest, act: Callable[[], Outcome]) -> HttpResponse:
    """Run `act`, keep its outcome under the page's token, redirect to it; only inside `answered_once`."""
    token = request.POST.get("token", "")
    if not _TOKEN.fullmatch(token):
        raise PageExpired("这一页已过期", remedy="请返回上一页，刷新后再提交")
    outcome = asdict(act())
    done = _stored(request) | {token: outcome}
    request.session[_DONE] = dict(list(done.items())[-_KEPT:])
    request.session.save()
    return _led_to(outcome, token)


def _led_to(outcome: dict[str, Any], token: str) -> HttpResponse:
    where = str(outcome["where"])
    return redirect(f"{where}{'&' if '?' in where else '?'}done={token}")


def outcome_of(request: HttpRequest) -> dict[str, Any] | None:
    """The outcome named in the address, when this session made it."""
    found: dict[str, Any] | None = request.session.get(_DONE, {}).get(request.GET.get("done", ""))
    return found


def _stored(request: HttpRequest) -> dict[str, Any]:
    """Outcomes as stored now, not as they were when this request began."""
    fresh = type(request.session)(request.session.session_key)
    return dict(fresh.get(_DONE, {}))


@contextmanager
def _alone(token: str) -> Iterator[None]:
    """One sender of a token at a time, in all processes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [token])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [token])
