"""Officers and relatives the tests of recusal share."""

from datetime import date
from typing import Any

from huimin.database.personal import ID_NUMBER, plain
from huimin.kinship.declaring import Kin, declare_kin
from huimin.kinship.models import Declaration
from huimin.organisation.acting import Actor
from huimin.registry.models import Person

DECLARED = date(2021, 6, 25)


def kin_of(person: Person, **more: Any) -> Kin:
    """`person` as an officer's brother."""
    told = {"relation": "sibling", "name": person.name, "id_number": plain(person.id_number_enc, ID_NUMBER)}
    return Kin(**{**told, "benefit": "农村低保", **more})


def declare(by: Actor, *people: Person, on: date = DECLARED, **more: Any) -> Declaration:
    return declare_kin(by=by, on=on, relatives=[kin_of(each, **more) for each in people], none=False)
