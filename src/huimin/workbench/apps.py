"""Room: workbench."""

from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    name = "huimin.workbench"
    label = "workbench"
    default_auto_field = "django.db.models.BigAutoField"
