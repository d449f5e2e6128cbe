"""Home visits: who went where on which day, whom they met, what they found, who signed, what was doubtful (CASE-02, VER-02).

A visit is written once. What was found (words by subject, what neighbours said, where the telephone was) is one sealed text:
it speaks of health and of third people. Papers and photos are attachments of the household. A difference to what is
registered is a row of its own, because it must be settled with the household before anybody goes on.

    recorded ──► signed     both sides signed, or the household's refusal was witnessed: counts as evidence
        └──────────┴──► void     a mistake, with its reason; never one that a passed step rests on

Beside visits: letters that ask an employer (`ProofLetter`), and letters that ask another place to visit (`Entrustment`).
Rows keep the division the visit was made in, as the case does. Migrations 0002 and 0004 hold the promises whoever writes.
"""

from datetime import date

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.cases.models import Case
from huimin.database.tables import DivisionField, SealedField, Table, TableClass
from huimin.registry.models import Attachment, Household, Person, ReportedChange


class Visit(Table):
    """One visit of a household for a matter (`subject`) in its round, or an attempt at which nobody was at home."""

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "digest", "signature", "signed_on", "refused", "witness", "voided_by", "voided_on", "void_reason",
    )  # fmt: skip

    class Purpose(models.TextChoices):
        APPLICATION = "application", "申请调查"
        RECHECK = "recheck", "定期复核"
        RECTIFICATION = "rectification", "专项整治"
        SAMPLE = "sample", "抽查"

    class Met(models.TextChoices):
        APPLICANT = "applicant", "申请人本人"
        FAMILY = "family", "家庭成员"
        NOBODY = "nobody", "家中无人"

    class State(models.TextChoices):
        RECORDED = "recorded", "待签字"
        SIGNED = "signed", "已签字"
        VOID = "void", "已作废"

    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="visits")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="visits")
    subject = models.CharField(max_length=80)
    purpose = models.CharField(max_length=14, choices=Purpose.choices)
    round = models.SmallIntegerField(default=1)
    visited_on = models.DateField()
    met = models.CharField(max_length=10, choices=Met.choices)
    met_name = models.CharField(max_length=60, default="")
    payload_enc = SealedField()
    payload_hash = models.BinaryField()
    client_id = models.UUIDField(null=True, unique=True)
    entrustment = models.OneToOneField("Entrustment", on_delete=models.PROTECT, null=True, related_name="visit")
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECORDED)
    digest = models.CharField(max_length=64, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)
    signed_on = models.DateField(null=True)
    refused = models.CharField(max_length=200, default="")
    witness = models.CharField(max_length=60, default="")
    voided_by = models.BigIntegerField(null=True)
    voided_on = models.DateField(null=True)
    void_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="home_visit_not_in_the_future", condition=Q(visited_on__lte=F("recorded_on"))),
            models.CheckConstraint(
                name="home_visit_signed_with_digest",
                condition=~Q(state="signed") | Q(signed_on__isnull=False, signature__isnull=False) & ~Q(digest=""),
            ),
            models.CheckConstraint(
                name="home_visit_signed_met_somebody", condition=~Q(state="signed") | ~Q(met="nobody")
            ),
            models.CheckConstraint(name="home_visit_refusal_witnessed", condition=Q(refused="") | ~Q(witness="")),
            models.CheckConstraint(name="home_visit_void_with_reason", condition=~Q(state="void") | ~Q(void_reason="")),
            models.UniqueConstraint(
                fields=["subject", "round", "household", "visited_on", "met"],
                condition=~Q(state="void"),
                name="home_visit_once_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["subject", "round"], name="home_visit_subject"),
            models.Index(fields=["division", "visited_on", "id"], name="home_visit_place"),
            models.Index(fields=["division", "id"], name="home_visit_unsigned", condition=Q(state="recorded")),
            # The county's list, the latest first: without this, all visits are sorted for one page.
            models.Index(fields=["-visited_on", "-id"], name="home_visit_latest"),
        ]

    @property
    def number(self) -> str:
        """As papers name it."""
        return f"{self.visited_on.year}{self.pk:07d}"

    @property
    def counts(self) -> bool:
        return self.state == self.State.SIGNED


class Investigator(Table):
    """One of those who went, under the appointment held that day; of an entrusted visit outside the system the name only."""

    table_class = TableClass.SUBTREE

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="investigators", db_index=False)
    division = DivisionField()
    appointment = models.BigIntegerField(null=True)
    account = models.BigIntegerField(null=True)
    title = models.CharField(max_length=160)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "account"], name="home_visit_investigator_once"),
            models.UniqueConstraint(fields=["visit", "title"], name="home_visit_investigator_named_once"),
        ]
        indexes = [models.Index(fields=["appointment", "visit"], name="home_visit_of_investigator")]

    @property
    def name(self) -> str:
        """Without office and post."""
        return self.title.split()[-1]


