"""Room: payment."""

from django.apps import AppConfig


class PaymentConfig(AppConfig):
    name = "huimin.payment"
    label = "payment"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.payment import booked
        from huimin.payment.exchange import working

        working.register()
        booked.register()
