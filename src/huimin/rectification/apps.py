"""Room: rectification."""

from django.apps import AppConfig


class RectificationConfig(AppConfig):
    name = "huimin.rectification"
    label = "rectification"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.rectification import wanting  # noqa: F401  (asks for visits)
        from huimin.registry.commands.moving import moves_with_household

        # Who lives there now visits and judges; what was found before stays in the acts where it was found.
        moves_with_household("rectification_item")
