"""Room: processes."""

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    name = "huimin.processes"
    label = "processes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.policy.commands import adopted_along
        from huimin.processes.adopting import adopt

        adopted_along(adopt)
