"""What a transaction declares of who acts, for row-level security and the change log.

`declare` is the first statement of every transaction of a command or page. Settings are local to the transaction, so
a pooled connection forgets them at commit or rollback; policies read an empty setting as "nobody" and show nothing.
"""

from dataclasses import dataclass

from django.db import connections

_SETTINGS = ("scope_from", "scope_to", "chain", "audience", "office", "appointment", "request")


@dataclass(frozen=True)
class Scope:
    """Rows with scope_from <= division < scope_to; `chain` the codes above, comma separated."""

    scope_from: str
    scope_to: str
    chain: str
    audience: str
    office: str
    appointment: str
    request: str = ""


def scope_of(prefix: str) -> tuple[str, str]:
    """The half-open range of codes that begin with `prefix`; "" is refused, it would mean everywhere."""
    assert prefix.isdigit(), "a scope needs at least a province"
    return prefix, prefix + "~"


def declare(scope: Scope, using: str = "default") -> None:
    """Set the transaction's context; must run inside a transaction."""
    connection = connections[using]
    assert connection.in_atomic_block, "context is declared inside a transaction"
    settings = ", ".join(f"set_config('app.{name}', %s, true)" for name in _SETTINGS)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {settings}", [getattr(scope, name) for name in _SETTINGS])
