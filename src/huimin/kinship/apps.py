"""Room: kinship."""

from django.apps import AppConfig


class KinshipConfig(AppConfig):
    name = "huimin.kinship"
    label = "kinship"
    default_auto_field = "django.db.models.BigAutoField"
