"""Routes of the site: the staff's desk."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("", include("huimin.workbench.urls"))]
