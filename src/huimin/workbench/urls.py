"""Routes of the desk."""

from django.urls import URLPattern, path

from huimin.workbench import signin
from huimin.workbench.views import desk, general

urlpatterns: list[URLPattern] = [
    path("", desk.desk, name="desk"),
    path("sign-in/", signin.sign_in, name="sign-in"),
    path("sign-out/", signin.sign_out, name="sign-out"),
    path("password/", signin.password, name="password"),
    path("appointment/", signin.appointment, name="appointment"),
    path("shortcuts/", general.shortcuts, name="shortcuts"),
    path("search/", desk.desk, name="search"),
    path("households/", desk.desk, name="households"),
    path("work-items/", desk.desk, name="work-items"),
    path("proposals/", desk.desk, name="proposals"),
    path("notices/", desk.desk, name="notices"),
    path("rosters/", desk.desk, name="rosters"),
    path("batches/", desk.desk, name="batches"),
    path("ledger/", desk.desk, name="ledger"),
]
