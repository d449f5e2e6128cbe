"""Routes of re-checks, refusals of work, the dead who still draw, and appeals (CASE-09)."""

from django.urls import path

from huimin.workbench.views import appeals, proposals, recheck_acts, rechecks, work

PATTERNS = [
    path("rechecks/", rechecks.listing, name="rechecks"),
    path("rechecks/places/", rechecks.places, name="recheck-places"),
    path("rechecks/list/", rechecks.under_way, name="recheck-list"),
    path("rechecks/round/", rechecks.round_of, name="recheck-round"),
    path("rechecks/rules/", recheck_acts.rules, name="recheck-rules"),
    path("rechecks/rules/new/", recheck_acts.rule, name="recheck-rule"),
    path("rechecks/rules/<int:number>/", recheck_acts.rule_settle, name="recheck-rule-settle"),
    path("rechecks/<int:number>/", recheck_acts.detail, name="recheck"),
    path("rechecks/<int:number>/<slug:key>/", recheck_acts.act, name="recheck-act"),
    path("work/", work.offers, name="work-offers"),
    path("work/new/<int:household>/", work.new_offer, name="work-offer-new"),
    path("work/<int:number>/", work.offer, name="work-offer"),
    path("work/cuts/", work.cut_list, name="work-cuts"),
    path("work/cuts/<int:number>/", work.cut, name="work-cut"),
    path("work/cuts/<int:number>/<slug:key>/", work.cut_act, name="work-cut-act"),
    path("proposals/<int:number>/adjust/", proposals.adjust, name="proposal-adjust"),
    path("deaths/", work.still_drawn, name="still-drawn"),
    path("appeals/", appeals.listing, name="appeals"),
    path("appeals/rules/", appeals.rules, name="appeal-rules"),
    path("appeals/rules/new/", appeals.rule, name="appeal-rule"),
    path("appeals/rules/<int:number>/", appeals.rule_settle, name="appeal-rule-settle"),
    path("appeals/new/<slug:what>/<int:number>/", appeals.new, name="appeal-new"),
    path("appeals/<int:number>/", appeals.detail, name="appeal"),
    path("appeals/<int:number>/pdf/", appeals.paper, name="appeal-paper"),
    path("appeals/<int:number>/<slug:key>/", appeals.act, name="appeal-act"),
]
