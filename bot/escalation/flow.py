"""The way to a coach: how to be reached, what may be seen, the preview, passing it on.

Room: pure core. Knows the reviewed texts and what a person chose so far; knows nothing of Rasa, storage, HTTP or the
clock. The conversation room calls `respond` for every message while this is open, and `begin` when someone asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot.escalation.cases import Origin, State, Urgency, is_more_urgent, soonest
from bot.escalation.contact import read_contact, read_mail, read_moment, read_phone
from bot.escalation.hand_off_texts import HandOffTexts
from bot.language.normalise import tokens

Stage = Literal[
    "way", "phone", "mail", "moment", "name", "scores", "words", "preview", "already", "after", "closed"
]
Way = Literal["phone", "mail", "chat"]
#: What happens with the engine: it answers this message, it goes on where they were, or it hears nothing.
ToEngine = Literal["words", "go_on", "nothing"]

COMMAND = "/hand_off"
BACK_TO_ASSISTANT = "/back_to_assistant"
#: Taps that ask for a person, and how they begin.
ASKING: dict[str, Origin] = {"/request_human": "request", "/request_callback": "callback"}
STARTING: dict[str, Origin] = {"start": "request", "crisis": "crisis"}
MAX_WORDS = 1000
MAX_NAME = 60
_ZONE = ZoneInfo("Europe/Brussels")
_DAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
_MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
    "november", "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """What the person chose so far. Nothing of it is passed on before they say so."""

    origin: Origin = "request"
    way: Way | None = None
    phone: str | None = None
    mail: str | None = None
    moment: str | None = None
    name: str | None = None
    share_scores: bool | None = None
    words: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Draft:
        """As it was kept; what is not known any more is left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in kept.items() if name in known})

    @property
    def contact(self) -> dict[str, str]:
        """What a coach gets to see of how to reach the person."""
        chosen: dict[str, str] = {"way": self.way or "chat"}
        if self.way == "phone" and self.phone:
            chosen["phone"] = self.phone
        if self.way == "mail" and self.mail:
            chosen["mail"] = self.mail
        if self.moment and self.way == "phone":
            chosen["moment"] = self.moment
        if self.name and self.way != "chat":
            chosen["name"] = self.name
        return chosen


@dataclass(frozen=True, slots=True)
class HandOff:
    """Where a person is: the open question and the choices so far."""

    stage: Stage
    draft: Draft
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class OpenCase:
    """The case that is open already."""

    number: int
    state: State
    due_at: datetime
    urgency: Urgency = "48h"


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a coach works at this moment; None when the hours are not known.

    When not: `next` says in words from when one does, `at` is that moment.
    """

    present: bool | None
    next: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the message.

    Attributes:
        coaches: someone could take the case: without, nothing is promised.
        scores_at: when the check-in was that could be shared; None when there is none.
        level: level of care that triage found (0-4).
        danger: the person went on from clear danger shortly before, and did not say that it was not meant so.
        open_case: a case of this person that is not closed.
        region: 'vlaanderen' or 'nederland', where the person is, for reading phone numbers.
        desk: where the coaches are: a number from elsewhere is shown to them with its country.
        there: whether a coach works now.
    """

    coaches: bool
    scores_at: datetime | None = None
    level: int = 0
    danger: bool = False
    open_case: OpenCase | None = None
    region: Literal["vlaanderen", "nederland"] = "vlaanderen"
    desk: Literal["vlaanderen", "nederland"] = "vlaanderen"
    there: Availability = Availability(None)


@dataclass(frozen=True, slots=True)
class Button:
    """A quick reply."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Say:
    """One bubble; `lines` shows the help lines that are open now below it."""

    text: str
    buttons: tuple[Button, ...] = ()
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a message.

    Attributes:
        says: bubbles in order.
        hand_off: where the person is now; None leaves it as it was.
        engine: what the engine hears.
        opens: the case is opened with the draft of `hand_off`; then `passed_on` says what is read.
        withdraws: the open case is withdrawn.
        raises: the open case is urgent from now on.
    """

    says: tuple[Say, ...] = ()
    hand_off: HandOff | None = None
    engine: ToEngine = "nothing"
    opens: bool = False
    withdraws: bool = False
    raises: bool = False


