"""Room: appeals."""

from django.apps import AppConfig


class AppealsConfig(AppConfig):
    name = "huimin.appeals"
    label = "appeals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.registry.commands.moving import moves_with_household

        moves_with_household("appeals_appeal")
