"""Room: archives."""

from django.apps import AppConfig


class ArchivesConfig(AppConfig):
    name = "huimin.archives"
    label = "archives"
    default_auto_field = "django.db.models.BigAutoField"
