"""Room: payment."""

from django.apps import AppConfig


class PaymentConfig(AppConfig):
    name = "huimin.payment"
    label = "payment"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.payment import booked, recovery_booked
        from huimin.payment.exchange import working
        from huimin.registry.commands.moving import moves_with_household

        working.register()
        booked.register()
        recovery_booked.register()
        moves_with_household("payment_recovery")
