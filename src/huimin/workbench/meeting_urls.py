"""Routes of community review and of 一事一议; before the routes of cases, of which one takes any word."""

from django.urls import URLPattern, path

from huimin.workbench.views import collective, delegates, meeting_items, meetings

urlpatterns: list[URLPattern] = [
    path("meetings/", meetings.listing, name="meetings"),
    path("meetings/waiting/", meetings.waiting, name="meetings-waiting"),
    path("meetings/lists/", delegates.listing, name="meeting-lists"),
    path("meetings/lists/<slug:village>/", delegates.village, name="meeting-list"),
    path("meetings/lists/<slug:village>/<slug:key>/", delegates.act, name="meeting-list-act"),
    path("meetings/people/<slug:who>/<int:number>/end/", delegates.end, name="meeting-person-end"),
    path("meetings/people/<slug:who>/<int:number>/phone/", delegates.phone, name="meeting-phone"),
    path("meetings/rule/", delegates.rule, name="meeting-rule"),
    path("meetings/convene/<slug:village>/", meetings.convene, name="meeting-convene"),
    path("meetings/items/<int:number>/", meeting_items.detail, name="meeting-item"),
    path("meetings/items/<int:number>/<slug:key>/", meeting_items.act, name="meeting-item-act"),
    path("meetings/scans/<int:number>/", meetings.scan, name="meeting-scan"),
    path("meetings/<int:number>/", meetings.detail, name="meeting"),
    path("meetings/<int:number>/pdf/<slug:kind>/", meetings.paper, name="meeting-paper"),
    path("meetings/<int:number>/hold/", meetings.hold, name="meeting-hold"),
    path("meetings/<int:number>/<slug:key>/", meetings.act, name="meeting-act"),
    path("cases/<int:number>/collective/", collective.record, name="case-collective"),
    path("cases/collective/<int:number>/pdf/", collective.paper, name="collective-paper"),
]
