"""Room: samples."""

from django.apps import AppConfig


class SamplesConfig(AppConfig):
    name = "huimin.samples"
    label = "samples"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from huimin.samples import kinds, wanted  # noqa: F401  (register 抽查 as evidence, the drawn as households to visit)
