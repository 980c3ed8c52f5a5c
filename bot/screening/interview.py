"""Asking an instrument's questions one by one: what a reply means and what comes next.

Room: pure core. Knows instruments and how people phrase an answer; knows nothing of Rasa, storage, HTTP or the
clock. `actions/` turns a reply into `Heard`, applies the `changes` of the returned `Step` and says its lines.

The order of questions: go on with an unfinished check-in? · may I keep your scores? · the items · which sector?
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.language.normalise import fold
from bot.language.scale import Answer, read_scale_answer
from bot.screening.instruments import Given, Instrument, Item
from bot.screening.norms import Norms
from bot.screening.options import read_option, read_options

RESUME = "resume"
CONSENT = "consent"
GROUP = "norm_group"

Status = Literal["open", "complete", "left"]

#: A word of so many letters may name an item; one of so many may be the start of its name.
SHORTEST_NAME, LONG_ENOUGH = 3, 5

#: A digression that gets its answer (the response `utter_<intent>`), after which the open question comes back.
ANSWERED_IN_PLACE = frozenset(
    {
        "thank", "ask_capabilities", "ask_is_bot", "ask_language", "ask_cost", "ask_sources", "ask_what_is_burnout",
        "ask_burnout_vs_depression", "ask_am_i_burned_out", "ask_recovery", "ask_return_to_work",
        "ask_leader_tips", "request_peer_support", "request_team_support",
        "request_self_help", "give_feedback_positive", "give_feedback_negative", "report_ok",
        "report_exhaustion", "report_sleep_problem", "report_work_pressure", "report_emotional_load",
        "report_physical_load", "report_conflict", "report_aggression", "report_alone", "report_insecure",
        "report_want_to_quit", "report_work_life", "report_private_worries", "report_low_mood",
        "report_anxiety", "report_shocking_event", "report_substance_use", "report_lack_of_recognition",
        "report_colleague_struggling",
    }
)  # fmt: skip
#: Digressions with a shorter answer halfway than they get outside the questions.
ANSWERED_SHORTLY = {
    "greet": "greet", "ask_privacy": "privacy_halfway", "ask_contact_person": "contact_person_halfway"
}  # fmt: skip
#: Asked for halfway, answered afterwards: these need the floor to themselves.
AFTERWARDS = frozenset({"show_trend", "request_my_data", "request_delete_data", "start_check_in"})
#: A person asks for people: the questions make room at once and nothing of them is asked again.
FOR_PEOPLE = frozenset({"request_human", "request_callback", "request_helpline"})


@dataclass(frozen=True)
class Heard:
    """One reply. `score`, `codes` and `item` come from what was tapped; `intent` is '' when the model was not sure."""

    text: str
    intent: str
    score: int | None = None
    item: str | None = None
    tapped: bool = False
    anew: bool = False  # tapped: begin again instead of going on
    worrying: bool = False  # it reads as thoughts of death
    codes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Line:
    """Something to say, and what fills its placeholders.

    `response` names a response of domain.yml when it starts with `utter_`, else a text of
    resources/conversation/texts.yml.
    """

    response: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Save:
    """Keep this item's answer; `value` None means skipped."""

    item: str
    value: Given


@dataclass(frozen=True)
class Remove:
    """Take this item's answer back."""

    item: str


@dataclass(frozen=True)
class SetConsent:
    """The person said whether scores may be kept."""

    given: bool


@dataclass(frozen=True)
class SetGroup:
    """The sector or profession to compare with; both None when the person would rather not say."""

    kind: str | None
    label: str | None


@dataclass(frozen=True)
class StartAnew:
    """Drop the unfinished answers and begin again."""


Change = Save | Remove | SetConsent | SetGroup | StartAnew


@dataclass(frozen=True)
class Progress:
    """Where the person is: what was answered (None = skipped) and which question is open."""

    instrument: Instrument
    answers: Mapping[str, Given]
    asked: str
    consent: bool | None
    group_settled: bool
    wanted: Instrument | None = None  # what to ask when beginning again; None = the same

    @property
    def number(self) -> int:
        """The open item's place in the instrument, counted from 1; 0 when no item is open."""
        return next((n for n, item in enumerate(self.instrument.items, 1) if item.id == self.asked), 0)