class VisitPaper(Table):
    """A photo, the signed form, or a signature drawn on the telephone; `signer` says whose.

    Where a photo was taken (`payload`, sealed) leads to a household's door, so it is kept as an address is.
    """

    table_class = TableClass.SUBTREE

    class Kind(models.TextChoices):
        PHOTO = "photo", "现场照片"
        FORM = "form", "签字的调查表"
        HOUSEHOLD = "household", "被调查人签名"
        INVESTIGATOR = "investigator", "调查人签名"
        OTHER = "other", "其他材料"

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="papers", db_index=False)
    division = DivisionField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    attachment = models.ForeignKey(Attachment, on_delete=models.PROTECT, db_index=False)
    sha256 = models.CharField(max_length=64, db_collation="C")
    signer = models.BigIntegerField(null=True)
    title = models.CharField(max_length=80)
    taken_at = models.DateTimeField(null=True)
    payload_enc = SealedField(null=True)
    payload_hash = models.BinaryField(null=True)
    added_by = models.BigIntegerField()
    added_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "sha256", "kind"], name="home_visit_paper_once"),
            models.UniqueConstraint(
                fields=["visit", "signer"], condition=Q(kind="investigator"), name="home_visit_signature_once"
            ),
            models.UniqueConstraint(
                fields=["visit"], condition=Q(kind="household"), name="home_visit_household_signature_once"
            ),
            models.CheckConstraint(
                name="home_visit_signature_of_somebody",
                condition=Q(kind="investigator", signer__isnull=False) | ~Q(kind="investigator") & Q(signer=None),
            ),
        ]


class Doubt(Table):
    """疑点: what a visit or a letter found differs from what the household declared; its answer is kept with the evidence.

    open ──► confirmed (so it is: a change of the registry follows, when it is a fact) · refuted (with the paper that shows it)

    `fact` is the code of a registry fact, with both values in the system's form; without one `what` says it in words.
    """

    table_class = TableClass.SUBTREE
    changeable = ("state", "answer", "evidence", "attachment", "settled_by", "settled_on", "change")

    class State(models.TextChoices):
        OPEN = "open", "待核实"
        CONFIRMED = "confirmed", "查实"
        REFUTED = "refuted", "排除"

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="doubts", db_index=False)
    letter = models.ForeignKey("ProofLetter", on_delete=models.PROTECT, null=True, related_name="doubts")
    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="doubts")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="doubts")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, db_index=False)
    fact = models.CharField(max_length=40, default="")
    registered = models.JSONField(null=True)
    found = models.JSONField(null=True)
    what = models.CharField(max_length=300, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    answer = models.CharField(max_length=500, default="")
    evidence = models.CharField(max_length=120, default="")
    attachment = models.ForeignKey(Attachment, on_delete=models.PROTECT, null=True, db_index=False)
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    change = models.ForeignKey(ReportedChange, on_delete=models.PROTECT, null=True, related_name="doubts")
    raised_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["visit", "letter", "person", "fact", "what"], name="doubt_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="doubt_from_visit_or_letter",
                condition=Q(visit__isnull=False, letter=None) | Q(visit=None, letter__isnull=False),
            ),
            models.CheckConstraint(name="doubt_of_something", condition=~Q(fact="") | ~Q(what="")),
            models.CheckConstraint(
                name="doubt_settled_with_answer",
                condition=Q(state="open", settled_on=None)
                | ~Q(state="open") & Q(settled_on__isnull=False) & ~Q(answer=""),
            ),
            models.CheckConstraint(name="doubt_refuted_with_evidence", condition=~Q(state="refuted") | ~Q(evidence="")),
        ]
        indexes = [
            models.Index(fields=["visit", "id"], name="doubt_of_visit"),
            models.Index(fields=["division", "id"], name="doubt_waiting", condition=~Q(state="refuted")),
        ]


