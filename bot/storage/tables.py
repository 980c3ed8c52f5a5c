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
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    next_seq: Mapped[int] = mapped_column(default=1, server_default="1")
    # What the engine still has to hear before this person's next message: that a crisis ended its form.
    engine_command: Mapped[str | None] = mapped_column(Text)


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
    """One time that danger was seen or suspected; `stage` is the crisis flow's open question, 'closed' at the end.

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


# The hot path and the cores speak SQL to these directly.
conversations = cast(Table, ConversationRow.__table__)
messages = cast(Table, MessageRow.__table__)
check_ins = cast(Table, CheckInRow.__table__)
answers = cast(Table, AnswerRow.__table__)
crises = cast(Table, CrisisRow.__table__)
guard_tally = cast(Table, TallyRow.__table__)
forgotten = cast(Table, ForgottenRow.__table__)
