"""Routes of money from above: indicators, routes, money given back, the timetable (FUND-01 to FUND-05)."""

from django.urls import URLPattern, path

from huimin.workbench.views import comparison_acts, comparisons, indicators, money, settlements, timetable

urlpatterns: list[URLPattern] = [
    path("indicators/", indicators.listing, name="indicators"),
    path("indicators/new/", indicators.new, name="indicator-new"),
    path("indicators/waiting/", indicators.waiting, name="indicators-waiting"),
    path("indicators/carry/", indicators.carry, name="indicators-carry"),
    path("indicators/<int:number>/", indicators.detail, name="indicator"),
    path("indicators/<int:number>/issue/", indicators.issue, name="indicator-issue"),
    path("indicators/<int:number>/cut/", indicators.cut, name="indicator-cut"),
    path("money/", money.listing, name="money"),
    path("money/new/", money.new, name="money-new"),
    path("money/back/", money.givable, name="money-givable"),
    path("money/back/<int:number>/", money.back, name="money-back"),
    path("money/<int:number>/", money.detail, name="money-move"),
    path("pay-routes/", money.pay_routes, name="pay-routes"),
    path("pay-routes/new/", money.route_new, name="pay-route-new"),
    path("pay-routes/<int:number>/", money.route, name="pay-route"),
    path("comparisons/", comparisons.listing, name="comparisons"),
    path("comparisons/new/", comparison_acts.new, name="comparison-new"),
    path("comparisons/county/", comparison_acts.county, name="comparison-county"),
    path("comparisons/village/", comparisons.village, name="comparison-village"),
    path("comparisons/household/<int:number>/", comparisons.household, name="comparison-household"),
    path("comparisons/<int:number>/", comparisons.detail, name="comparison"),
    path("comparisons/<int:number>/explain/", comparison_acts.explain, name="comparison-explain"),
    path("comparisons/<int:number>/sign/", comparison_acts.sign, name="comparison-sign"),
    path("comparisons/<int:number>/back/", comparison_acts.back, name="comparison-back"),
    path("settlements/", settlements.settlement, name="settlements"),
    path("settlements/new/", settlements.new, name="settlement-new"),
    path("settlements/signed/", settlements.signed, name="settlement-list"),
    path("settlements/<int:number>/", settlements.detail, name="settlement"),
    path("settlements/<int:number>/confirm/", settlements.confirm, name="settlement-confirm"),
    path("timetable/", timetable.listing, name="timetable"),
]
