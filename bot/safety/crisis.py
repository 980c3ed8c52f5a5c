"""The crisis flow: what is said when danger is seen or suspected, and what follows each answer.

Room: pure core. Knows judgements and the reviewed texts; knows nothing of Rasa, storage, HTTP or the clock. The
conversation room calls `respond` for every inbound message before anything else happens with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from bot.language.normalise import tokens
from bot.language.typed import Typed, general_table
from bot.safety.crisis_texts import CrisisTexts, Reply, Safe, Told
from bot.safety.verdict import Judgement, Kind

#: The open question. `direct`: is it danger? · `safe`: are you safe? · `offer`: who can be with you? · `staying`:
#: nothing is asked · `return`: how is it now? · `third`: buttons about someone else · `closed`.
Stage = Literal["direct", "safe", "offer", "staying", "return", "third", "closed"]
#: What happens with the engine: it hears the person's words, it is asked to go on where they were, or nothing.
ToEngine = Literal["words", "go_on", "nothing"]
Event = Literal[
    "explicit", "ambiguous", "third_party", "past", "false_alarm", "direct_yes", "direct_no", "engine_concern"
]

#: Stages in which the person stays with the crisis flow whatever they write.
HOLDING: frozenset[Stage] = frozenset({"safe", "offer", "staying", "return"})
#: Taps that work also then: a person's rights, and asking for people.
RIGHTS = ("/request_my_data", "/request_delete_data", "/ask_privacy", "/confirm_delete", "/affirm", "/deny")
FOR_PEOPLE = ("/request_human", "/request_helpline", "/request_callback")
#: Asked again within this time, the direct question says that it was asked before.
ASKED_BEFORE = timedelta(minutes=60)
#: So long after a no to the direct question "eigenlijk wel" is still about that.
AFTER_ALL = timedelta(minutes=10)
#: "Soms" answers the direct question with at most so many words after it; else it is about something else.
SOMETIMES = 4
COMMAND = "/crisis"
#: What the button for a coach sends. From there on the way to a coach leads, and the guard goes on reading.
TO_COACH = '/hand_off{"answer": "crisis"}'


@dataclass(frozen=True, slots=True)
class Crisis:
    """Where a person is in the flow."""

    verdict: Literal["explicit", "ambiguous"]
    kind: Kind
    third_party: bool
    stage: Stage
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """One inbound message: its words, the payload when it was a tap on a command, and what the guard says of it."""

    text: str
    command: str | None
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Button:
    """A quick reply."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Say:
    """One bubble: text, help lines for a kind of danger below it, then buttons."""

    text: str
    lines_for: Kind | None = None
    lines_title: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """What follows from a message.

    Attributes:
        says: bubbles in order; empty when the crisis flow has nothing to say.
        crisis: where the person is now; None leaves it as it was.
        opens: this is a new crisis, not the next step of the open one.
        engine: what the engine hears of this message.
        ends_form: True: the engine must end what it was asking; False: it need not after all; None: no change.
        supersedes: earlier messages that still wait get no answer: it would come in between.
        events: what is counted, with the kind.
    """

    says: tuple[Say, ...] = ()
    crisis: Crisis | None = None
    opens: bool = False
    engine: ToEngine = "words"
    ends_form: bool | None = None
    supersedes: bool = False
    events: tuple[tuple[Event, Kind], ...] = ()


def respond(texts: CrisisTexts, crisis: Crisis | None, heard: Heard, now: datetime) -> Move:
    """What to say and do. Never raises.

    Args:
        texts: every sentence.
        crisis: the latest crisis of this person, also when it is closed; None when there never was one.
        heard: the message.
        now: the moment, with time zone.
    """
    flow = _Flow(texts, crisis, heard, now)
    answer = _tapped_answer(heard.command)
    if answer is not None:
        return flow.tapped(answer)
    if crisis is not None and crisis.stage in HOLDING:
        return flow.held(crisis)
    if crisis is not None and crisis.stage == "direct":
        return flow.answered(crisis)
    return flow.fresh()


def ask_directly(texts: CrisisTexts, kind: Kind, crisis: Crisis | None, now: datetime) -> Move:
    """The direct question, asked because a questionnaire or the engine gave reason to."""
    asked = _Flow(texts, crisis, Heard("", None, Judgement("none", None, False, False, ())), now).direct(kind)
    return replace(asked, events=(("engine_concern", kind),))


