"""Room: comparison."""

from django.apps import AppConfig


class ComparisonConfig(AppConfig):
    name = "huimin.comparison"
    label = "comparison"
    default_auto_field = "django.db.models.BigAutoField"
