"""Room: funds."""

from django.apps import AppConfig


class FundsConfig(AppConfig):
    name = "huimin.funds"
    label = "funds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.funds import booked

        booked.register()