def first_words(texts: CrisisTexts, found: Judgement) -> str:
    """What is said first about danger that is plain; empty when there is none. For who talks with a coach already."""
    if found.kind is None or found.verdict != "explicit":
        return ""
    return texts.third_party[found.kind].explicit if found.third_party else texts.explicit[found.kind].text


@dataclass(frozen=True, slots=True)
class _Flow:
    texts: CrisisTexts
    crisis: Crisis | None
    heard: Heard
    moment: datetime

    # --- a message outside an open crisis ---

    def fresh(self) -> Move:
        found = self.heard.judgement
        if found.kind is None:
            return self.direct_answer("yes") if self.takes_back_a_no() else self.nothing()
        if found.past:
            return Move(says=(Say(self.texts.past),), engine="go_on", events=(("past", found.kind),))
        if found.verdict == "none":
            return self.nothing()
        if found.third_party:
            return self.third(found.kind, found.verdict)
        if found.verdict == "explicit":
            return self.explicit(found.kind)
        return self.direct(found.kind)

    def nothing(self) -> Move:
        """The engine answers; an open question about someone else is settled by going on."""
        if self.crisis is not None and self.crisis.stage in ("third", "direct"):
            return Move(crisis=self.at("closed"))
        return Move()

    # --- the beginnings ---

    def explicit(self, kind: Kind, *, event: Event = "explicit") -> Move:
        first = self.texts.explicit[kind]
        return Move(
            says=(Say(first.text, kind, first.title), self.safe_question(kind)),
            crisis=Crisis("explicit", kind, False, "safe", self.moment),
            opens=True,
            engine="nothing",
            ends_form=True,
            supersedes=True,
            events=((event, kind),),
        )

    def direct(self, kind: Kind) -> Move:
        asked = self.texts.direct[kind]
        answers = self.texts.direct_answers
        before = (
            self.crisis is not None
            and self.crisis.verdict == "ambiguous"
            and not self.crisis.third_party
            and self.moment - self.crisis.changed_at < ASKED_BEFORE
        )
        buttons = (
            _button(answers.yes.title, "yes"),
            _button(answers.sometimes.title, "sometimes"),
            _button(answers.no.title, "no"),
            _button(answers.rather_not.title, "rather_not"),
            self.false_alarm_button,
        )
        text = f"{answers.asked_before} {asked.question}" if before else asked.question
        return Move(
            says=(Say(text, buttons=buttons),),
            crisis=Crisis("ambiguous", kind, False, "direct", self.moment),
            opens=True,
            engine="nothing",
            events=(("ambiguous", kind),),
        )

    def third(self, kind: Kind, verdict: Literal["explicit", "ambiguous"]) -> Move:
        said, after = self.texts.third_party[kind], self.texts.third_party_after
        buttons: tuple[Button, ...] = (
            _button(after.what_to_say.title, "what_to_say"),
            _button(after.about_me.title, "about_me"),
            _button(after.go_on.title, "go_on"),
            self.false_alarm_button,
        )
        if self.texts.safe[self.texts.explicit[kind].safe].staying_lines:
            buttons = buttons[1:]  # when minutes count, nobody is told to wait in silence
        text = said.explicit if verdict == "explicit" else said.ambiguous
        return Move(
            says=(Say(text, kind, after.title), Say(after.for_you, buttons=buttons)),
            crisis=Crisis(verdict, kind, True, "third", self.moment),
            opens=True,
            engine="nothing",
            events=(("third_party", kind),),
        )

    def third_beside(self, kind: Kind, verdict: Literal["explicit", "ambiguous"]) -> Move:
        """Worry about someone else, of a person who is held: the same words, and they stay held."""
        said = self.third(kind, verdict)
        for_you = replace(said.says[1], buttons=self.staying_buttons)
        return replace(said, says=(said.says[0], for_you), crisis=self.at("staying"), opens=False)

    # --- inside an open crisis ---

    def held(self, crisis: Crisis) -> Move:
        """Something was written, or tapped elsewhere, while the person is held."""
        command = self.heard.command
        if command is not None and command.startswith(RIGHTS):
            return Move(crisis=self.at(crisis.stage))
        if command == TO_COACH:
            return Move(crisis=self.at("closed"))
        if command is not None and command.startswith(FOR_PEOPLE):
            return self.reply(self.texts.staying.numbers, "staying", lines=True)
        found = self.heard.judgement
        if found.verdict != "none" and found.third_party and found.kind is not None:
            return self.third_beside(found.kind, found.verdict)
        if self.moment - crisis.changed_at >= timedelta(hours=self.texts.return_after_hours):
            return self.welcome_back()
        if found.verdict == "explicit" and found.kind is not None:
            return self.again(found.kind) if found.kind == crisis.kind else self.explicit(found.kind)
        if command is None and self.puts_right():
            return self.tapped("false_alarm")
        word = None if command is not None else self.read(crisis.stage)
        return self.tapped(word) if word is not None else self.stay()

    def answered(self, crisis: Crisis) -> Move:
        """A message while the direct question stands open."""
        found = self.heard.judgement
        if self.heard.command is None:
            if found.verdict == "explicit" and found.kind is not None:
                return self.third(found.kind, "explicit") if found.third_party else self.explicit(found.kind)
            if self.puts_right():
                return self.tapped("false_alarm")
            long_ago = self.moment - crisis.changed_at >= timedelta(hours=self.texts.return_after_hours)
            word = None if long_ago else self.read("direct")
            if word is not None:
                return self.tapped(word)
            if found.verdict == "ambiguous" and found.kind is not None:
                if found.third_party:
                    return self.third(found.kind, "ambiguous")
                return replace(self.direct(found.kind), opens=False)
        no_answer = self.texts.direct_answers.no_answer
        return Move(
            says=(Say(no_answer.text, crisis.kind, no_answer.title),),
            crisis=self.at("closed"),
        )

    def tapped(self, answer: str) -> Move:
        """An answer to the open question, tapped or said in words."""
        stage = self.crisis.stage if self.crisis is not None else "closed"
        if self.crisis is None:
            return self.stale()
        if answer == "false_alarm":
            return self.put_right()
        if answer == "numbers":
            kept = stage if stage in HOLDING else "closed"
            return self.reply(self.texts.staying.numbers, kept, lines=True)
        # A yes to the direct question stays a yes, also when it comes late.
        late_yes = stage == "closed" and self.crisis.verdict == "ambiguous" and answer in ("yes", "sometimes")
        if stage == "direct" or (late_yes and not self.crisis.third_party):
            return self.direct_answer(answer)
        if stage in ("safe", "offer", "staying") and answer in ("yes", "no", "unsure"):
            said = self.reply(getattr(self.safe, answer), "offer")
            return replace(said, says=(*said.says[:1], self.offer()))
        if stage == "offer" and answer == "not_now":
            return self.reply(self.safe.not_now, "staying")
        if stage == "offer" and answer in ("call", "someone"):
            return self.reply(getattr(self.texts.offer.answers, answer), "staying")
        if stage in HOLDING:
            return self.held_answer(answer)
        if self.crisis.third_party:
            return self.third_answer(answer)
        return self.stale()

    def direct_answer(self, answer: str) -> Move:
        assert self.crisis is not None  # noqa: S101 - a direct question stands open
        kind, answers = self.crisis.kind, self.texts.direct_answers
        asked = self.texts.direct[kind]
        if answer in ("yes", "sometimes"):
            return replace(self.explicit(asked.yes_as, event="direct_yes"), opens=False)
        if answer == "no":
            said = Say(answers.no.text)
            if asked.no_lines or self.doubts(answers_no=True):
                said = Say(answers.no_with_lines.text, kind, answers.no_with_lines.title)
            return Move((said,), self.at("closed"), engine="go_on", events=(("direct_no", kind),))
        if answer == "rather_not":
            said = Say(answers.rather_not.text, kind, answers.rather_not.lines_title)
            return Move((said,), self.at("closed"), engine="go_on")
        return self.stale()

    def held_answer(self, answer: str) -> Move:
        staying, back = self.texts.staying, self.texts.return_
        assert self.crisis is not None  # noqa: S101 - a stage is open
        if answer == "worse":
            return self.again(self.crisis.kind)
        if answer == "back":
            return Move((Say(staying.back.text),), self.at("closed"), engine="go_on")
        if answer == "better":
            return self.reply(back.better, "closed", engine="go_on")
        if answer == "rather_not":
            return self.reply(back.rather_not, "staying")
        return self.stay()

    def third_answer(self, answer: str) -> Move:
        after = self.texts.third_party_after
        assert self.crisis is not None  # noqa: S101 - asked about someone else
        if answer == "what_to_say":
            buttons = (_button(after.about_me.title, "about_me"), _button(after.go_on.title, "go_on"))
            said = Say(after.what_to_say.text, buttons=buttons)
            return Move((said,), self.at("third"), engine="nothing")
        if answer == "about_me":
            return self.direct(self.crisis.kind)
        if answer == "go_on":
            return Move((), self.at("closed"), engine="go_on")
        return self.stale()

    # --- the pieces ---

    def again(self, kind: Kind) -> Move:
        """Danger once more: the lines, and the question whether they are safe."""
        again = self.texts.safe[self.texts.explicit[kind].safe].again
        return Move(
            says=(Say(again.text, kind, again.title), self.safe_question(kind)),
            crisis=replace(self.at("safe"), kind=kind, verdict="explicit"),
            engine="nothing",
            ends_form=True,
            events=(("explicit", kind),),
        )

    def stay(self) -> Move:
        """Not an answer to anything: stay with them, with the lines when minutes count or despair is heard."""
        assert self.crisis is not None  # noqa: S101 - a stage is open
        texts = self.safe.staying
        turn = int(self.crisis.changed_at.timestamp()) % len(texts)
        lines = self.safe.staying_lines or self.heard.judgement.verdict != "none"
        return self.reply(Told(text=texts[turn], lines=lines), "staying")

    def welcome_back(self) -> Move:
        back = self.texts.return_
        buttons = (
            _button(back.better.title, "better"),
            _button(back.worse.title, "worse"),
            _button(back.rather_not.title, "rather_not"),
        )
        found = self.heard.judgement
        if found.verdict == "explicit" and not found.third_party and found.kind is not None:
            return self.again(found.kind)
        return Move((Say(back.question, buttons=buttons),), self.at("return"), engine="nothing")

    def put_right(self) -> Move:
        """A false alarm: said in one line, counted, and everything is as it was."""
        assert self.crisis is not None  # noqa: S101 - something was said that was wrong
        if self.crisis.stage == "closed":
            return self.stale()
        return Move(
            says=(Say(self.texts.false_alarm.text),),
            crisis=self.at("closed"),
            engine="go_on",
            ends_form=False,
            events=(("false_alarm", self.crisis.kind),),
        )

    def stale(self) -> Move:
        stale = self.texts.stale
        kind: Kind = self.crisis.kind if self.crisis is not None else "suicidal_thoughts"
        said = Say(stale.text, kind, stale.title)
        return Move((said,), None if self.crisis is None else self.at(self.crisis.stage), engine="nothing")

    def reply(
        self, reply: Reply | Told, stage: Stage, *, lines: bool = False, engine: ToEngine = "nothing"
    ) -> Move:
        assert self.crisis is not None  # noqa: S101 - a stage is open
        kind = self.crisis.kind
        title = self.texts.explicit[kind].title
        buttons = self.staying_buttons if stage == "staying" else ()
        shown = lines or reply.lines
        said = Say(reply.text, kind if shown else None, title if shown else "", buttons)
        return Move((said,), self.at(stage), engine=engine)

    @property
    def safe(self) -> Safe:
        """What is asked and said about the danger that is open."""
        assert self.crisis is not None  # noqa: S101 - a stage is open
        return self.texts.safe[self.texts.explicit[self.crisis.kind].safe]

    def safe_question(self, kind: Kind) -> Say:
        safe = self.texts.safe[self.texts.explicit[kind].safe]
        answers = ((name, getattr(safe, name)) for name in ("yes", "no", "unsure"))
        buttons = tuple(_button(reply.title, name) for name, reply in answers)
        return Say(safe.question, buttons=(*buttons, self.false_alarm_button))

    def offer(self) -> Say:
        answers = self.texts.offer.answers
        buttons = tuple(
            _button(getattr(answers, name).title, name) for name in ("call", "someone", "not_now")
        )
        return Say(self.texts.offer.question, buttons=buttons)

    def at(self, stage: Stage) -> Crisis:
        assert self.crisis is not None  # noqa: S101 - there is one to be at
        return replace(self.crisis, stage=stage, changed_at=self.moment)

    @property
    def false_alarm_button(self) -> Button:
        return _button(self.texts.false_alarm.title, "false_alarm")

    @property
    def staying_buttons(self) -> tuple[Button, ...]:
        staying = self.texts.staying
        return (
            _button(staying.numbers.title, "numbers"),
            _button(staying.worse.title, "worse"),
            Button(staying.coach.title, TO_COACH),
            _button(staying.back.title, "back"),
            self.false_alarm_button,
        )

    # --- reading words ---

    def read(self, stage: Stage) -> str | None:
        """Which answer of the open question the words give; None when they give none.

        In doubt the answer is the one after which the lines are shown.
        """
        heard, mine = self.texts.heard, _words(self.heard.text)
        known = {
            "direct": {
                "yes": [*heard.yes, *heard.perhaps], "sometimes": heard.sometimes, "no": heard.no,
                "rather_not": [*heard.rather_not, *heard.unsure],
            },
            "safe": {
                "yes": [*heard.yes, *heard.safe], "no": heard.no,
                "unsure": [*heard.unsure, *heard.rather_not, *heard.perhaps, *heard.sometimes],
            },
            "return": {"better": heard.better, "worse": heard.worse, "rather_not": heard.rather_not},
            "staying": {"back": heard.back},
        }.get(stage, {})  # fmt: skip
        found = [(length, answer) for answer, words in known.items() if (length := _longest(words, mine)) > 0]
        longest = max(found, default=(0, ""))
        if len({answer for length, answer in found if length == longest[0]}) != 1:
            return None
        length, answer = longest
        if answer in ("yes", "sometimes") and _longest(["niet"], mine[length:]):
            return "no"  # "zeker niet", "natuurlijk niet"
        if answer == "sometimes" and len(mine) > length + SOMETIMES:
            return None
        if stage == "safe" and answer == "yes" and self.doubts():
            return "unsure"
        if answer == "better" and self.doubts():
            return None
        # Only a short message ends the staying: "stop" does, "stop ermee zeggen ze altijd" does not.
        short = len(mine) <= length + 2 and self.heard.judgement.verdict == "none"
        return None if stage == "staying" and not short else answer

    def doubts(self, *, answers_no: bool = False) -> bool:
        """Whether more stands in the message than the answer itself, that makes one doubt it."""
        heard, mine = self.texts.heard, _words(self.heard.text)
        if self.heard.judgement.verdict != "none":
            return True
        if answers_no:
            return any(_longest(["maar", *heard.sometimes], mine[start:]) for start in range(1, len(mine)))
        return any(_longest(heard.doubt, mine[start:]) for start in range(1, len(mine)))

    def puts_right(self) -> bool:
        """Whether the message says that it was not meant so, at its start or after words like "nee, sorry"."""
        mine, before = (
            _words(self.heard.text),
            {_phrase(word)[0] for word in self.texts.heard.before_false_alarm},
        )
        for start in range(len(mine)):
            if _longest(self.texts.heard.false_alarm, mine[start:]):
                return True
            if mine[start] not in before:
                return False
        return False

    def takes_back_a_no(self) -> bool:
        """Whether this says yes after all, soon after a no to the direct question."""
        crisis, mine = self.crisis, _words(self.heard.text)
        if (
            crisis is None or crisis.third_party or self.heard.command is not None
            or (crisis.stage, crisis.verdict) != ("closed", "ambiguous")
            or self.moment - crisis.changed_at > AFTER_ALL
        ):  # fmt: skip
            return False
        length = _longest(self.texts.heard.after_all, mine)
        return length > 0 and len(mine) <= length + 2


@lru_cache(maxsize=1)
def _typed() -> Typed:
    return Typed(general_table())


def _words(text: str) -> list[str]:
    # Enough for any answer: what matters stands at the start, and a long message is read by the guard.
    typed = _typed()
    even = " ".join(typed.words(typed.even(text[:600])))
    return [token.text for token in tokens(even) if token.kind != "mark"]


@lru_cache(maxsize=1000)
def _phrase(phrase: str) -> list[str]:
    return _words(phrase)


def _longest(phrases: Iterable[str], mine: Sequence[str]) -> int:
    """How many words the longest phrase has that `mine` begins with; 0 when none."""
    best = 0
    for phrase in phrases:
        words = _phrase(phrase)
        if len(words) > best and list(mine[: len(words)]) == words:
            best = len(words)
    return best


def _button(title: str, answer: str) -> Button:
    return Button(title, f'{COMMAND}{{"answer": "{answer}"}}')


def _tapped_answer(command: str | None) -> str | None:
    """The answer inside `/crisis{"answer": "…"}`; None for any other command or none."""
    if command is None or not command.startswith(COMMAND + "{"):
        return None
    try:
        answer = json.loads(command.removeprefix(COMMAND))["answer"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return answer if isinstance(answer, str) else None
