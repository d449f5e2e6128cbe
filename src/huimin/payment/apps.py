"""Room: payment."""

from django.apps import AppConfig


class PaymentConfig(AppConfig):
    name = "huimin.payment"
    label = "payment"
    default_auto_field = "django.db.models.BigAutoField"
