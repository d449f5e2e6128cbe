"""Room: policy."""

from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "huimin.policy"
    label = "policy"
    default_auto_field = "django.db.models.BigAutoField"
