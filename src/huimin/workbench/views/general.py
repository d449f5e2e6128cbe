"""Pages about no business: the list of shortcuts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huimin.workbench.guard import EVERYBODY, page


@require_safe
@page(EVERYBODY)
def shortcuts(request: HttpRequest) -> HttpResponse:
    return render(request, "workbench/shortcuts.html")