class ProofLetter(Table):
    """信函索证: an employer or another place is asked about a member of the household, by a day; what it answered.

    sent ──► answered (a wage that differs raises a doubt) · withdrawn, with its reason
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "answer", "wage_fen", "attachment", "answered_by", "answered_on", "withdrawn_by", "withdrawn_on", "reason",
    )  # fmt: skip

    class Kind(models.TextChoices):
        EMPLOYER = "employer", "工作单位"
        SERVICE = "service", "劳务、服务处所"
        SCHOOL = "school", "学校"
        HOSPITAL = "hospital", "医院"
        OTHER = "other", "其他单位"

    class State(models.TextChoices):
        SENT = "sent", "等回函"
        ANSWERED = "answered", "已回函"
        WITHDRAWN = "withdrawn", "已撤回"

    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="proof_letters")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="proof_letters")
    subject = models.CharField(max_length=80)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    addressee = models.CharField(max_length=80)
    place = models.CharField(max_length=120, default="")
    question = models.CharField(max_length=300)
    issued_by = models.BigIntegerField()
    issued_on = models.DateField()
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.SENT)
    answer = models.CharField(max_length=500, default="")
    wage_fen = models.BigIntegerField(null=True)
    attachment = models.ForeignKey(Attachment, on_delete=models.PROTECT, null=True, db_index=False)
    answered_by = models.BigIntegerField(null=True)
    answered_on = models.DateField(null=True)
    withdrawn_by = models.BigIntegerField(null=True)
    withdrawn_on = models.DateField(null=True)
    reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "person", "addressee"], condition=Q(state="sent"), name="proof_letter_open_once"
            ),
            models.CheckConstraint(name="proof_letter_due_later", condition=Q(due_on__gt=F("issued_on"))),
            models.CheckConstraint(
                name="proof_letter_answered",
                condition=~Q(state="answered") | Q(answered_on__gte=F("issued_on")) & ~Q(answer=""),
            ),
            models.CheckConstraint(
                name="proof_letter_withdrawn_with_reason", condition=~Q(state="withdrawn") | ~Q(reason="")
            ),
        ]
        indexes = [
            models.Index(fields=["division", "due_on", "id"], name="proof_letter_open", condition=Q(state="sent")),
            models.Index(fields=["division", "id"], name="proof_letter_place"),
        ]

    @property
    def number(self) -> str:
        return f"{self.issued_on.year}{self.pk:06d}"

    def overdue(self, on: date) -> bool:
        return self.state == self.State.SENT and self.due_on < on


class Entrustment(Table):
    """委托调查函: another place is asked to visit people of ours who live there (人户分离), by a day; and what it answered.

    sent ──► answered ──► taken: what they found became a Visit of ours
       ├──► returned: they could not, and say why
       └──► withdrawn

    `to_division` is a village of this county: one row of two places, which shows it whom to visit, where, what is asked, and
    nothing else of the case. Empty for a place outside, which gets a printed letter; its answer is entered here with the paper.
    """

    table_class = TableClass.ADDRESSED
    addressed_column = "to_division"
    changeable = (
        "state", "visited_on", "met", "met_name", "went", "payload_enc", "payload_hash", "form_sha256", "reply_signature",
        "replied_by", "replied_on", "why_not", "withdrawn_by", "withdrawn_on", "taken_by", "taken_on",
    )  # fmt: skip

    class State(models.TextChoices):
        SENT = "sent", "等回复"
        ANSWERED = "answered", "已回复，待收下"
        TAKEN = "taken", "已收下"
        RETURNED = "returned", "未能调查"
        WITHDRAWN = "withdrawn", "已撤回"

    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="entrustments")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="entrustments")
    subject = models.CharField(max_length=80)
    purpose = models.CharField(max_length=14, choices=Visit.Purpose.choices)
    round = models.SmallIntegerField(default=1)
    who = models.CharField(max_length=120)
    to_division = DivisionField(default="")
    to_office = models.CharField(max_length=80)
    address_enc = SealedField()
    address_hash = models.BinaryField()
    asks = models.CharField(max_length=500)
    issued_by = models.BigIntegerField()
    issuer = models.CharField(max_length=160)
    issued_on = models.DateField()
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.SENT)
    visited_on = models.DateField(null=True)
    met = models.CharField(max_length=10, choices=Visit.Met.choices, default="")
    met_name = models.CharField(max_length=60, default="")
    went = models.JSONField(default=list)
    payload_enc = SealedField(null=True)
    payload_hash = models.BinaryField(null=True)
    form_sha256 = models.CharField(max_length=64, default="", db_collation="C")
    reply_signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)
    replied_by = models.CharField(max_length=160, default="")
    replied_on = models.DateField(null=True)
    why_not = models.CharField(max_length=300, default="")
    withdrawn_by = models.BigIntegerField(null=True)
    withdrawn_on = models.DateField(null=True)
    taken_by = models.BigIntegerField(null=True)
    taken_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "round", "household"],
                condition=Q(state__in=("sent", "answered")),
                name="entrustment_open_once",
            ),
            models.CheckConstraint(name="entrustment_due_later", condition=Q(due_on__gt=F("issued_on"))),
            models.CheckConstraint(
                name="entrustment_answered",
                condition=~Q(state__in=("answered", "taken"))
                | Q(visited_on__isnull=False, payload_enc__isnull=False, reply_signature__isnull=False)
                & ~Q(form_sha256=""),
            ),
            models.CheckConstraint(name="entrustment_returned_why", condition=~Q(state="returned") | ~Q(why_not="")),
        ]
        indexes = [
            models.Index(
                fields=["division", "due_on", "id"],
                name="entrustment_open",
                condition=Q(state__in=("sent", "answered")),
            ),
            models.Index(fields=["to_division", "due_on", "id"], name="entrustment_here", condition=~Q(to_division="")),
            models.Index(fields=["division", "id"], name="entrustment_place"),
        ]

    @property
    def number(self) -> str:
        return f"{self.issued_on.year}{self.pk:06d}"

    def overdue(self, on: date) -> bool:
        return self.state == self.State.SENT and self.due_on < on
