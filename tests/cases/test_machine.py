"""Random acts by random people, against the database: no grant without every step, none by a wrong or the same person (SEC-02, SEC-07).

A Hypothesis state machine drives one case of the real commands, with real visits, meetings and samples; refusals are expected
and change nothing. After every act the book is compared with a model of its own: which steps stand, who did them, and what
each rested on. Anybody objects to a notice at any time: nothing moves before the answer, and what was upheld is not passed (CASE-06).
"""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from huimin.cases.asking import withdraw_case
from huimin.cases.models import Case, CaseAct, CaseEvidence
from huimin.cases.taking import countersign, publish_case, take_step, write_report
from huimin.casework.models import Decision, Entitlement
from huimin.demo.granting import county_officer
from huimin.kernel.errors import Refusal
from huimin.notices.models import Notice, NoticeRow, Objection
from huimin.notices.objections import Review, answer_objection, file_objection
from huimin.organisation.acting import reading
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.processes.language import END
from huimin.processes.queries import way_of
from tests.cases.people import DAY, ask, entering, people
from tests.journeys.walking import Walker, elect
from tests.visits.people import sign, visit

ALMOST = 4  # of five acts, four are what the case waits for, so that runs come far


class Walk(RuleBasedStateMachine):
    """One case from its acceptance on."""

    taken = 0
    elected: set[str] = set()

    @initialize(steps=st.sampled_from([10, 7, 5, 8, 3, 6, 9, 1]))
    def asked(self, steps) -> None:
        """Asked, and taken on its way: the simplest walk is a whole one."""
        self.house = entering(nth=0)
        self.who = people(self.house)
        if (village := self.house.division[:12]) not in Walk.elected:
            elect(village, self.who, DAY)
            Walk.elected.add(village)
        self.case = ask(self.house, self.who[Post.CLERK])
        self.way = way_of(self.case.process)
        self.on = DAY
        self.round, self.at, self.over = 1, self.way.first.next, ""
        self.stands = {self.way.first.key: self.who[Post.CLERK].account}
        self.go_on(steps)

    def now(self):
        return self.way.step(self.at)

    def actor(self, draw_right, post):
        right = self.now().acting[0].post
        by = self.who[right] if draw_right else self.who[post]
        return self.who[Post.CLERK] if draw_right and self.who[Post.CLERK].post in self.now().posts else by

    @precondition(lambda self: not self.over)
    @rule(
        right=st.integers(0, ALMOST),
        post=st.sampled_from(
            [Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.DEPARTMENT_APPROVER, Post.SUPERVISOR]
        ),
    )
    def filled(self, right, post) -> None:
        """Write, publish, countersign what the step asks for; some of it by the wrong people."""
        self.fill_in(self.actor(right > 0, post))

    def fill_in(self, by) -> None:
        for demand in self.now().demands:
            acts: dict[str, Callable[[], object]] = {
                "报告": lambda d=demand: write_report(
                    by=by, on=self.on, case_id=self.case.pk, name=d.name, text="经核实属实。"
                ),
                "公示": lambda: publish_case(by=by, on=self.on, case_id=self.case.pk),
                "入户调查": lambda: self.look(by),
                "民主评议": lambda: self.room({Post.INFORMATION_OFFICER: by}, "reviewed"),
                "抽查": lambda: self.room({Post.DEPARTMENT_OFFICER: by}, "sampled"),
            }
            try:
                acts.get(demand.kind, lambda: None)()
                for each in demand.acting:
                    countersign(by=self.who[each.post], on=self.on, case_id=self.case.pk, agreed=True, text="")
            except Refusal:
                pass

    def look(self, by) -> None:
        """Visited by two, signed by both sides."""
        sign(visit(self.case, self.who, by=by, on=self.on), self.who, by=by, on=self.on)

    def room(self, instead, act) -> None:
        """A meeting, or a sample drawn and checked; the day moves on with it."""
        walker = Walker(self.case, self.who | instead, self.on, self.who[Post.CLERK])
        try:
            getattr(walker, act)(self.now(), None)
        finally:
            self.on = walker.on

    @precondition(lambda self: not self.over)
    @rule(steps=st.sampled_from([2, 1, 3]))
    def went_on(self, steps) -> None:
        self.go_on(steps)

    def go_on(self, steps) -> None:
        """As the office works on a good day: filled, waited for, passed; so that walks come far."""
        for _ in range(steps):
            if self.over:
                return
            self.fill_in(self.actor(True, Post.CLERK))
            self.on += timedelta(days=8)
            self.attempt(self.actor(True, Post.CLERK), self.at, "passed", "")

    @precondition(lambda self: not self.over)
    @rule(upheld=st.sampled_from([False, True, None]), by=st.sampled_from([Post.INFORMATION_OFFICER, Post.CLERK]))
    def objected(self, upheld, by) -> None:
        """Somebody objects to what hangs now; it is answered or (None) left open."""
        with reading(county_officer()):
            rows = NoticeRow.objects.filter(notice__subject__startswith=f"case:{self.case.pk}:", notice__state="open")
            row = rows.order_by("division").last()
        if row is None:
            return
        try:
            made = file_objection(by=self.who[by], on=self.on, row_id=row.pk, text=f"第 {self.on} 天的意见")
            if upheld is not None:
                review = Review("investigation", self.on, "审核员、组长", "上门核实")
                answer_objection(
                    by=self.who[Post.REVIEWER],
                    on=self.on,
                    objection_id=made.pk,
                    upheld=upheld,
                    answer="已核实",
                    review=review,
                )
        except Refusal:
            return

    def objections(self, **where) -> bool:
        subject = f"case:{self.case.pk}:{self.round}:{self.at}"
        with reading(county_officer()):
            rows = Objection.objects.filter(notice__subject=subject, **where).exclude(notice__state="withdrawn")
            return rows.exists()

    @precondition(lambda self: not self.over)
    @rule()
    def answered(self) -> None:
        """What was left open is looked into."""
        with reading(county_officer()):
            rows = list(Objection.objects.filter(notice__subject__startswith=f"case:{self.case.pk}:", state="open"))
        for row in rows:
            review = Review("review", self.on, "审核员、组长", "重新评议")
            answer_objection(
                by=self.who[Post.REVIEWER],
                on=self.on,
                objection_id=row.pk,
                upheld=False,
                answer="不属实",
                review=review,
            )

    @rule(days=st.sampled_from([0, 1, 7, 8]))
    def waited(self, days) -> None:
        self.on += timedelta(days=days)

    @precondition(lambda self: not self.over)
    @rule(
        right=st.integers(0, ALMOST), outcome=st.sampled_from(["passed"] * 6 + ["returned", "refused", "extended"]),
        post=st.sampled_from(list(Post)[:9]), seen=st.integers(0, ALMOST), data=st.data(),
    )  # fmt: skip
    def taken_on(self, right, outcome, post, seen, data) -> None:
        if not right and post not in self.who:
            return
        by = self.actor(right > 0, post)
        step = self.at if seen else data.draw(st.sampled_from([each.key for each in self.way.steps]))
        ways = [*self.now().returns, *([self.now().objection] if self.now().objection else [])] or ["没有"]
        to = data.draw(st.sampled_from(ways)) if outcome == "returned" else ""
        self.attempt(by, step, outcome, to)

    def attempt(self, by, step, outcome, to) -> None:
        """One act; a refusal changes nothing, which the invariant checks."""
        waits, upheld = self.objections(state="open"), self.objections(state="upheld")
        try:
            take_step(by=by, on=self.on, case_id=self.case.pk, step=step, outcome=outcome, reason="写明理由", to=to)
        except Refusal:
            return
        assert not (waits and outcome != "extended"), "moved while an objection waited"
        assert not (upheld and outcome == "passed"), "passed although an objection was upheld"
        self.follow(by, step, outcome, to)

    def follow(self, by, step, outcome, to) -> None:
        """What the model says of an act that was not refused."""
        now = self.now()
        assert step == self.at and now.may(by.post, by.level), "an act at another step or by another post"
        assert not any(self.stands.get(key) == by.account for key in now.another), "the same person twice"
        if outcome == "passed":
            self.stands[step] = by.account
            self.at = "" if now.next == END else now.next
        elif outcome == "returned":
            assert to in now.returns or to == now.objection
            order = [each.key for each in self.way.steps]
            self.stands = {key: who for key, who in self.stands.items() if order.index(key) < order.index(to)}
            self.at, self.round = to, self.round + 1
        elif outcome == "refused":
            assert now.refuses
            self.at = ""
        if not self.at:
            self.over = "granted" if outcome == "passed" else "refused"

    @invariant()
    def book_and_model_agree(self) -> None:
        if not hasattr(self, "case"):
            return
        with reading(county_officer()):
            case = Case.objects.get(pk=self.case.pk)
            assert (case.step, case.round) == (self.at, self.round)
            granted = Entitlement.objects.filter(decision__case_number=case.pk).exists()
            assert granted == (case.state == "granted") == (self.over == "granted")
            if granted:
                assert set(case.process.demanded) <= set(self.stands)
            assert Decision.objects.filter(case_number=case.pk).count() == bool(self.over)
            for act in CaseAct.objects.filter(case=case, outcome="passed"):
                wanted = {each.kind for each in self.way.step(act.step).demands}
                held = CaseEvidence.objects.filter(case=case, step=act.step, round=act.round)
                assert wanted <= set(held.values_list("kind", flat=True)), act.step
                assert Appointment.objects.get(pk=act.appointment).post in self.way.step(act.step).posts
            ended = Notice.objects.filter(subject__startswith=f"case:{case.pk}:", state=Notice.State.ENDED)
            assert all((row.ended_on - row.starts_on).days > 7 for row in ended)

    def teardown(self) -> None:
        """What is left open is withdrawn, so that the next run may ask for the same household."""
        if hasattr(self, "case"):
            if not self.over:
                withdraw_case(by=self.who[Post.CLERK], on=self.on, case_id=self.case.pk, reason="重新来过")
            Walk.taken += 1


def test_random_acts_never_grant_without_every_step_sec_07(county):
    Walk.taken, Walk.elected = 0, set()
    county("screened")
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=4, stateful_step_count=12, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    with reading(county_officer()):
        acts = CaseAct.objects.count()
        granted = Case.objects.filter(state="granted").count()
    assert acts >= 20 and granted >= 1, f"{Walk.taken} walks came nowhere: {acts} acts"
