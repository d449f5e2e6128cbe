"""Work done ahead and beside: another thread makes what this one will want next.

in    an iterator or a function, which may use the database: its thread has connections of its own, closed when it ends
out   the same items in the same order, or a future; what was raised there is raised where its outcome is wanted
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")
_END = object()


@contextmanager
def beside(work: Callable[[], T]) -> Iterator["Future[T]"]:
    """The work, under way in another thread; waited for when the block is left."""

    def done() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(done)


@contextmanager
def ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """`items`, one of them waiting and one in the making. Left early, the thread ends with the item it is at."""
    made: Queue[Any] = Queue(maxsize=1)
    unwanted = threading.Event()

    def make() -> None:
        try:
            for item in items:
                made.put(item)
                if unwanted.is_set():
                    break
        finally:
            made.put(_END)

    with beside(make) as making:
        try:
            yield _taken(made, making)
        finally:
            unwanted.set()
            while not making.done():
                _drop(made)


def _taken(made: "Queue[Any]", making: "Future[None]") -> Iterator[Any]:
    while (item := made.get()) is not _END:
        yield item
    making.result()


def _drop(made: "Queue[Any]") -> None:
    """Make room for whoever waits to put something in."""
    try:
        made.get(timeout=0.05)
    except Empty:
        return
