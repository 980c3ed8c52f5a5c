"""Safety room: which answer ordinary words give to each open question of the crisis flow."""

from __future__ import annotations

import pytest

from bot.safety.answers import Answers
from bot.safety.crisis_texts import SafeQuestion, shipped_crisis_texts

HEARD = shipped_crisis_texts().heard
DIRECT = {
    "yes": "ja · jaa · ja hoor · jep · eigenlijk wel · ik denk het wel · ja, niet diep · nog niet · dat klopt",
    "sometimes": "soms · soms wel · af en toe · vaak als ik alleen ben · nee maar soms wel · nee eigenlijk wel",
    "no": "nee · neen · nee hoor · zeker nie · natuurlijk niet · haha nee · nee gewoon moe · gelukkig niet",
    "no_with_lines": "nee te laf · ja nee hoor · nu niet · nooit",
    "rather_not": "zeg ik liever niet · kweet nie · geen idee",
    "": "altijd moe op het werk · natuurlijk denk ik daar niet aan · wanneer is de check-in",
}
SAFE: dict[SafeQuestion, dict[str, str]] = {
    "safety": {
        "yes": "ja · ja hoor · ik ben veilig · voor nu wel · ja echt wel",
        "yes_with_lines": "ja ik ben thuis · ja, ik zit bij mijn zus · ja ik ben niet alleen",
        "no": "nee · neen · zeker nie · natuurlijk niet · ik ben nie veilig · nu even niet",
        "unsure": "misschien · kweet nie · ik durf niet · helaas · veilig? nee · ja over tien minuten",
        "numbers": "welk nummer · help · ik wil iemand spreken",
        "": "mijn kat ligt hier · wat bedoel je",
    },
    "help_coming": {
        "yes": "ja · ze komen · de ambulance is onderweg · ja ik heb 112 gebeld · nee, ze komen al",
        "no": "nee · nog altijd niet · neen",
        "unsure": "ja ik ga bellen · ja maar ze komen niet · ik kan niet bellen",
        "": "ik ben veilig · mijn kat ligt hier",
    },
    "safe_place": {
        "yes_with_lines": "ja bij mijn zus",
        "unsure": "ja ik ben thuis · ja zolang hij slaapt · ja ik ben niet alleen, mijn man is hier",
    },
    "at_rest": {
        "yes": "ja · ik rij niet · ja thuis · nee ik rij niet",
        "unsure": "ja ik ben thuis bij een client",
    },
    "everyone_safe": {"yes": "ja · iedereen is veilig", "unsure": "ja ze ligt op de grond"},
}
STAYING = {
    "back": "terug · ga verder · het gaat wat beter · stop",
    "no": "ik ben niet veilig · onveilig",
    "numbers": "nummers · ik heb hulp nodig",
    "worse": "het gaat niet · ik kan niet meer · slechter",
    "": "nee · laat maar · stop met leven · het gaat weer slecht · mijn kat ligt hier",
}


def answers(text: str, question: SafeQuestion = "safety", *, despair: bool = False) -> Answers:
    urgent = question == "help_coming"
    return Answers(HEARD, text, question, despair=despair, urgent=urgent, asks_urgent=urgent)


def rows(table: dict[str, str]) -> list[tuple[str, str | None]]:
    return [(text.strip(), answer or None) for answer, texts in table.items() for text in texts.split("·")]


@pytest.mark.parametrize(("text", "answer"), rows(DIRECT))
def test_an_answer_to_the_direct_question_is_read_as_it_was_meant(text: str, answer: str | None) -> None:
    assert answers(text).read("direct") == answer


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [(question, *row) for question, table in SAFE.items() for row in rows(table)],
)
def test_only_a_plain_yes_counts_as_being_safe(question: SafeQuestion, text: str, answer: str | None) -> None:
    assert answers(text, question).read("safe") == answer


@pytest.mark.parametrize("question", SAFE)
def test_a_yes_in_which_danger_is_heard_is_no_yes(question: SafeQuestion) -> None:
    assert answers("ja", question, despair=True).read("safe") == "unsure"


@pytest.mark.parametrize(("text", "answer"), rows(STAYING))
def test_only_a_plain_wish_to_go_on_ends_the_staying(text: str, answer: str | None) -> None:
    assert answers(text).read("staying") == answer


@pytest.mark.parametrize(
    ("text", "meant_otherwise"),
    [
        ("zo bedoelde ik het niet", True),
        ("haha nee, zo bedoel ik da nie", True),
        ("het was maar een grapje", True),
        ("zo bedoelde ik het niet, ik ben gewoon moe", True),
        ("dit is geen grapje", False),
        ("grapje, nee ik meen het", False),
        ("mijn man heeft me verkeerd begrepen", False),
        ("grapje?", False),
    ],
)
def test_a_false_alarm_is_put_right_by_words_that_say_nothing_else(text: str, meant_otherwise: bool) -> None:
    assert answers(text).puts_right() is meant_otherwise


def test_where_minutes_count_no_words_put_it_right_or_end_it() -> None:
    for text in ("grapje", "zo bedoelde ik het niet"):
        assert not answers(text, "help_coming").puts_right()
    assert answers("terug", "help_coming").read("staying") is None
