"""Notices: who is told what about a case, outside the desk, and in which words.

Room: pure core, but for reading definitions; time is passed in. What it is given of a case (`About`) holds no name,
no number to call, no words and no reasons, so that they cannot get into a notice. Recipients are people of the desk:
for the leader of the person there is no kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from string import Formatter
from typing import Annotated, Any, Literal, Protocol, get_args

from pydantic import Field, model_validator

from bot.escalation.cases import URGENCIES, Urgency, reminder_at
from bot.resources import RESOURCES, Definition, SourcedDefinition, read_definition

Channel = Literal["mail", "webhook"]
RecipientKind = Literal["coach", "deputy", "administrator"]
Reminder = Literal["reminder_75", "reminder_100"]
Kind = Literal["opened", "reminder_75", "reminder_100", "flagged", "raised", "answered"]

CHANNELS: tuple[Channel, ...] = get_args(Channel)
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Where a notice leads to, behind the public address. Administrators may open the queue's figures, but no case.
CASE_PAGE, QUEUE_PAGE = "/desk/cases/{id}", "/desk/"
#: Longest key in the database.
KEY_LENGTH = 200

_PLACEHOLDERS = {"number", "urgency", "left"}


class About(Protocol):
    """All that a notice may know of a case."""

    @property
    def id(self) -> str:
        """Which case."""

    @property
    def number(self) -> int:
        """How people call it."""

    @property
    def urgency(self) -> Urgency:
        """How urgent it is."""

    @property
    def due_at(self) -> datetime:
        """When a person must have been reached."""

    @property
    def owner_id(self) -> str | None:
        """The account of the coach who has it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone of the desk.

    `id`: that of the account, or a name of ours for who stands in the organisation's file, such as
    `deputy:<organisation>`; at most 80 characters. `address`: the e-mail address. `available`: present now.

    Raises:
        ValueError: there is no such kind of recipient.
    """

    kind: RecipientKind
    id: str
    address: str
    available: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(RecipientKind):
            raise ValueError(f"notices never go to: {self.kind}")


@dataclass(frozen=True, slots=True)
class Team:
    """Everyone who may be told about one case.

    `coaches`: all whose scope covers it. `deputies`: those of the organisation that are on duty now. `channels`:
    each of them is told over each of these.
    """

    coaches: Sequence[Recipient] = ()
    deputies: Sequence[Recipient] = ()
    administrators: Sequence[Recipient] = ()
    channels: Sequence[Channel] = ("mail",)

    def owner(self, case: About) -> list[Recipient]:
        """The coach who has the case; empty when nobody has it, or when they no longer work here."""
        return [coach for coach in self.coaches if coach.id == case.owner_id]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell to one recipient over one channel; `dedupe` is the same for the same thing."""

    dedupe: str
    channel: Channel
    recipient: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in words. `link` is a full address of the desk."""

    subject: str
    text: str
    link: str


# --- who is told what ---


def notices_for_opened(case: About, team: Team) -> list[Notice]:
    """A case was opened: the coaches that are available, else the deputy; when there is none, every coach."""
    return _notices(case, "opened", team, _ready(team))


def reminder_due(opened_at: datetime, due: datetime, now: datetime) -> Reminder | None:
    """The reminder a case without contact is due for; only the last one when several are past."""
    kinds: tuple[Reminder, ...] = get_args(Reminder)
    return next((kind for kind in reversed(kinds) if now >= reminder_at(kind, opened_at, due)), None)


def notices_for_reminder(case: About, kind: Reminder, team: Team) -> list[Notice]:
    """Time runs out: at 75 % the coach who has it, or all coaches; at 100 % the deputy and the administrators."""
    if kind == "reminder_75":
        told = team.owner(case) or team.coaches or team.deputies or team.administrators
    else:
        told = [*team.deputies, *team.administrators] or team.coaches
    return _notices(case, kind, team, told)


def notices_for_flag(case: About, team: Team, occasion: str) -> list[Notice]:
    """The guard flagged something a person said to a coach: that coach and the deputy.

    Args:
        case: which case.
        team: who may be told.
        occasion: the same for the same flag, such as the number of the message; at most 40 characters.
    """
    told = [*team.owner(case), *team.deputies] or _ready(team)
    return _notices(case, "flagged", team, told, occasion)


def notices_for_raise(case: About, team: Team, occasion: str) -> list[Notice]:
    """The person asked for a coach again, out of danger: whose case it is, or who can take it up, and the deputy.

    Args:
        case: which case.
        team: who may be told.
        occasion: the same for the same request, such as its moment; at most 40 characters.
    """
    return _notices(case, "raised", team, [*(team.owner(case) or _ready(team)), *team.deputies], occasion)


def notices_for_answer(case: About, team: Team, occasion: str) -> list[Notice]:
    """The person came back or answered: the owner. Without an owner it goes to whom a new case goes to.

    Args:
        case: which case.
        team: who may be told.
        occasion: one notice for each: such as the number of the coach's last message, so that ten messages in a row
            are told once; at most 40 characters.
    """
    return _notices(case, "answered", team, team.owner(case) or _ready(team), occasion)


def _ready(team: Team) -> Sequence[Recipient]:
    """Who can take something up now, or else who can at all."""
    present = [coach for coach in team.coaches if coach.available]
    return present or team.deputies or team.coaches or team.administrators


def _notices(
    case: About, kind: Kind, team: Team, told: Iterable[Recipient], occasion: str | None = None
) -> list[Notice]:
    what = f"case:{case.id}:{kind}" if occasion is None else f"case:{case.id}:{kind}:{occasion}"
    found: dict[tuple[str, str], Notice] = {}
    for recipient in told:
        page = QUEUE_PAGE if recipient.kind == "administrator" else CASE_PAGE.format(id=case.id)
        payload = {
            "kind": kind,
            "number": case.number,
            "urgency": case.urgency,
            "due_at": case.due_at.astimezone(UTC).isoformat(timespec="seconds"),
            "page": page,
        }
        for channel in team.channels:
            key = f"{what}:{recipient.id}:{channel}"
            if len(key) > KEY_LENGTH:
                raise ValueError(f"longer than {KEY_LENGTH} characters: the key of a notice about {kind}")
            # Who has two parts, such as deputy and administrator, is told once: as the first of them.
            found.setdefault(
                (channel, recipient.address.lower()), Notice(key, channel, recipient.address, payload)
            )
    return list(found.values())


# --- in words ---


class _Left(Definition):
    days: str
    hours: str
    minutes: str
    minute: str
    over: str


class _Words(Definition):
    subject: Annotated[str, Field(min_length=1, max_length=80)]
    text: Annotated[str, Field(min_length=1, max_length=400)]


class NoticeTexts(SourcedDefinition):
    """resources/escalation/notices.yml."""

    urgency: dict[Urgency, str]
    left: _Left
    notices: dict[Kind, _Words]
    link: str
    footer: str

    @model_validator(mode="after")
    def _complete(self) -> NoticeTexts:
        if set(self.urgency) != set(URGENCIES):
            raise ValueError(f"urgency: the urgencies are {', '.join(URGENCIES)}")
        if set(self.notices) != set(KINDS):
            raise ValueError(f"notices: the kinds are {', '.join(KINDS)}")
        for kind, words in self.notices.items():
            _only(f"notices.{kind}", words.subject + words.text, _PLACEHOLDERS)
        for name, words_left in self.left.model_dump().items():
            _only(f"left.{name}", words_left, {"n"} if name in ("days", "hours", "minutes") else set())
        return self


def _only(where: str, text: str, known: set[str]) -> None:
    unknown = {name for _, name, _, _ in Formatter().parse(text) if name is not None} - known
    if unknown:
        raise ValueError(f"{where}: unknown placeholder {', '.join(sorted(unknown))}")


@lru_cache(maxsize=1)
def shipped_notice_texts() -> NoticeTexts:
    """The texts in resources/, read once.

    Raises:
        ResourceError: they cannot be used.
    """
    return read_definition(RESOURCES / "escalation" / "notices.yml", NoticeTexts)


def message(payload: Mapping[str, Any], public_url: str, now: datetime) -> Message:
    """A notice in words, with the time that is left at `now` (with its zone): a late one must not say an old time.

    Args:
        payload: as in `Notice`.
        public_url: where people reach the app, without a slash at the end.
        now: the moment of sending.
    """
    texts = shipped_notice_texts()
    kind: Kind = payload["kind"]
    urgency: Urgency = payload["urgency"]
    filled = {
        "number": payload["number"],
        "urgency": texts.urgency[urgency],
        "left": left_in_words(datetime.fromisoformat(payload["due_at"]), now),
    }
    words = texts.notices[kind]
    return Message(words.subject.format(**filled), words.text.format(**filled), public_url + payload["page"])


def as_mail(said: Message) -> str:
    """The body of an e-mail, as plain text."""
    texts = shipped_notice_texts()
    return f"{said.text}\n\n{texts.link}\n{said.link}\n\n-- \n{texts.footer}\n"


def left_in_words(due: datetime, now: datetime) -> str:
    """How much time is left, rounded down: minutes below two hours, hours below three days, else days."""
    texts = shipped_notice_texts().left
    left = due - now
    minutes = int(left / timedelta(minutes=1))
    if left <= timedelta(0):
        return texts.over
    if minutes < 2:
        return texts.minute
    if minutes < 120:
        return texts.minutes.format(n=minutes)
    if minutes < 72 * 60:
        return texts.hours.format(n=minutes // 60)
    return texts.days.format(n=minutes // (24 * 60))