@dataclass(frozen=True)
class Step:
    """What follows from a reply: lines to say, changes to keep, the open question ('' when none).

    `worried`: the app asks about danger first; the open question stays open and is not asked now.
    """

    progress: Progress
    lines: tuple[Line, ...] = ()
    changes: tuple[Change, ...] = ()
    status: Status = "open"
    worried: bool = False

    @property
    def asked(self) -> str:
        """The question that is open now, '' when the interview ended."""
        return self.progress.asked if self.status == "open" else ""


def begin(
    instrument: Instrument,
    given: Mapping[str, Given],
    consent: bool | None,
    group_settled: bool,
    resume: bool | None,
) -> Step:
    """Open the interview.

    Args:
        instrument: what is asked.
        given: answers of an unfinished check-in with the same instrument, in the order given; empty for none.
        consent: what the person said about keeping scores; None = never asked.
        group_settled: a sector or profession is known, or the person would rather not say.
        resume: True to go on with `given`, False to start anew, None to ask.
    """
    progress = Progress(instrument, dict(given), "", consent, group_settled)
    if given and resume is None:
        return Step(replace(progress, asked=RESUME))
    if given and resume is False:
        fresh = replace(progress, answers={})
        return _next(fresh, (), (StartAnew(),))
    return _next(progress, (), ())


def reply(progress: Progress, heard: Heard, norms: Norms) -> Step:
    """Read one reply to the open question. Never raises; what cannot be read is asked again with a hint."""
    if heard.worrying:
        return Step(progress, worried=True)
    if progress.asked in (RESUME, CONSENT):
        return _yes_no(progress, heard)
    if progress.asked == GROUP:
        return _group(progress, heard, norms)
    return _item(progress, heard)


def _item(progress: Progress, heard: Heard) -> Step:
    items = {item.id: item for item in progress.instrument.items}
    if heard.score is not None or heard.codes is not None:
        return _tapped(progress, heard, items)
    if items[progress.asked].kind != "scale":
        return _chosen(progress, heard, items[progress.asked])
    scale = progress.instrument.scale
    answer = Answer(kind="none") if heard.tapped else read_scale_answer(heard.text, scale.min, scale.max)
    read = _read(progress, answer, items, heard.text)
    if read is not None:
        return read
    if heard.intent == "skip":
        return _save(progress, progress.asked, None, (Line("skipped"),))
    if heard.intent == "go_back":
        return _back(progress)
    if heard.intent == "ask_why":
        return _again(progress, Line("plain", {"text": items[progress.asked].why}))
    hint = Line("scale_hint", {"min_label": scale.min_label, "max_label": scale.max_label})
    return _elsewhere(progress, heard, hint)


def _tapped(progress: Progress, heard: Heard, items: Mapping[str, Item]) -> Step:
    """An answer that was tapped: to the open question, to an earlier one, or to one of another questionnaire."""
    item = items.get(heard.item or progress.asked)
    given = heard.codes if heard.score is None else heard.score
    try:
        value = progress.instrument.check(item, given) if item is not None else None
    except ValueError:
        value = None
    if item is None or value is None:
        return Step(progress)  # nothing that can be kept: ask again
    if item.id != progress.asked:
        return _change_earlier(progress, item, value)
    return _save(progress, item.id, value, ())


def _chosen(progress: Progress, heard: Heard, item: Item) -> Step:
    """A typed reply to a question with options."""
    answer = Answer(kind="none") if heard.tapped else read_scale_answer(heard.text)
    if answer.kind == "back" or heard.intent == "go_back":
        return _back(progress)
    value: Given = None
    if not heard.tapped or heard.intent in ("affirm", "deny"):
        said = {"/affirm": "ja", "/deny": "nee"}.get(heard.text, heard.text)
        value = read_option(item, said) if item.kind == "choice" else read_options(item, said)
        meant = heard.intent in ("affirm", "deny") and answer.kind != "skip"
        if value is None and item.kind == "choice" and meant:
            value = read_option(item, "ja" if heard.intent == "affirm" else "nee")
    if value is not None:
        return _save(progress, item.id, value, (Line("chosen", {"label": _labels(item, value)}),))
    if answer.kind == "skip" or heard.intent == "skip":
        return _save(progress, item.id, None, (Line("skipped"),))
    if heard.intent == "ask_why":
        return _again(progress, Line("plain", {"text": item.why}))
    return _elsewhere(progress, heard, Line("choose_option"))


