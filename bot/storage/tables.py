"""The tables. Storage room: the shape of what we keep, nothing about when or why.

Everything about one person hangs below `conversations` and goes when that row goes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets time zones, so they are checked going in and added coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone: it could be two hours off."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment must carry its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All our tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), int: BigInteger()}


class ConversationRow(Base):
    """One person's conversation. `next_seq` is the number the next message gets."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    channel: Mapped[str] = mapped_column(String(32))
    consent: Mapped[bool | None]
    consent_at: Mapped[datetime | None]
    norm_kind: Mapped[str | None] = mapped_column(String(64))
    norm_label: Mapped[str | None] = mapped_column(String(200))
    #: Whose help lines the person reads; NULL: those of the place this server is for.
    region: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    next_seq: Mapped[int] = mapped_column(default=1, server_default="1")
    # What the engine still has to hear before this person's next message: that a crisis ended its form.
    engine_command: Mapped[str | None] = mapped_column(Text)
    # Who answers: 'bot', 'queue' (the bot, while a person waits for a coach) or 'coach'.
    owner: Mapped[str] = mapped_column(String(8), default="bot", server_default="bot")
    # Up to which number the person's page has shown what a coach wrote.
    seen_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    # Up to which number it has reached the person's browser.
    delivered_seq: Mapped[int] = mapped_column(default=0, server_default="0")


