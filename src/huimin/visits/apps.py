"""Room: visits."""

from django.apps import AppConfig


class VisitsConfig(AppConfig):
    name = "huimin.visits"
    label = "visits"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.visits import evidence  # noqa: F401  (registers 入户调查)
