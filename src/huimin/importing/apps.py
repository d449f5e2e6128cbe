"""Room: importing."""

from django.apps import AppConfig


class ImportingConfig(AppConfig):
    name = "huimin.importing"
    label = "importing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.importing import working  # noqa: F401  (registers what checks and carries out an import)
