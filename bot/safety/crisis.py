"""The crisis flow: what is said when danger is seen or suspected, and what follows each answer.

Room: pure core. Knows judgements and the reviewed texts; knows nothing of Rasa, storage, HTTP or the clock. The
conversation room calls `respond` for every inbound message before anything else happens with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from bot.language.normalise import tokens
from bot.language.typed import Typed, general_table
from bot.safety.crisis_texts import CrisisTexts, Reply, Safe, SafeQuestion, Told
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
AFTER_ALL = timedelta(minutes=2)
#: In so many words people answer a question; in more they tell something. So many may follow "soms".
SHORT, AFTER_SOMETIMES = 8, 5
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
    if crisis is not None and crisis.stage == "third":
        return flow.about_another()
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
            back = self.crisis if self.takes_back_a_no() else None
            if back is not None:
                return self.direct(back.kind)
            return self.asks_for_help_again() or self.nothing()
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
        if self.crisis is not None and self.crisis.stage == "third":
            return Move(crisis=self.at("closed"))
        return Move()

    def asks_for_help_again(self) -> Move | None:
        """Who left a crisis a while ago and now writes that they are not safe, or asks for the numbers."""
        crisis = self.crisis
        if (
            crisis is None or crisis.third_party or self.heard.command is not None
            or (crisis.stage, crisis.verdict) != ("closed", "explicit")
            or self.moment - crisis.changed_at > ASKED_BEFORE
        ):  # fmt: skip
            return None
        word = self.read("staying")
        return replace(self, crisis=self.at("staying")).tapped(word) if word in ("no", "numbers") else None

    def about_another(self) -> Move:
        """Something was written after worry about someone else: about the writer too, not meant so, or anything."""
        if self.heard.command is None and self.heard.judgement.kind is None:
            if self.puts_right():
                return self.tapped("false_alarm")
            mine = self.mine
            if self.whole(self.texts.heard.what_to_say):
                return self.tapped("what_to_say")
            if len(mine) <= SHORT and "niet" not in mine and self.stands_in(self.texts.heard.about_me, mine):
                return self.tapped("about_me")
        return self.fresh()

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
            and self.crisis.kind == kind
            and self.moment - self.crisis.changed_at < ASKED_BEFORE
        )
        sometimes = () if self.urgent(asked.yes_as) else (_button(answers.sometimes.title, "sometimes"),)
        buttons = (
            _button(answers.yes.title, "yes"),
            *sometimes,  # to "is it too much, now?" it is no answer
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
        for_you = after.for_you
        if self.urgent(kind):  # nobody is told to wait in silence
            buttons, for_you = buttons[1:], after.for_you_urgent
        text = said.explicit if verdict == "explicit" else said.ambiguous
        return Move(
            says=(
                Say(text, kind, after.title),
                Say(for_you, buttons=buttons),
            ),
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
        word = None if command is not None else self.read(crisis.stage)
        danger = self.danger_while_held(crisis, word)
        if danger is not None:
            return danger
        late = self.moment - crisis.changed_at >= timedelta(hours=self.texts.return_after_hours)
        if late and word not in ("no", "numbers"):
            return self.welcome_back()
        if command is None and self.puts_right():
            return self.tapped("false_alarm")
        return self.tapped(word) if word is not None else self.stay()

    def danger_while_held(self, crisis: Crisis, word: str | None) -> Move | None:
        """What the guard finds in words of someone who is held; None when the answer in them comes first."""
        found = self.heard.judgement
        if found.kind is None or found.verdict == "none":
            return None
        if found.third_party:
            unsafe = crisis.stage == "safe" and word in ("no", "unsure") and found.verdict == "ambiguous"
            return None if unsafe else self.third_beside(found.kind, found.verdict)
        if found.verdict == "explicit":
            # Where minutes count already, other danger does not change what is to be done.
            same = found.kind == crisis.kind or (self.safe.urgent and not self.urgent(found.kind))
            return self.again(crisis.kind) if same else self.explicit(found.kind)
        return self.explicit(found.kind) if self.urgent(found.kind) and not self.safe.urgent else None

    def answered(self, crisis: Crisis) -> Move:
        """A message while the direct question stands open."""
        found = self.heard.judgement
        if self.heard.command is None:
            if found.verdict == "explicit" and found.kind is not None:
                return self.third(found.kind, "explicit") if found.third_party else self.explicit(found.kind)
            if self.puts_right():
                return self.tapped("false_alarm")
            long_ago = self.moment - crisis.changed_at >= timedelta(hours=self.texts.return_after_hours)
            word = self.read("direct")
            if word is not None and (
                not long_ago or self.whole([*self.texts.heard.yes, *self.texts.heard.no])
            ):
                return self.tapped(word)
            if found.verdict == "ambiguous" and found.kind is not None:
                if found.third_party:
                    return self.third(found.kind, "ambiguous")
                return self.asked_once_more(found.kind)
            if not long_ago and self.is_open_still(crisis):
                return self.asked_once_more(crisis.kind)
        return Move(says=(self.no_answer(crisis.kind),), crisis=self.at("closed"))

    def is_open_still(self, crisis: Crisis) -> bool:
        """Whether an unread message may still be about the direct question: it asks back, or minutes count."""
        mine = self.mine
        if _longest(self.texts.heard.why, mine) and len(mine) <= SHORT:
            return True
        return self.urgent(self.texts.direct[crisis.kind].yes_as) and len(mine) <= SHORT

    def asked_once_more(self, kind: Kind) -> Move:
        """The direct question again, after the lines."""
        asked = self.direct(kind)
        return replace(asked, says=(self.no_answer(kind), *asked.says), opens=False)

    def no_answer(self, kind: Kind) -> Say:
        said = self.texts.direct_answers.no_answer
        return Say(said.text, kind, said.title)

    def tapped(self, answer: str) -> Move:
        """An answer to the open question, tapped or said in words."""
        stage = self.crisis.stage if self.crisis is not None else "closed"
        if self.crisis is None:
            return self.stale()
        if answer == "false_alarm":
            return self.put_right()
        if answer == "numbers":
            kept = stage if stage in HOLDING or stage == "direct" else "closed"
            return self.reply(self.texts.staying.numbers, kept, lines=True)
        # A yes to the direct question stays a yes, also when it comes late.
        late_yes = stage == "closed" and self.crisis.verdict == "ambiguous" and answer in ("yes", "sometimes")
        if stage == "direct" or (late_yes and not self.crisis.third_party):
            return self.direct_answer(answer)
        if stage == "closed" and self.crisis.verdict == "explicit" and answer in ("worse", "no", "unsure"):
            return self.stale() if self.crisis.third_party else self.again(self.crisis.kind)
        safe, offer = self.safe, self.texts.offer.answers
        if stage in ("safe", "offer", "staying", "return") and answer in (
            "yes",
            "yes_with_lines",
            "no",
            "unsure",
        ):
            plain = answer.removesuffix("_with_lines")
            said = self.reply(getattr(safe, plain), "offer", lines=answer != plain)
            return replace(said, says=(*said.says[:1], self.offer()))
        if stage == "offer" and answer in ("call", "someone", "not_now"):
            told = {"call": offer.call, "someone": safe.someone or offer.someone, "not_now": safe.not_now}
            return self.reply(told[answer], "staying")
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
        if answer in ("no", "no_with_lines"):
            said = Say(answers.no.text)
            if asked.no_lines or answer != "no":
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
        if answer == "better" and self.crisis.stage == "return":
            return self.reply(self.safe.better or back.better, "closed", engine="go_on")
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
        unread = self.crisis.stage in ("safe", "offer")  # whether they are safe is not known
        lines = unread or self.safe.urgent or self.heard.judgement.verdict != "none"
        return self.reply(Told(text=texts[turn], lines=lines), "staying")

    def welcome_back(self) -> Move:
        back = self.texts.return_
        buttons = (
            _button(back.better.title, "better"),
            _button(back.worse.title, "worse"),
            _button(back.rather_not.title, "rather_not"),
        )
        lines = self.safe.urgent or self.heard.judgement.verdict != "none"
        asked = self.reply(Told(text=back.question, lines=lines), "return")
        return replace(asked, says=(replace(asked.says[0], buttons=buttons),))

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

    def urgent(self, kind: Kind) -> bool:
        """Whether minutes count in such danger."""
        return self.texts.safe[self.texts.explicit[kind].safe].urgent

    @property
    def urgent_now(self) -> bool:
        """Whether minutes count in the danger that is open and plain."""
        return self.crisis is not None and self.crisis.verdict == "explicit" and self.safe.urgent

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
        return Say(self.safe.who or self.texts.offer.question, buttons=buttons)

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

    @property
    def mine(self) -> list[str]:
        """The words of the message, without the fillers it begins with."""
        words = _words(self.heard.text)
        while length := _longest(self.texts.heard.fillers, words):
            words = words[length:]
        return words

    def read(self, stage: Stage) -> str | None:
        """Which answer of the open question the words give; None when they give none.

        What calms or closes is read narrowly, what brings the lines widely.
        """
        heard, mine = self.texts.heard, self.mine
        question: SafeQuestion = (
            "safety" if self.crisis is None else self.texts.explicit[self.crisis.kind].safe
        )
        any_time = {"no": heard.unsafe, "numbers": heard.numbers}
        if self.urgent_now:  # they may tell at any moment that help is there
            any_time["yes"] = heard.here[question]
        someone = heard.someone if question == "safe_place" else [*heard.someone, *heard.someone_near]
        # In each stage the answer that keeps safest first: it wins when two are equally long.
        known: Mapping[str, Sequence[str]] = {
            "direct": {
                "yes": [*heard.yes, *heard.perhaps], "sometimes": [*heard.sometimes, *heard.sometimes_alone],
                "rather_not": heard.rather_not, "unsure": heard.unsure, "numbers": heard.numbers,
                "no": [*heard.no, *heard.bare_no],
            },
            "safe": {
                "no": [*heard.no, *heard.bare_no, *heard.unsafe, *heard.not_now_safe],
                "unsure": [
                    *heard.unsure, *heard.cannot, *heard.rather_not, *heard.perhaps, *heard.sometimes,
                    *heard.sometimes_alone,
                ],
                "numbers": heard.numbers, "yes": [*heard.yes, *heard.here[question]],
            },
            "offer": any_time | {
                "not_now": heard.not_now, "someone": someone, "call": heard.call, "worse": heard.worse,
            },
            "staying": any_time | {"worse": heard.worse, "back": heard.back},
            "return": {
                "worse": [*heard.worse, *heard.not_better, *heard.unsafe], "numbers": heard.numbers,
                "rather_not": heard.rather_not, "better": heard.better,
            },
        }.get(stage, {})  # fmt: skip
        found = {answer: _longest(phrases, mine) for answer, phrases in known.items()}
        length = max(found.values(), default=0)
        if length == 0:
            return None
        answer = next(answer for answer, its in found.items() if its == length)
        rest, despair = mine[length:], self.heard.judgement.verdict != "none"
        if answer == "yes" and rest[:1] == ["niet"] and self.only_tail(rest[1:]):
            phrase = " ".join(mine[:length])
            if any(" ".join(_phrase(one)) == phrase for one in heard.yes_or_not):
                return "no"  # "natuurlijk niet"
        if stage == "direct":
            return self.direct_word(answer, length, despair=despair)
        if answer == "yes":
            return self.safe_word(question, length, despair=despair)
        if answer in ("better", "back") and (despair or not self.only_tail(rest)):
            return None
        if answer == "back" and self.safe.urgent:
            return None  # only a tap ends what may cost a life
        told = rest and question in ("help_coming", "at_rest") and self.only_tail(rest, heard.here[question])
        if answer == "no" and told:
            return "yes"  # "nee, ze komen al"
        if answer in ("someone", "call") and self.doubted(rest):
            return None  # "mijn zus niet"
        if answer in ("worse", "numbers", "someone", "call", "not_now") and len(rest) > SHORT:
            return None
        return answer

    def safe_word(self, question: SafeQuestion, length: int, *, despair: bool) -> str:
        """How a yes to the question after the lines is taken, with the words that follow it."""
        heard, rest = self.texts.heard, self.mine[length:]
        if despair or "?" in self.heard.text:
            return "unsure"
        if self.only_tail(rest):
            return "yes"
        if self.safe.urgent:
            known = self.stands_in(heard.here[question], self.mine) and not self.doubted(rest)
            return "yes" if known else "unsure"
        if question == "at_rest":
            return "yes" if self.only_tail(rest, [*heard.here[question], *heard.at_home]) else "unsure"
        company = {"safety": [*heard.company, *heard.at_home], "safe_place": heard.company}.get(question, [])
        without = " ".join(rest).replace("niet alleen", "").split()
        good = self.stands_in([*company, *heard.here[question]], rest) and not self.doubted(without)
        return "yes_with_lines" if good else "unsure"

    def direct_word(self, answer: str, length: int, *, despair: bool) -> str | None:
        """How an answer to the direct question is taken, with the words that follow it."""
        heard, mine = self.texts.heard, self.mine
        rest, alone = mine[length:], self.only_tail(mine[length:])
        urgent = self.crisis is not None and self.urgent(self.texts.direct[self.crisis.kind].yes_as)
        if answer == "yes":
            if rest[:1] in (["nee"], ["neen"]) and len(rest) <= 2:
                return "no_with_lines"  # "ja nee hoor"
            plain = mine[0].startswith("ja")
            if not plain and ("niet" in rest or (_longest(heard.perhaps, mine) == length and len(rest) > 2)):
                return None  # "natuurlijk denk ik daar niet aan", "beetje raar dat je dat vraagt"
        if answer == "sometimes" and not alone:
            wide = _longest(heard.sometimes, mine) == length and len(rest) <= AFTER_SOMETIMES
            return "sometimes" if wide else None  # not "altijd moe op het werk"
        if answer == "unsure":
            return "yes" if urgent else None if despair else "rather_not"
        if answer == "no":
            if self.stands_in([*heard.after_all, *heard.sometimes, *heard.perhaps], rest):
                yes = [*heard.after_all, *heard.sometimes, *heard.perhaps, *heard.sometimes_alone]
                but = rest[0] == "maar" and not urgent and not self.only_tail(rest[1:], yes)
                return "no_with_lines" if but else "sometimes"
            if _longest(heard.bare_no, mine) == length:
                return "no_with_lines" if alone else None
            plain = self.only_tail(rest, heard.plain_no)
            if plain or (_longest(heard.plain_no, rest) and not self.doubted(rest)):
                return "no_with_lines" if despair else "no"
            return None if urgent else "no_with_lines"
        return answer

    def stands_in(self, phrases: Iterable[str], words: Sequence[str]) -> bool:
        """Whether one of the phrases stands anywhere in these words."""
        return any(_longest(phrases, words[start:]) for start in range(len(words)))

    def only_tail(self, words: Sequence[str], also: Sequence[str] = ()) -> bool:
        """Whether these words change nothing of the answer before them, or say one of some phrases."""
        while words:
            length = _longest([*self.texts.heard.tail, *also], words)
            if not length:
                return False
            words = words[length:]
        return True

    def doubted(self, words: Sequence[str]) -> bool:
        """Whether these words make one doubt the answer before them."""
        return self.stands_in(self.texts.heard.doubt, words)

    def whole(self, phrases: Iterable[str]) -> bool:
        """Whether the message is one of these phrases and nothing else."""
        length = _longest(phrases, self.mine)
        return length > 0 and self.only_tail(self.mine[length:])

    def puts_right(self) -> bool:
        """Whether the message says that it was not meant so, and hardly anything else."""
        heard, mine = self.texts.heard, self.mine
        if self.heard.judgement.verdict != "none" or "?" in self.heard.text or self.urgent_now:
            return False  # where minutes count, only the button does
        before = {word for phrase in heard.before_false_alarm for word in _phrase(phrase)}
        for start in range(len(mine)):
            length = _longest(heard.false_alarm, mine[start:])
            if length:
                rest = mine[start + length :]
                meant = len(rest) <= 2 or _longest(heard.after_false_alarm, rest) > 0
                return meant and not self.doubted(rest)
            if mine[start] not in before:
                return False
        return False

    def takes_back_a_no(self) -> bool:
        """Whether this says yes after all, at once after a no to the direct question."""
        crisis = self.crisis
        return (
            crisis is not None
            and not crisis.third_party
            and self.heard.command is None
            and (crisis.stage, crisis.verdict) == ("closed", "ambiguous")
            and self.moment - crisis.changed_at <= AFTER_ALL
            and self.whole(self.texts.heard.after_all)
        )


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
