"""Counting statements."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext


@pytest.fixture
def django_assert_max() -> Callable[[int, Callable[[], object]], bool]:
    """`django_assert_max(2, act)`: whether `act` takes at most two statements."""

    def count(most: int, act: Callable[[], object]) -> bool:
        with CaptureQueriesContext(connection) as asked:
            act()
        assert len(asked) <= most, "\n".join(each["sql"] for each in asked)
        return True

    return count
