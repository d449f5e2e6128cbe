"""Reads of imports; inside `reading(by)`."""

from huimin.database.paging import SIZE, Page, cut
from huimin.importing.models import Import


def get_import(number: int) -> Import:
    """Import.DoesNotExist when it is not there or not in the actor's place."""
    return Import.objects.get(pk=number)


def list_imports(prefix: str, *, state: str = "", place: str = "", size: int = SIZE) -> Page[Import]:
    """A page of imports beneath `prefix`, newest first."""
    found = Import.objects.filter(division__gte=prefix, division__lt=prefix + "~")
    return cut(found.filter(state=state) if state else found, ("-id",), place, size)


def find_same_file(row: Import) -> Import | None:
    """The last finished import of the same bytes in the same place."""
    same = Import.objects.filter(file_sha256=row.file_sha256, division=row.division, state=Import.State.FINISHED)
    return same.exclude(pk=row.pk).order_by("-id").first()
