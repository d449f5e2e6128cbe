"""Room: cases."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "huimin.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.cases import escalating, kinds, many  # noqa: F401  (register the daily work, the evidence, work for many)
