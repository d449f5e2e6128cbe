"""Room: cases."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "huimin.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.cases import escalating, kinds  # noqa: F401  (register the daily work, and the evidence there is today)
