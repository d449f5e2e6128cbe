"""Room: policy."""

from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "huimin.policy"
    label = "policy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.organisation.acting import programmes_named_by
        from huimin.policy.queries import programme_name

        programmes_named_by(programme_name)