def urgency_of(origin: Origin, level: int) -> Urgency:
    """How urgent a case is: danger now; a request or a heavy check-in within 48 hours."""
    return "now" if origin == "crisis" or level >= 4 else "48h"


def begin(texts: HandOffTexts, origin: Origin, words: str, facts: Facts, now: datetime) -> Step:
    """Someone asks for a person.

    Args:
        texts: every sentence.
        origin: how they came to it.
        words: what they wrote; a number or a moment in it is not asked again.
        facts: what is known.
        now: the moment, with time zone.
    """
    draft = Draft("crisis" if facts.danger else origin, way="phone" if origin == "callback" else None)
    flow = _Flow(texts, HandOff("way", draft, now), facts, now)
    if facts.open_case is not None:
        return flow.already(facts.open_case, again=origin == "crisis")
    return flow.started(words)


def respond(
    texts: HandOffTexts, hand_off: HandOff | None, text: str, command: str | None, facts: Facts, now: datetime
) -> Step | None:
    """What to say and do about a message; None when it has nothing to do with this.

    Args:
        texts: every sentence.
        hand_off: where the person is; None when they are not on the way to a coach.
        text: their words; '' for a command.
        command: the payload of a tap.
        facts: what is known.
        now: the moment, with time zone.
    """
    answer = _answer(command)
    origin = STARTING.get(answer or "") or next(
        (how for start, how in ASKING.items() if (command or "").startswith(start)), None
    )
    if origin is not None:
        return begin(texts, origin, "", facts, now) if facts.coaches else None
    if hand_off is None or hand_off.stage == "closed" or _forgotten(texts, hand_off, now):
        if answer is None:
            return None
        return Step((Say(texts.cancelled),), None, "go_on")
    return _Flow(texts, hand_off, facts, now).heard(text, command, answer)


def ask_again(texts: HandOffTexts, hand_off: HandOff, facts: Facts, now: datetime) -> tuple[Say, ...]:
    """The open question once more, after the engine answered something else; nothing when none is open."""
    if hand_off.stage in ("closed", "after", "already") or _forgotten(texts, hand_off, now):
        return ()
    step = _Flow(texts, hand_off, facts, now).ask(hand_off.draft, hand_off.stage)
    return (Say(texts.again), *step.says)


def passed_on(
    texts: HandOffTexts, draft: Draft, number: int, due: datetime, there: Availability, now: datetime
) -> tuple[Say, ...]:
    """What is read once the case is committed: when a person answers, and who is open now if nobody is there."""
    when = promise(texts, due, there, now)
    said = getattr(texts.sent, draft.way or "chat").format(number=number, promise=when)
    if there.present:
        return (Say(f"{said} {texts.sent.there_now}"),)
    nobody = there.present is False and there.next and there.next not in when
    more = f" {texts.sent.nobody_now.format(next=there.next)}" if nobody else ""
    return (Say(said + more), Say(texts.sent.meanwhile, lines=True))


def promise(texts: HandOffTexts, due: datetime, there: Availability, now: datetime) -> str:
    """When a person answers, so that it can be kept: not at a moment at which no coach works, nor one that is past."""
    if due <= now:
        return texts.promise.overdue
    if there.present is False and there.at is not None and there.at > due:
        return texts.promise.from_then.format(next=there.next)
    return texts.promise.by.format(latest=moment_in_words(due, now))


def how_was_it(texts: HandOffTexts, now: datetime) -> tuple[Say, HandOff]:
    """The question after a conversation with a coach."""
    after = texts.after
    buttons = tuple(_button(getattr(after, name).title, name) for name in ("good", "some", "bad"))
    return Say(after.question, buttons), HandOff("after", Draft(), now)


def wants_assistant(texts: HandOffTexts, text: str, command: str | None) -> bool:
    """Whether the person ends the conversation with the coach. Only the bare words do that."""
    if command is not None:
        return command.startswith(BACK_TO_ASSISTANT)
    return _words(text) in [_words(phrase) for phrase in texts.heard.to_assistant]


