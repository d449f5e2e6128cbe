"""A private instance for one benchmark: a durable cluster of its own below var/, removed afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huimin.database import instance


@contextmanager
def private_instance() -> Iterator[Path]:
    """The folder of an instance that is up, with an empty database."""
    (instance.ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=instance.ROOT / "var") as home:
        os.environ |= {
            "HUIMIN_HOME": home,
            "HUIMIN_DB_NAME": "huimin_bench",
            "HUIMIN_DEMO": "1",
            "HUIMIN_PLAIN_HTTP": "1",
        }
        os.environ.pop("DATABASE_URL", None)
        try:
            for _ in instance.bring_up():
                pass
            yield Path(home)
        finally:
            instance.private_cluster().remove()
