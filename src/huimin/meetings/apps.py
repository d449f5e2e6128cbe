"""Room: meetings."""

from django.apps import AppConfig


class MeetingsConfig(AppConfig):
    name = "huimin.meetings"
    label = "meetings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.meetings import evidence  # noqa: F401  (registers 民主评议 with room cases)