class MessageRow(Base):
    """One message of either side. A person's message is `pending` until its replies are stored with it."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "client_id"),
        Index(
            "ix_messages_pending",
            "conversation_id",
            "seq",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
    )

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(String(8))
    client_id: Mapped[str | None] = mapped_column(String(64))
    content_hash: Mapped[str | None] = mapped_column(String(64))
    reply_to: Mapped[int | None]
    body: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    # What a tapped quick reply sends to the engine in place of the text that is shown.
    payload: Mapped[str | None] = mapped_column(Text)
    # Name and role of the coach who wrote it, as the person reads them.
    author: Mapped[str | None] = mapped_column(String(200))
    # The case it belongs to, when it was said between the person and a coach. A coach reads these and no others.
    case_id: Mapped[str | None] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]


class CheckInRow(Base):
    """One round of a questionnaire. `content_hash` points to the questions as they were asked."""

    __tablename__ = "check_ins"
    __table_args__ = (Index("ix_check_ins_conversation", "conversation_id", "started_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    instrument: Mapped[str] = mapped_column(String(64))
    content_hash: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    # What triage found when the round was finished: level, fired and unknown rules, hash of the rules.
    triage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class AnswerRow(Base):
    """One answer as given: `value` for a score or one option, `codes` for several options.

    Both NULL is a question the person chose to skip.
    """

    __tablename__ = "answers"

    check_in_id: Mapped[str] = mapped_column(ForeignKey("check_ins.id", ondelete="CASCADE"), primary_key=True)
    item: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int | None]
    codes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    answered_at: Mapped[datetime]


class CrisisRow(Base):
    """One time that danger was seen or suspected.

    `stage` is the crisis flow's open question, at the end 'closed', or 'taken_back' when it was not meant so.
    `last_seq` is the person's last message that belongs to it: the guard does not judge that one again.
    """

    __tablename__ = "crises"
    __table_args__ = (Index("ix_crises_conversation", "conversation_id", "last_seq"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    verdict: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(32))
    third_party: Mapped[bool]
    stage: Mapped[str] = mapped_column(String(32))
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    last_seq: Mapped[int]


class TallyRow(Base):
    """How often the guard spoke up and how often that was put right, per day; nothing about who."""

    __tablename__ = "guard_tally"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    event: Mapped[str] = mapped_column(String(16), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    count: Mapped[int]


class ForgottenRow(Base):
    """A conversation whose tracker the engine still has to delete. Holds nothing about the person."""

    __tablename__ = "forgotten"

    conversation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    requested_at: Mapped[datetime]


class HandOffRow(Base):
    """Where a person is on the way to a coach: the open question, and what they chose so far."""

    __tablename__ = "hand_offs"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    stage: Mapped[str] = mapped_column(String(32))
    draft: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed_at: Mapped[datetime]


class AccountRow(Base):
    """Someone who works at the desk. Sees the cases of `organisation` and `region`; NULL does not limit."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(16))
    organisation: Mapped[str | None] = mapped_column(String(64))
    region: Mapped[str | None] = mapped_column(String(32))
    password_hash: Mapped[str] = mapped_column(String(200))
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    # The last time step whose code was used: no code counts twice.
    totp_step: Mapped[int] = mapped_column(default=0, server_default="0")
    recovery_hashes: Mapped[list[str]] = mapped_column(JSON)
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None]
    presence: Mapped[str] = mapped_column(String(16), default="away", server_default="away")
    presence_at: Mapped[datetime | None]
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class DeskSessionRow(Base):
    """One log-in. `passed_at` is NULL until the second factor was given: till then it opens nothing else."""

    __tablename__ = "desk_sessions"
    __table_args__ = (Index("ix_desk_sessions_account", "account_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    passed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class CaseRow(Base):
    """A request that a coach takes up. What the person did not choose to share is not in it."""

    __tablename__ = "cases"
    # Cases are large, and the queue and the figures count many of them: the first three hold all that is counted, so
    # that no case is read for it (measured: bench.desk).
    __table_args__ = (
        Index(
            "ix_cases_open",
            *("urgency", "due_at", "number", "organisation", "region", "state", "owner_id", "contacted_at"),
            sqlite_where=text("state != 'closed'"),
            postgresql_where=text("state != 'closed'"),
        ),
        Index(
            "ix_cases_all",
            *("urgency", "due_at", "number", "organisation", "region", "state", "owner_id", "contacted_at"),
            *("opened_at", "claimed_at", "closed_at", "outcome"),
        ),
        Index("ix_cases_closed", "closed_at", "organisation", "region", "outcome"),
        Index("ix_cases_owner", "owner_id", "state"),
        Index("ix_cases_conversation", "conversation_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    # What people say to each other about it on the phone.
    number: Mapped[int] = mapped_column(unique=True)
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id", ondelete="SET NULL"))
    organisation: Mapped[str] = mapped_column(String(64))
    region: Mapped[str] = mapped_column(String(32))
    origin: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    urgency: Mapped[str] = mapped_column(String(8))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    claimed_at: Mapped[datetime | None]
    contacted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(32))
    follow_up_on: Mapped[str | None] = mapped_column(String(10))
    flagged_at: Mapped[datetime | None]
    # How the person wants to be reached: `way` (phone, mail, chat), `name`, `phone`, `mail`, `moment` in words.
    contact: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Shared check-in: as bot.escalation.sharing makes it; NULL when the person said no.
    scores: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    words: Mapped[str | None] = mapped_column(Text)
    # Fired rules, in words for the coach.
    reasons: Mapped[list[str]] = mapped_column(JSON)
    return_code_hash: Mapped[str | None] = mapped_column(String(200), unique=True)
    # In a live conversation: who is to write next ('coach' or 'person'), and since when.
    turn_of: Mapped[str | None] = mapped_column(String(8))
    turn_since: Mapped[datetime | None]


class CaseEventRow(Base):
    """What happened to a case, in order. `actor`: an account's id, 'person' or 'system'."""

    __tablename__ = "case_events"
    __table_args__ = (Index("ix_case_events_case", "case_id", "id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(32))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class NotificationRow(Base):
    """Something to tell someone outside. `id` is its idempotency key, `dedupe` says what it is about."""

    __tablename__ = "notifications"
    __table_args__ = (Index("ix_notifications_due", "state", "next_try_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    dedupe: Mapped[str] = mapped_column(String(200), unique=True)
    channel: Mapped[str] = mapped_column(String(16))
    recipient: Mapped[str] = mapped_column(String(254))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(8))
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(200))


class InstallationRow(Base):
    """What is made once for an installation: the salt of the return codes."""

    __tablename__ = "installation"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(128))


class AuditRow(Base):
    """Who did or opened what at the desk. Each row's hash covers the one before: a changed row shows."""

    __tablename__ = "audit_log"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class ChoiceRow(Base):
    """What someone meant where the assistant was not sure. Nothing in it leads back to a person; `at` is the day."""

    __tablename__ = "choices"
    __table_args__ = (Index("ix_choices_at", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(String(300))
    # The intents that were offered, and the one that was chosen.
    offered: Mapped[list[str]] = mapped_column(JSON)
    chosen: Mapped[str] = mapped_column(String(64))
    reviewed_at: Mapped[datetime | None]


# The hot path and the cores speak SQL to these directly.
conversations = cast(Table, ConversationRow.__table__)
messages = cast(Table, MessageRow.__table__)
check_ins = cast(Table, CheckInRow.__table__)
answers = cast(Table, AnswerRow.__table__)
crises = cast(Table, CrisisRow.__table__)
guard_tally = cast(Table, TallyRow.__table__)
forgotten = cast(Table, ForgottenRow.__table__)
hand_offs = cast(Table, HandOffRow.__table__)
accounts = cast(Table, AccountRow.__table__)
desk_sessions = cast(Table, DeskSessionRow.__table__)
cases = cast(Table, CaseRow.__table__)
case_events = cast(Table, CaseEventRow.__table__)
notifications = cast(Table, NotificationRow.__table__)
audit_log = cast(Table, AuditRow.__table__)
installation = cast(Table, InstallationRow.__table__)
choices = cast(Table, ChoiceRow.__table__)
