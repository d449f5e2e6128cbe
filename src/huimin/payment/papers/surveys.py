"""基本信息表 on paper: three copies to sign (户, 村, 乡镇), each with its code and lines for signature and fingerprint (REG-02).

in    a household, the facts its county added, the address of its page
out   PDF/A-2b; identity numbers, addresses and phones masked as on the page; facts nobody asked are empty lines to fill in

Law: 皖政办〔2008〕23号 附件3 第14条: in three copies, signed or with a fingerprint, by whom and when.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.divisions.queries import chain_names
from huimin.kernel.facts import Fact
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.posts import Post
from huimin.payment.papers.sheets import square_code
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable
from huimin.registry.queries import Member, get_household
from huimin.registry.showing import UNASKED, Shown

TITLE = "农户基本信息表"
COPIES = ("第一联　农户留存", "第二联　村代理点留存", "第三联　乡镇归档")


def survey_pdf(
    *, by: Actor, on: date, household: int, address: str, added: Sequence[Fact] = (), mark: str = ""
) -> bytes:
    """The form of a household in three copies; NotRegistered, NoFonts. `address` is what its code leads to."""
    content = gather_survey(by=by, on=on, household=household, added=added)
    return typeset("survey", {**content, "code": square_code(address), "address": address}, on=on, mark=mark)


@command(Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER)
def gather_survey(*, by: Actor, on: date, household: int, added: Sequence[Fact] = ()) -> dict[str, Any]:
    """What the form says; remembers that it was taken."""
    state = get_household(household, by, on, added=added)
    record_event(by, Event.Kind.EXPORTED, f"survey:{household}", {"people": len(state.members)})
    return {
        "title": TITLE,
        "copies": list(COPIES),
        "issuer": by.office_name,
        "place": "".join(chain_names(state.household.division, on)[2:]),
        "number": state.household.household_no,
        "head": state.head.person.name if state.head else "",
        "people": len(state.members),
        "contact": f"{state.address or '　'}　{state.phone}",
        "date": day_in_words(on),
        "facts": [[each.fact.name, _value(each)] for each in state.facts],
        "members": [_member(each) for each in state.members],
    }


def _value(shown: Shown) -> str:
    return "" if shown.text == UNASKED else wrappable(shown.text)


def _member(member: Member) -> dict[str, Any]:
    """Who, and what is known of him; what nobody asked by name, to be asked on the spot."""
    known = [f"{each.fact.name}：{each.text}" for each in member.facts if each.text != UNASKED]
    return {
        "name": wrappable(member.person.name),
        "relation": member.relation,
        "sex": member.person.sex,
        "born": member.person.birth_date.isoformat(),
        "identity": member.id_number,
        "known": "；".join(known),
        "unasked": "　".join(
            f"{each.fact.name}＿＿＿＿"
            for each in member.facts
            if each.text == UNASKED and each.fact.code not in ("death_date", "moved_out_date")
        ),
    }
