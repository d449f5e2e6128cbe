"""Cases that wait for their sample, many at once, and a sample drawn and checked at a stroke for stories about other things."""

from datetime import date, timedelta

from huimin.audit.models import Signature
from huimin.cases.evidence import Held
from huimin.cases.models import Case
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading
from huimin.samples.kinds import sampled
from huimin.samples.models import Agency, Check, Draw, DrawCase
from huimin.samples.seeding import Entry, digest_of, list_text, seed_of
from huimin.screening.models import Proposal
from tests.database.acting import superuser

NUMBER = "40917"
NOBODY = -1  # an account that acted on nothing


def sampled_at_once(by, on, case, step, demand) -> Held:
    """As if the case had been on a list of its own, drawn and found true: rows as the commands write them."""
    if not DrawCase.objects.filter(case=case, round=case.round, step=case.step).exists():
        digest = digest_of(list_text([Entry(case.number)]))
        event_on = on - timedelta(days=1)
        place = {"division": by.division}
        signature = Signature.objects.create(
            **place, act="抽签", subject="test", content_digest=digest, appointment=1, signer="甲", business_date=on
        )
        draw = Draw.objects.create(
            **place, office=by.office, programme=case.programme, step=case.step, title="测试", percent=100, basis="测试",
            size=1, must=0, quota=1, digest=digest, frozen_on=event_on - timedelta(days=1), frozen_by=1,
            signature=signature, event="pl5", event_on=event_on,
        )  # fmt: skip
        line = DrawCase.objects.create(
            draw=draw, case=case, division=case.division, household_id=case.household_id, number=case.number,
            round=case.round, step=case.step, must=False,
        )  # fmt: skip
        draw.first_number = draw.number = NUMBER
        draw.seed, draw.drawn_on, draw.state = seed_of(digest, "pl5", event_on, NUMBER), on, Draw.State.DRAWN
        draw.first_account, draw.drawn_account = 1, 2
        changed = ["first_number", "number", "seed", "drawn_on", "state", "first_account", "drawn_account"]
        draw.save(update_fields=changed)
        agency, _ = Agency.objects.get_or_create(
            **place, contract_no="测试", defaults={
                "name": "机构", "valid_from": date(2020, 1, 1), "valid_to": date(2030, 1, 1), "scope": "测试", "fee_fen": 0,
                "quality": "测试", "recorded_by": 1, "recorded_on": on,
            },
        )  # fmt: skip
        DrawCase.objects.filter(pk=line.pk).update(agency=agency, assigned_on=on, due_on=on)
        Check.objects.create(
            line=line, division=case.division, way="agency", agency=agency, paper="报告", checkers="甲、乙", checked_on=on,
            result="true", appointment=1, account=NOBODY, recorded_on=on, signature=signature,
        )  # fmt: skip
    return sampled(case, step, demand, on)


def households(count, programme="dibao-rural"):
    """Households the screening proposes to enter, in order."""
    with reading(county_officer()):
        rows = Proposal.objects.filter(programme=programme, kind="enter", state="open", person=None).order_by("id")
        return list(rows.values_list("household_id", "household__division")[:count])


_COPIED = {
    "cases_caseact": "case_id", "cases_caseevidence": "case_id", "cases_casepaper": "case_id", "cases_casereport": "case_id",
}  # fmt: skip


def copies(url, case, others):
    """The same way behind them: cases of other households that stand where `case` stands; their numbers.

    Written by the superuser with triggers off: thirty walks would take as many seconds and prove nothing more.
    """
    made = []
    with superuser(url) as database, database.cursor() as cursor:
        for household, division in others:
            (number,) = _copied(cursor, "cases_case", "id = %s", case.pk, household_id=household, division=division)
            for table, column in _COPIED.items():
                _copied(cursor, table, f"{column} = %s", case.pk, division=division, case_id=number)
            made.append(number)
    return made


def _copied(cursor, table, which, value, **changed):
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
        " AND column_name <> 'id' ORDER BY 1", [table],
    )  # fmt: skip
    names = [name for (name,) in cursor.fetchall()]
    selected = ", ".join("%s" if name in changed else f'"{name}"' for name in names)
    given = [changed[name] for name in names if name in changed]
    columns = ", ".join(f'"{name}"' for name in names)
    cursor.execute(
        f"INSERT INTO {table} ({columns}) SELECT {selected} FROM {table} WHERE {which} ORDER BY id RETURNING id",
        [*given, value],
    )
    return [number for (number,) in cursor.fetchall()]


def numbered(ids):
    with reading(county_officer()):
        return {case.pk: case for case in Case.objects.filter(pk__in=ids).select_related("process")}
