"""Room: duplicates."""

from django.apps import AppConfig


class DuplicatesConfig(AppConfig):
    name = "huimin.duplicates"
    label = "duplicates"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.duplicates import searching  # noqa: F401  (registers the search)
