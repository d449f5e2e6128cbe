"""The desk: what waits for the acting person, by deadline."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huimin.workbench.guard import EVERYBODY, page


@require_safe
@page(EVERYBODY)
def desk(request: HttpRequest) -> HttpResponse:
    return render(request, "workbench/desk.html", {"section": "desk"})