def moment_in_words(moment: datetime, now: datetime) -> str:
    """'vandaag om 14 uur', 'morgen om 9.30 uur', 'vrijdag 27 november om 14 uur' on the clock of Brussels."""
    local, today = moment.astimezone(_ZONE), now.astimezone(_ZONE).date()
    hour = f"{local.hour} uur" if local.minute == 0 else f"{local.hour}.{local.minute:02} uur"
    days = (local.date() - today).days
    day = {0: "vandaag", 1: "morgen"}.get(
        days, f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"
    )
    return f"{day} om {hour}"


@dataclass(frozen=True, slots=True)
class _Flow:
    texts: HandOffTexts
    hand_off: HandOff
    facts: Facts
    moment: datetime

    # --- beginning ---

    def started(self, words: str) -> Step:
        draft = self.hand_off.draft
        if words:
            found = read_contact(words, self.facts.region, self.moment, self.facts.desk)
            if found.phone is not None:
                moment = found.moment.in_words if found.moment is not None else None
                draft = replace(draft, way="phone", phone=found.phone.shown, moment=moment)
            elif found.mail is not None:
                draft = replace(draft, way="mail", mail=found.mail)
            elif found.moment is not None and draft.way == "phone":
                draft = replace(draft, moment=found.moment.in_words)
        return self.ask_next(draft)

    def already(self, case: OpenCase, *, again: bool) -> Step:
        """A case is open. Danger makes it urgent; asked for `again` out of a crisis, also one that was answered."""
        texts = self.texts.already
        reached = case.state in ("contacted", "live")
        danger = self.hand_off.draft.origin == "crisis"
        raises = danger and ((reached and again) or is_more_urgent("now", case.urgency))
        said = texts.contacted if reached else texts.text
        if raises:
            said = texts.raised_contacted if reached else texts.raised
        due = soonest(case.due_at, self.moment) if raises else case.due_at
        when = promise(self.texts, due, self.facts.there, self.moment)
        text = said.format(number=case.number, promise=when)
        buttons = (_button(texts.keep.title, "keep"), _button(texts.withdraw.title, "withdraw"))
        where = replace(self.hand_off, stage="already")
        return Step((Say(text, buttons, lines=True),), where, raises=raises)

    # --- a message ---

    def heard(self, text: str, command: str | None, answer: str | None) -> Step:
        """An answer to the open question, or something else."""
        if command is not None and answer is None:
            return self.leave_open()  # a tap for something else: the engine answers, the question stays
        if self.hand_off.stage == "after":
            return self.after(answer)
        if answer == "cancel" or (answer is None and self.says("cancel", text)):
            return self.cancelled()
        if answer is None and self.says("back", text):
            return self.back()
        step = getattr(self, f"at_{self.hand_off.stage}")(text, answer)
        assert isinstance(step, Step)  # noqa: S101 - every stage has its method
        return step

    def at_already(self, text: str, answer: str | None) -> Step:
        texts = self.texts.already
        if answer == "withdraw":
            return Step((Say(texts.withdrawn),), self.closed(), "go_on", withdraws=True)
        if answer == "keep" or self.says("no", text):
            return Step((), self.closed(), "go_on")
        return Step((), self.closed(), "words")

    def at_way(self, text: str, answer: str | None) -> Step:
        ways: tuple[Way, ...] = ("phone", "mail", "chat")
        chosen = next(
            (way for way in ways if answer == way or (answer is None and self.begins(way, text))), None
        )
        draft = self.hand_off.draft
        found = (
            read_contact(text, self.facts.region, self.moment, self.facts.desk) if answer is None else None
        )
        if found is not None and found.phone is not None:
            moment = found.moment.in_words if found.moment is not None else draft.moment
            return self.ask_next(replace(draft, way="phone", phone=found.phone.shown, moment=moment))
        if found is not None and found.mail is not None:
            return self.ask_next(replace(draft, way="mail", mail=found.mail))
        if chosen is None:
            return self.leave_open()
        return self.ask_next(replace(draft, way=chosen))

    def at_phone(self, text: str, answer: str | None) -> Step:
        draft = self.hand_off.draft
        if answer in ("phone", "mail", "chat"):
            return self.at_way(text, answer)
        phone = read_phone(text, self.facts.region, self.facts.desk)
        if phone is None:
            if sum(c.isdigit() for c in text) >= 6:
                return self.stay(self.texts.reach.phone_wrong)
            return self.stay(self.texts.reach.phone_none) if len(_words(text)) < 5 else self.leave_open()
        found = read_contact(text, self.facts.region, self.moment, self.facts.desk)
        moment = found.moment.in_words if found.moment is not None else draft.moment
        return self.ask_next(replace(draft, phone=phone.shown, moment=moment))

    def at_mail(self, text: str, answer: str | None) -> Step:
        if answer in ("phone", "mail", "chat"):
            return self.at_way(text, answer)
        mail = read_mail(text)
        if mail is None:
            return self.stay(self.texts.reach.mail_none)
        return self.ask_next(replace(self.hand_off.draft, mail=mail))

    def at_moment(self, text: str, answer: str | None) -> Step:
        words = text
        choices = {f"moment_{place}": title for place, title in enumerate(self.texts.moment.choices)}
        if answer in choices:
            words = choices[answer]
        elif answer is not None:
            return self.leave_open()
        moment = read_moment(words, self.moment)
        if moment is not None and moment.past:
            return self.stay(self.texts.moment.past)
        kept = moment.in_words if moment is not None else words
        return self.ask_next(replace(self.hand_off.draft, moment=kept[:200]))

    def at_name(self, text: str, answer: str | None) -> Step:
        none = answer == "no_name" or (answer is None and self.says("no", text))
        return self.ask_next(replace(self.hand_off.draft, name="" if none else text.strip()[:MAX_NAME]))

    def at_scores(self, text: str, answer: str | None) -> Step:
        yes = answer == "yes" or (answer is None and self.begins("yes", text))
        no = answer == "no" or (answer is None and self.begins("no", text))
        if yes == no:
            return self.leave_open()
        return self.ask_next(replace(self.hand_off.draft, share_scores=yes))

    def at_words(self, text: str, answer: str | None) -> Step:
        none = answer == "no_words" or (answer is None and self.says("no", text))
        if len(text) > MAX_WORDS:
            return self.stay(self.texts.words.too_long.format(limit=MAX_WORDS))
        return self.ask_next(replace(self.hand_off.draft, words="" if none else text.strip()))

    def at_preview(self, text: str, answer: str | None) -> Step:
        if answer == "send" or (answer is None and self.begins("yes", text)):
            return Step((), replace(self.closed(), draft=self.hand_off.draft), "nothing", opens=True)
        if answer == "change" or (answer is None and self.begins("change", text)):
            return self.ask_next(Draft(self.hand_off.draft.origin))
        if answer is None and self.says("no", text):
            return self.cancelled()
        return self.leave_open()

    def after(self, answer: str | None) -> Step:
        if answer in ("good", "some", "bad"):
            return Step((Say(getattr(self.texts.after, answer).text),), self.closed(), "go_on")
        return Step((), self.closed(), "words")

    # --- asking ---

    def ask_next(self, draft: Draft) -> Step:
        """The first question that has no answer yet."""
        return self.ask(draft, self.next_stage(draft))

    def next_stage(self, draft: Draft) -> Stage:
        if draft.way is None:
            return "way"
        if draft.way == "phone" and draft.phone is None:
            return "phone"
        if draft.way == "mail" and draft.mail is None:
            return "mail"
        if draft.way == "phone" and draft.moment is None:
            return "moment"
        if draft.way != "chat" and draft.name is None:
            return "name"
        if self.facts.scores_at is not None and draft.share_scores is None:
            return "scores"
        return "words" if draft.words is None else "preview"

    def ask(self, draft: Draft, stage: Stage) -> Step:
        texts = self.texts
        cancel = _button(texts.preview.cancel.title, "cancel")
        asked: dict[Stage, Say] = {
            "way": Say(
                texts.way.question,
                (
                    *(_button(getattr(texts.way, way).title, way) for way in ("phone", "mail", "chat")),
                    cancel,
                ),
            ),
            "phone": Say(texts.reach.phone, (_button(texts.way.chat.title, "chat"), cancel)),
            "mail": Say(texts.reach.mail, (_button(texts.way.chat.title, "chat"), cancel)),
            "moment": Say(
                texts.moment.question,
                tuple(_button(title, f"moment_{place}") for place, title in enumerate(texts.moment.choices)),
            ),
            "name": Say(texts.name.question, (_button(texts.name.skip.title, "no_name"),)),
            "scores": Say(
                texts.scores.question,
                (_button(texts.scores.yes.title, "yes"), _button(texts.scores.no.title, "no")),
            ),
            "words": Say(texts.words.question, (_button(texts.words.skip.title, "no_words"),)),
        }
        said = self.preview(draft) if stage == "preview" else asked[stage]
        return Step((said,), HandOff(stage, draft, self.moment))

    def preview(self, draft: Draft) -> Say:
        """Exactly what a coach will see."""
        texts = self.texts.preview
        way = getattr(texts.way, draft.way or "chat").format(phone=draft.phone, mail=draft.mail)
        lines = [texts.question, f"• {way}"]
        if draft.way == "phone":
            lines.append(f"• {texts.moment.format(moment=draft.moment)}")
        if draft.way != "chat":
            lines.append(f"• {texts.name.format(name=draft.name) if draft.name else texts.no_name}")
        if self.facts.scores_at is not None and draft.share_scores:
            day = self.facts.scores_at.astimezone(_ZONE)
            lines.append(f"• {texts.scores.format(date=f'{day.day} {_MONTHS[day.month - 1]}')}")
        else:
            lines.append(f"• {texts.no_scores}")
        lines.append(f"• {texts.words.format(words=f'“{draft.words}”') if draft.words else texts.no_words}")
        if draft.origin == "crisis" or self.facts.danger:
            lines.append(f"• {texts.urgent}")
        names = ("send", "change", "cancel")
        buttons = tuple(_button(getattr(texts, name).title, name) for name in names)
        return Say("\n".join(lines), buttons)

    # --- the pieces ---

    def back(self) -> Step:
        """One question back; from the first one, out."""
        draft, stage = self.hand_off.draft, self.hand_off.stage
        if stage in ("way", "already"):
            return self.cancelled()
        undone: dict[Stage, dict[str, Any]] = {
            "phone": {"way": None},
            "mail": {"way": None},
            "moment": {"phone": None},
            "name": {"moment": None} if draft.way == "phone" else {"mail": None},
            "scores": {"name": None} if draft.way != "chat" else {"way": None},
            "words": {"share_scores": None} if self.facts.scores_at is not None else {"name": None},
            "preview": {"words": None},
        }
        if stage == "words" and self.facts.scores_at is None and draft.way == "chat":
            undone["words"] = {"way": None}
        return self.ask_next(replace(draft, **undone[stage]))

    def stay(self, text: str) -> Step:
        cancel = _button(self.texts.preview.cancel.title, "cancel")
        return Step((Say(text, (cancel,)),), replace(self.hand_off, changed_at=self.moment))

    def leave_open(self) -> Step:
        """Not an answer: the engine answers, then the question is asked again."""
        return Step((), replace(self.hand_off, changed_at=self.moment), "words")

    def cancelled(self) -> Step:
        return Step((Say(self.texts.cancelled),), self.closed(), "go_on")

    def closed(self) -> HandOff:
        return HandOff("closed", Draft(), self.moment)

    def says(self, name: str, text: str) -> bool:
        """The message is one of these words and nothing else."""
        return _words(text) in [_words(phrase) for phrase in getattr(self.texts.heard, name)]

    def begins(self, name: str, text: str) -> bool:
        """The message begins with one of these words, and is short."""
        mine = _words(text)
        phrases: Iterable[list[str]] = (_words(phrase) for phrase in getattr(self.texts.heard, name))
        return any(mine[: len(words)] == words and len(mine) <= len(words) + 4 for words in phrases)


def _forgotten(texts: HandOffTexts, hand_off: HandOff, now: datetime) -> bool:
    return now - hand_off.changed_at >= timedelta(hours=texts.forget_after_hours)


def _words(text: str) -> list[str]:
    return [token.text for token in tokens(text[:600]) if token.kind != "mark"]


def _button(title: str, answer: str) -> Button:
    return Button(title, f'{COMMAND}{{"answer": "{answer}"}}')


def _answer(command: str | None) -> str | None:
    """The answer inside `/hand_off{"answer": "…"}`; None for any other command or none."""
    if command is None or not command.startswith(COMMAND + "{"):
        return None
    try:
        answer = json.loads(command.removeprefix(COMMAND))["answer"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return answer if isinstance(answer, str) else None
