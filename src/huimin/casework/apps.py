"""Room: casework."""

from django.apps import AppConfig


class CaseworkConfig(AppConfig):
    name = "huimin.casework"
    label = "casework"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.casework import screening  # noqa: F401  (registers what does a screening)