def _labels(item: Item, value: Given) -> str:
    """What was understood, in the words of the options."""
    chosen = value if isinstance(value, tuple) else (value,)
    return ", ".join(
        option.label
        for option in item.options
        if (option.value if item.kind == "choice" else option.code) in chosen
    )


def _read(progress: Progress, answer: Answer, items: Mapping[str, Item], text: str) -> Step | None:
    """What the words themselves say, before any guess at an intent; None when they hold no answer."""
    if answer.kind == "score" and answer.value is not None:
        meant = _meant(progress, text) if answer.correction else None
        if meant is not None:
            return _change_earlier(progress, items[meant], answer.value)
        return _save(progress, progress.asked, answer.value, _echo(answer))
    if answer.kind == "choose":
        low, high = (str(option) for option in (answer.options[0], answer.options[-1]))
        text = "choose_one" if len(answer.options) == 2 else "choose_between"
        return _again(progress, Line(text, {"low": low, "high": high}))
    if answer.kind == "out_of_range":
        scale = progress.instrument.scale
        return _again(progress, Line("out_of_range", {"min": str(scale.min), "max": str(scale.max)}))
    if answer.kind == "skip":
        return _save(progress, progress.asked, None, (Line("skipped"),))
    if answer.kind == "back":
        return _back(progress)
    return None


def _echo(answer: Answer) -> tuple[Line, ...]:
    """Say which number was understood whenever it was not typed as such."""
    if answer.typed is not None and answer.typed != answer.value:
        typed = f"{answer.typed:g}".replace(".", ",")
        return (Line("rounded", {"typed": typed, "value": str(answer.value)}),)
    if answer.word is not None:
        return (Line("read_word", {"word": answer.word, "value": str(answer.value)}),)
    return ()


def _yes_no(progress: Progress, heard: Heard) -> Step:
    if progress.asked == RESUME and heard.anew:
        return _next(
            replace(progress, answers={}, instrument=progress.wanted or progress.instrument),
            (),
            (StartAnew(),),
        )
    yes = heard.intent == "affirm"
    no = heard.intent in ("deny", "skip")
    if not yes and not no:
        if heard.intent == "ask_why" and progress.asked == CONSENT:
            return _again(progress, Line("why_consent"))
        return _elsewhere(progress, heard, Line("yes_or_no"))
    if progress.asked == RESUME:
        return _next(progress, (), ()) if yes else Step(progress, (Line("check_in_paused"),), status="left")
    thanks = Line("consent_given" if yes else "consent_refused")
    return _next(replace(progress, consent=yes), (thanks,), (SetConsent(yes),))


def _group(progress: Progress, heard: Heard, norms: Norms) -> Step:
    items = {item.id: item for item in progress.instrument.items}
    if heard.score is not None:
        return _tapped(progress, heard, items)
    answer = read_scale_answer(heard.text)
    meant = _meant(progress, heard.text) if answer.correction and answer.value is not None else None
    if meant is not None:
        return _change_earlier(progress, items[meant], answer.value)
    found = None if heard.tapped else norms.find_group(heard.text)
    settled = replace(progress, group_settled=True)
    if found is not None:
        return _next(settled, (), (SetGroup(found.kind, found.label),))
    if heard.intent in ("skip", "deny") or answer.kind == "skip":
        return _next(settled, (), (SetGroup(None, None),))
    if heard.intent == "go_back" or answer.kind == "back":
        return _back(progress)
    if heard.intent == "ask_why":
        return _again(progress, Line("why_group"))
    if heard.intent == "affirm":
        return Step(progress)
    if answer.kind in ("score", "choose", "out_of_range"):
        return _again(progress, Line("group_no_number"))
    step = _elsewhere(progress, heard, Line("group_unknown"))
    if step.lines and step.lines[0].response == "group_unknown":
        # An unknown sector is no reason to hold up the result: go on beside all respondents.
        return _next(settled, step.lines, (SetGroup(None, None),))
    return step


