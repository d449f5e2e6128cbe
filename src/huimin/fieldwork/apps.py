"""Room: fieldwork."""

from django.apps import AppConfig


class FieldworkConfig(AppConfig):
    name = "huimin.fieldwork"
    label = "fieldwork"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.registry.commands.moving import moves_with_household

        # What is due for a household is due where it lives now, and the officer there must see it.
        for table in ("fieldwork_surveyform", "fieldwork_lowincome", "fieldwork_signal"):
            moves_with_household(table)
