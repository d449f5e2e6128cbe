"""Routes of what is owed and why, and of what was paid too much (PAY-06)."""

from django.urls import path

from huimin.workbench.views import owed, rebookings, recoveries

PATTERNS = [
    path("owed/", owed.listing, name="owed"),
    path("owed/<int:number>/", owed.due, name="due"),
    path("owed/back/", owed.back, name="decide-back"),
    path("owed/back/<slug:programme>/<slug:month>/", owed.back_month, name="decide-back-month"),
    path("recoveries/", recoveries.listing, name="recoveries"),
    path("recoveries/find/", recoveries.find, name="recovery-find"),
    path("recoveries/decide/", recoveries.decide, name="recovery-decide"),
    path("recoveries/waiting/", recoveries.waiting, name="recovery-waiting"),
    path("recoveries/waiting/<slug:key>/<int:number>/", recoveries.settle, name="recovery-settle"),
    path("recoveries/shares/", recoveries.shares, name="recovery-shares"),
    path("recoveries/shares/new/", recoveries.share_new, name="recovery-share-new"),
    path("recoveries/shares/<int:number>/", recoveries.share_settle, name="recovery-share-settle"),
    path("recoveries/<int:number>/", recoveries.detail, name="recovery"),
    path("recoveries/<int:number>/pdf/", recoveries.paper, name="recovery-paper"),
    path("recoveries/<int:number>/<slug:key>/", recoveries.act, name="recovery-act"),
    path("exceptions/<int:number>/rebook/", rebookings.propose, name="rebook"),
    path("exceptions/rebookings/<int:number>/", rebookings.settle, name="rebook-settle"),
]
