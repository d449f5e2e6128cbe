"""Room: agentbanks."""

from django.apps import AppConfig


class AgentBanksConfig(AppConfig):
    name = "huimin.agentbanks"
    label = "agentbanks"
    default_auto_field = "django.db.models.BigAutoField"
