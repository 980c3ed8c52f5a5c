"""The crisis flow: what is said when danger is seen or suspected, and what follows each answer.

Room: pure core. Knows judgements and the reviewed texts; knows nothing of Rasa, storage, HTTP or the clock. The
conversation room calls `respond` for every inbound message before anything else happens with it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.safety.answers import Answers
from bot.safety.crisis_texts import CrisisTexts, HeardAndSaid, Reply, Safe, Told
from bot.safety.verdict import Judgement, Kind

#: The open question. `direct`: is it danger? · `safe`: are you safe? · `offer`: who can be with you? · `staying`:
#: nothing is asked · `return`: how is it now? · `third`: buttons about someone else · `closed` · `taken_back`: closed,
#: it was not meant so.
Stage = Literal["direct", "safe", "offer", "staying", "return", "third", "closed", "taken_back"]
#: What happens with the engine: it hears the person's words, it is asked to go on where they were, or nothing.
ToEngine = Literal["words", "go_on", "nothing"]
Event = Literal[
    "explicit", "ambiguous", "third_party", "past", "false_alarm", "direct_yes", "direct_no", "engine_concern"
]

#: Stages in which the person stays with the crisis flow whatever they write.
HOLDING: frozenset[Stage] = frozenset({"safe", "offer", "staying", "return"})
#: Stages in which nothing is open any more.
SETTLED: frozenset[Stage] = frozenset({"closed", "taken_back"})
#: Taps that work also then: a person's rights, and asking for people.
RIGHTS = ("/request_my_data", "/request_delete_data", "/ask_privacy", "/confirm_delete", "/affirm", "/deny")
FOR_PEOPLE = ("/request_human", "/request_helpline", "/request_callback")
#: So long danger that was told plainly counts; and asked again within it, the direct question says so.
SHORTLY = timedelta(minutes=60)
#: So long after a no to the direct question "eigenlijk wel" is still about that.
AFTER_ALL = timedelta(minutes=2)
COMMAND = "/crisis"
#: What the button to wipe everything sends.
TO_WIPE = "/request_delete_data"
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
    """One inbound message.

    Attributes:
        text: its words; empty when it was a tap on a command.
        command: the payload of that tap.
        judgement: what the guard says of it.
        before: what the person wrote shortly before, oldest first.
        moved: it tells that they are where other lines are than those they had.
    """

    text: str
    command: str | None
    judgement: Judgement
    before: Sequence[str] = ()
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """A quick reply."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Say:
    """One bubble: text, help lines for a kind of danger below it (or the first of them), then buttons."""

    text: str
    lines_for: Kind | None = None
    lines_title: str = ""
    buttons: tuple[Button, ...] = ()
    one_line: bool = False


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
            return self.soon_after() or self.nothing()
        if found.past:
            return Move(says=(Say(self.texts.past),), engine="go_on", events=(("past", found.kind),))
        if found.verdict == "none":
            return self.nothing()
        if found.third_party:
            return self.third(found.kind, found.verdict)
        if found.verdict == "explicit" or self.told_a_while_ago(found.kind):
            return self.explicit(found.kind)
        return self.direct(found.kind)

    def told_a_while_ago(self, kind: Kind) -> bool:
        """Whether they told of this same danger plainly, and went on without taking it back: it is not asked again."""
        crisis = self.crisis
        return crisis is not None and crisis.kind == kind and crisis.stage == "closed" and self.near(crisis)

    def near(self, crisis: Crisis) -> bool:
        """Whether plain danger of their own was told so shortly ago that it still counts."""
        plain = (crisis.verdict, crisis.third_party) == ("explicit", False)
        return plain and self.moment - crisis.changed_at <= SHORTLY

    def nothing(self) -> Move:
        """The engine answers; an open question about someone else is settled by going on."""
        if self.crisis is not None and self.crisis.stage == "third":
            return Move(crisis=self.at("closed"))
        return Move()

    def soon_after(self) -> Move | None:
        """Who left a crisis a while ago: they are not safe, ask for the numbers, or did not mean it so."""
        crisis = self.crisis
        if (
            crisis is None
            or self.heard.command is not None
            or crisis.stage not in SETTLED
            or not self.near(crisis)
        ):
            return None
        if crisis.stage == "closed" and self.answers.puts_right():
            return self.tapped("false_alarm")
        word = self.answers.read("staying")
        return replace(self, crisis=self.at("staying")).tapped(word) if word in ("no", "numbers") else None

    def about_another(self) -> Move:
        """Something was written after worry about someone else: about the writer too, not meant so, or anything."""
        if self.heard.command is None and self.heard.judgement.kind is None:
            if self.answers.puts_right():
                return self.tapped("false_alarm")
            if self.answers.whole(self.texts.heard.what_to_say):
                return self.tapped("what_to_say")
            if self.answers.is_about_me():
                return self.tapped("about_me")
            crisis = self.crisis
            if crisis is not None and self.moment - crisis.changed_at <= SHORTLY:
                if self.heard.moved:
                    return self.lines_for_another(crisis.kind, self.texts.staying.numbers.text)
                if self.answers.cannot_reach() or self.answers.asks_what_to_do():
                    urgent, known = self.urgent(crisis.kind), self.texts.third_party[crisis.kind]
                    text = known.explicit if urgent else self.texts.third_party_after.unreachable
                    return self.lines_for_another(crisis.kind, text)
        return self.fresh()

    # --- the beginnings ---

    def explicit(self, kind: Kind, *, event: Event = "explicit") -> Move:
        first = self.texts.explicit[kind]
        return Move(
            says=(
                Say(first.text, kind, first.title),
                *self.beside_danger(kind, self.heard.before),
                self.safe_question(kind),
            ),
            crisis=Crisis("explicit", kind, False, "safe", self.moment),
            opens=True,
            engine="nothing",
            ends_form=True,
            supersedes=True,
            events=((event, kind),),
        )

    def beside_danger(self, kind: Kind, before: Sequence[str] = ()) -> tuple[Say, ...]:
        """What can be done by who tells beside the danger, or shortly before it, that they cannot call."""
        known = {name: one for name, one in self.texts.told.items() if one.beside_danger}
        asked = replace(self.answers, question=self.texts.explicit[kind].safe)
        told = (replace(asked, text=text).told(known) for text in (self.heard.text, *reversed(before)))
        return next(((Say(one.text),) for one in told if one is not None), ())

    def direct(self, kind: Kind) -> Move:
        asked = self.texts.direct[kind]
        answers = self.texts.direct_answers
        before = (
            self.crisis is not None
            and self.crisis.verdict == "ambiguous"
            and not self.crisis.third_party
            and self.crisis.kind == kind
            and self.moment - self.crisis.changed_at < SHORTLY
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
            # a number stands there for who does not answer; more would push the answers out of sight
            says=(Say(text, kind, answers.lines_title, buttons, one_line=True),),
            crisis=Crisis("ambiguous", kind, False, "direct", self.moment),
            opens=True,
            engine="nothing",
            events=(("ambiguous", kind),),
        )

    def third(self, kind: Kind, verdict: Literal["explicit", "ambiguous"]) -> Move:
        said, after = self.texts.third_party[kind], self.texts.third_party_after
        text = said.explicit if verdict == "explicit" else said.ambiguous
        says, for_you = [Say(text, kind, after.title)], after.for_you
        if self.urgent(kind):
            for_you = after.for_you_urgent
            says += self.beside_danger(kind, self.heard.before)
        elif kind in ("suicidal_thoughts", "self_harm") and self.answers.cannot_reach():
            says.append(Say(after.unreachable))
        return Move(
            says=(*says, Say(for_you, buttons=self.third_buttons(kind))),
            crisis=Crisis(verdict, kind, True, "third", self.moment),
            opens=True,
            engine="nothing",
            events=(("third_party", kind),),
        )

    def lines_for_another(self, kind: Kind, text: str) -> Move:
        """One thing more about someone else, with the lines; it stays open."""
        said = Say(text, kind, self.texts.third_party_after.title, self.third_buttons(kind))
        return Move((said,), self.at("third"), engine="nothing")

    def third_buttons(self, kind: Kind) -> tuple[Button, ...]:
        after = self.texts.third_party_after
        buttons = (
            _button(after.what_to_say.title, "what_to_say"),
            _button(after.about_me.title, "about_me"),
            _button(after.go_on.title, "go_on"),
            self.false_alarm_button,
        )
        return buttons[1:] if self.urgent(kind) else buttons  # nobody is told to wait in silence

    def third_beside(self, kind: Kind, verdict: Literal["explicit", "ambiguous"]) -> Move:
        """Worry about someone else, of a person who is held: the same words, and they stay held."""
        said = self.third(kind, verdict)
        *first, for_you = said.says
        says = (*first, replace(for_you, buttons=self.staying_buttons))
        return replace(said, says=says, crisis=self.at("staying"), opens=False)

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
        word = None if command is not None else self.answers.read(crisis.stage)
        danger = self.danger_while_held(crisis, word)
        if danger is not None:
            return danger
        late = self.moment - crisis.changed_at >= timedelta(hours=self.texts.return_after_hours)
        if late and word not in ("no", "numbers"):
            return self.welcome_back()
        if command is None and self.answers.puts_right():
            return self.tapped("false_alarm")
        if word is not None:
            said = self.tapped(word)
            # where minutes count, not knowing is answered with what can be done by who cannot call
            repeats = self.safe.urgent and word == "unsure"
            if crisis.stage == "safe" and word in ("no", "unsure") and not repeats:
                first, *rest = said.says
                said = replace(said, says=(first, *self.beside_danger(crisis.kind), *rest))
            return said
        if self.heard.moved:
            return self.tapped("numbers")
        told = self.answers.told(self.texts.told) if command is None else None
        return self.stay() if told is None else self.said_to(told)

    def danger_while_held(self, crisis: Crisis, word: str | None) -> Move | None:
        """What the guard finds in words of someone who is held; None when the answer in them comes first."""
        found = self.heard.judgement
        if found.kind is None or found.verdict == "none":
            return None
        if found.third_party:
            doubtful = word in ("no", "unsure") or self.safe.urgent or crisis.kind == "violence_threat"
            if crisis.stage == "safe" and not doubtful and self.answers.is_not_about_me():
                return self.third(found.kind, found.verdict)  # what they are held for was never theirs
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
            if self.answers.puts_right():
                return self.tapped("false_alarm")
            long_ago = self.moment - crisis.changed_at >= timedelta(hours=self.texts.return_after_hours)
            word = self.answers.read("direct")
            if word is not None and (
                not long_ago or self.answers.whole([*self.texts.heard.yes, *self.texts.heard.no])
            ):
                return self.tapped(word)
            if found.verdict == "ambiguous" and found.kind is not None:
                if found.third_party:
                    return self.third(found.kind, "ambiguous")
                return self.asked_once_more(found.kind)
            if self.heard.moved:
                return self.tapped("numbers")
            answers = self.answers
            # It may still be about the direct question: it asks back, or minutes count.
            still = answers.is_short and (answers.asks_back() or answers.asks_urgent)
            if still and not long_ago:
                return self.asked_once_more(crisis.kind)
        return Move(says=(self.no_answer(crisis.kind),), crisis=self.at("closed"))

    def asked_once_more(self, kind: Kind) -> Move:
        """The direct question again, after the lines."""
        asked = self.direct(kind)
        question = replace(asked.says[0], lines_for=None)
        return replace(asked, says=(self.no_answer(kind), question), opens=False)

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
            said = self.reply(self.texts.staying.numbers, kept, lines=True)
            return replace(said, crisis=self.crisis) if stage in SETTLED else said
        # A yes to the direct question stays a yes, also when it comes late.
        late_yes = stage in SETTLED and self.crisis.verdict == "ambiguous" and answer in ("yes", "sometimes")
        if stage == "direct" or (late_yes and not self.crisis.third_party):
            return self.direct_answer(answer)
        if stage in SETTLED and self.crisis.verdict == "explicit" and answer in ("worse", "no", "unsure"):
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
            says=(Say(again.text, kind, again.title), *self.beside_danger(kind), self.safe_question(kind)),
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
        said = self.reply(Told(text=texts[turn], lines=self.lines_come), "staying")
        # the second of the change tells which text comes next, so that none comes twice in a row
        later = (turn + 1 - int(self.moment.timestamp())) % len(texts)
        return replace(
            said, crisis=replace(self.at("staying"), changed_at=self.moment + timedelta(seconds=later))
        )

    @property
    def lines_come(self) -> bool:
        """Whether the lines stand below what is said to someone who answered nothing."""
        assert self.crisis is not None  # noqa: S101 - a stage is open
        unread = self.crisis.stage in ("safe", "offer")  # whether they are safe is not known
        return unread or self.safe.urgent or self.heard.judgement.verdict != "none"

    def said_to(self, told: HeardAndSaid) -> Move:
        """What is said to something that a held person tells; they stay held."""
        assert self.crisis is not None  # noqa: S101 - a stage is open
        lines = told.lines or self.lines_come
        said = self.reply(Told(text=told.text, lines=lines), "staying")
        if told.offers is None:
            return said
        buttons = (Button(self.texts.staying.wipe.title, TO_WIPE), *said.says[0].buttons)
        return replace(said, says=(replace(said.says[0], buttons=buttons),))

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
        said = (Say(self.texts.false_alarm.text),)
        events: tuple[tuple[Event, Kind], ...] = (("false_alarm", self.crisis.kind),)
        if self.crisis.stage == "taken_back":
            return self.stale()
        if self.crisis.stage == "closed":  # they went on already
            return Move(said, self.at("taken_back"), engine="nothing", events=events)
        return Move(said, self.at("taken_back"), engine="go_on", ends_form=False, events=events)

    def stale(self) -> Move:
        stale = self.texts.stale
        kind: Kind = self.crisis.kind if self.crisis is not None else "suicidal_thoughts"
        said = Say(stale.text, kind, stale.title)
        if self.crisis is None or self.crisis.stage in SETTLED:  # it stays as it is, with the time it has
            return Move((said,), self.crisis, engine="nothing")
        return Move((said,), self.at(self.crisis.stage), engine="nothing")

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
    def answers(self) -> Answers:
        """The words of the message, to be read as an answer."""
        kind: Kind = "suicidal_thoughts" if self.crisis is None else self.crisis.kind
        return Answers(
            self.texts.heard,
            self.heard.text,
            question=self.texts.explicit[kind].safe,
            despair=self.heard.judgement.verdict != "none",
            urgent=self.crisis is not None and self.crisis.verdict == "explicit" and self.urgent(kind),
            asks_urgent=self.urgent(self.texts.direct[kind].yes_as),
        )

    def takes_back_a_no(self) -> bool:
        """Whether this says yes after all, at once after a no to the direct question."""
        crisis = self.crisis
        return (
            crisis is not None
            and not crisis.third_party
            and self.heard.command is None
            and crisis.stage in SETTLED
            and crisis.verdict == "ambiguous"
            and self.moment - crisis.changed_at <= AFTER_ALL
            and self.answers.whole(self.texts.heard.after_all)
        )


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
