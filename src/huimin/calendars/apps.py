"""Room: calendars."""

from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    name = "huimin.calendars"
    label = "calendars"
    default_auto_field = "django.db.models.BigAutoField"
