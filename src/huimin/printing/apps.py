"""Room: printing."""

from django.apps import AppConfig


class PrintingConfig(AppConfig):
    name = "huimin.printing"
    label = "printing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.printing import working

        working.register()
