"""The site with two empty views beside its own: what Django alone costs, and what coming in costs (bench.pages)."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from huimin.workbench import guard
from huimin.workbench.guard import open_page, page


@open_page
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"")


@page(guard.STAFF)
def entered(request: HttpRequest) -> HttpResponse:
    """As `empty`, for staff: session, account, appointment, and a transaction that declares the scope."""
    return HttpResponse(b"")


urlpatterns = [path("bench-empty/", empty), path("bench-entered/", entered), path("", include("huimin.urls"))]