def _elsewhere(progress: Progress, heard: Heard, hint: Line) -> Step:
    """A reply that is no answer: leave, answer a digression, or ask again with a hint."""
    if heard.intent in ("stop", "goodbye"):
        paused = Line("check_in_paused" if progress.answers else "utter_stop")
        return Step(progress, (paused,), status="left")
    if heard.intent in FOR_PEOPLE:
        prefix = "utter_" if heard.intent == "request_helpline" else ""
        return Step(progress, (Line(prefix + heard.intent),), status="left")
    if heard.intent == "repeat":
        return Step(progress)
    if heard.intent in ANSWERED_IN_PLACE:
        return _again(progress, Line(f"utter_{heard.intent}"))
    if heard.intent in ANSWERED_SHORTLY:
        return _again(progress, Line(ANSWERED_SHORTLY[heard.intent]))
    if heard.intent in AFTERWARDS:
        return _again(progress, Line("after_check_in"))
    return _again(progress, hint)


def _again(progress: Progress, line: Line) -> Step:
    return Step(progress, (line,))


def _save(progress: Progress, item: str, value: Given, lines: tuple[Line, ...]) -> Step:
    answers = {**progress.answers, item: value}
    return _next(replace(progress, answers=answers), lines, (Save(item, value),))


def _change_earlier(progress: Progress, item: Item, value: Given) -> Step:
    shown = str(value) if item.kind == "scale" else _labels(item, value)
    said = Line("changed", {"label": item.label, "value": shown})
    changed = replace(progress, answers={**progress.answers, item.id: value})
    return Step(changed, (said,), (Save(item.id, value),))


def _meant(progress: Progress, text: str) -> str | None:
    """The earlier item that a correction is about: the one it names, else the one before; None: the open one."""
    items = progress.instrument.items
    said = [word for word in re.findall(r"\w+", fold(text)) if len(word) >= SHORTEST_NAME]
    by_word = [
        [item.id for item in items if any(_names(word, one) for one in _called(item))] for word in said
    ]
    named = sorted({found[0] for found in by_word if len(found) == 1})
    if len(named) == 1:
        return named[0] if named[0] != progress.asked else None
    return _previous(progress)


def _called(item: Item) -> tuple[str, ...]:
    """The words by which a person may name an item: those of its label and its question."""
    return tuple(word for word in re.findall(r"\w+", fold(f"{item.label} {item.question}")) if len(word) > 2)


def _names(word: str, called: str) -> bool:
    """Whether a word names what is called so: "slaap" is the start of "slaapproblemen"."""
    return word == called or (len(word) >= LONG_ENOUGH and called.startswith(word))


def _previous(progress: Progress) -> str | None:
    """The answered item just before the open question, in the instrument's order."""
    order = [item.id for item in progress.instrument.items]
    before = order[: order.index(progress.asked)] if progress.asked in order else order
    return next((item for item in reversed(before) if item in progress.answers), None)


def _back(progress: Progress) -> Step:
    previous = _previous(progress)
    if previous is None:
        return _again(progress, Line("no_previous"))
    answers = {item: value for item, value in progress.answers.items() if item != previous}
    back = replace(progress, answers=answers, asked=previous)
    return Step(back, (Line("one_back"),), (Remove(previous),))


def _next(progress: Progress, lines: tuple[Line, ...], changes: tuple[Change, ...]) -> Step:
    """Move to the first question that still stands open."""
    if progress.consent is None:
        return Step(replace(progress, asked=CONSENT), lines, changes)
    for item in progress.instrument.items:
        if item.id not in progress.answers:
            return Step(replace(progress, asked=item.id), lines, changes)
    compared = progress.instrument.compared and not progress.group_settled
    if compared and any(value is not None for value in progress.answers.values()):
        return Step(replace(progress, asked=GROUP), lines, changes)
    return Step(replace(progress, asked=""), lines, changes, status="complete")
