"""Room: ledger."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "huimin.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.ledger import carried

        carried.register()
