"""Room: telling."""

from django.apps import AppConfig


class TellingConfig(AppConfig):
    name = "huimin.telling"
    label = "telling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.registry.commands.moving import moves_with_household
        from huimin.telling import letters, publicity  # noqa: F401  the job of letters, the evidence of a posted list

        # A letter is brought, and a certificate shown, where the household lives now.
        for table in ("telling_letter", "telling_certificate"):
            moves_with_household(table)
