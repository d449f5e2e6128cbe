"""Room: jobs."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "huimin.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
