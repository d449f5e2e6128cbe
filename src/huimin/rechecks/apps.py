"""Room: rechecks."""

from django.apps import AppConfig


class RechecksConfig(AppConfig):
    name = "huimin.rechecks"
    label = "rechecks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.casework.screening import held_back
        from huimin.rechecks import wanting  # noqa: F401  (asks for visits)
        from huimin.registry.commands.moving import moves_with_household

        for table in ("rechecks_recheck", "rechecks_recheckmeans", "rechecks_joboffer", "rechecks_workcut"):
            moves_with_household(table)
        held_back("rechecks_workcut")  # what was cut stays cut: a screening compares with the amount before it
