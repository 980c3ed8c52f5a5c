"""The guard, message by message; the cases stand in tests/cases/guard.yml."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bench.guard import TO_THE_END
from bot.safety.classifier import OUTPUTS, Classifier, load_weights, save_weights
from bot.safety.examples import load_examples
from bot.safety.guard import Guard, GuardModelError, load_guard
from bot.safety.phrases import load_phrase_rules, token_patterns
from bot.safety.reader import Floats, fits
from bot.settings import load_settings

ROOT = Path(__file__).parents[2]
CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (ROOT / "tests" / "cases" / "guard.yml").read_text(encoding="utf-8")
)


def check(guard: Guard, *groups: str) -> None:
    wrong = []
    for case in (case for group in groups for case in CASES[group]):
        found = guard.judge(case["text"])
        wanted = ("ambiguous", "explicit") if case["expect"] == "danger" else (case["expect"],)
        fits = found.verdict in wanted and all(
            getattr(found, name) == case[name] for name in ("kind", "third_party", "past") if name in case
        )
        if not fits:
            wrong.append((case["text"], found))
    assert not wrong


def test_the_model_stays_small() -> None:
    assert load_settings()[0].guard_model.stat().st_size < 20_000_000


def test_idiom_is_not_danger(guard: Guard) -> None:
    check(guard, "idiom")


def test_idiom_does_not_hide_the_real_thing(guard: Guard) -> None:
    check(guard, "idiom_beside_the_real_thing")


def test_danger_said_plainly_is_seen_with_its_kind(guard: Guard) -> None:
    check(guard, "own_danger")


def test_one_or_two_words_are_enough_and_are_not_too_much(guard: Guard) -> None:
    check(guard, "few_words")


def test_one_clause_in_a_long_message_is_enough(guard: Guard) -> None:
    check(guard, "one_clause_in_a_long_message")


def test_talk_about_patients_is_work_not_danger(guard: Guard) -> None:
    check(guard, "talk_about_patients")


def test_negation_and_what_is_over_are_not_danger(guard: Guard) -> None:
    check(guard, "negation", "over")


def test_worry_about_someone_else_is_told_apart(guard: Guard) -> None:
    check(guard, "someone_else")


def test_everyday_messages_pass(guard: Guard) -> None:
    check(guard, "everyday")


def test_each_verdict_says_what_led_to_it(guard: Guard) -> None:
    found = guard.judge("ik wil dood")
    assert any("ik wil dood" in reason for reason in found.because)
    assert any("classifier" in reason for reason in found.because)


def test_danger_spread_over_messages_is_put_together(guard: Guard) -> None:
    parts = ["ik wil niet", "meer", "wakker worden"]
    assert "explicit" not in [guard.judge(part).verdict for part in parts]
    assert guard.judge_recent(parts[:2]).verdict == "none"
    assert guard.judge_recent(parts).verdict == "explicit"
    assert guard.judge_recent(["hallo", "ik ben moe", "en jij?"]).verdict == "none"
    assert guard.judge_recent(["wat een dag", "ik wil dood"]).verdict == "explicit"


def test_messages_before_it_do_not_change_what_is_asked_about_already(guard: Guard) -> None:
    alone = guard.judge("soms wil ik er gewoon niet meer zijn")
    assert alone.verdict == "ambiguous"
    assert guard.judge_recent(["hallo", "wat een dag", "soms wil ik er gewoon niet meer zijn"]) == alone


def test_messages_of_which_none_says_enough_are_asked_about_when_together_they_do(guard: Guard) -> None:
    for case in CASES["in_a_row"]:
        found = guard.judge_recent(case["texts"])
        assert all(guard.judge(text).verdict == "none" for text in case["texts"]), case
        assert found.verdict == case["expect"], (case, found)


def test_the_same_message_gets_the_same_judgement_from_a_fresh_guard(guard: Guard) -> None:
    again = load_guard(load_settings()[0].guard_model)
    for example in load_examples()[::150]:
        assert guard.judge(example.text) == again.judge(example.text)


def test_long_text_and_danger_at_its_end_is_read(guard: Guard) -> None:
    page = "Vandaag was het druk, we hadden te weinig volk. " * 200
    assert guard.judge(page).verdict == "none"
    assert guard.judge(page[:9000] + " Ik wil dood.").verdict == "explicit"


LONG_WORDS = "de arbeidsongeschiktheidsverzekeringsvoorwaarden en de verantwoordelijkheidsverdeling "
HIDDEN = {
    "behind long words": LONG_WORDS * 8 + "en ik heb net alle pillen van mijn vrouw ingenomen",
    "behind an address": f"https://example.org/{'ab3f9/' * 60} ik wil dood",
    "in a run-on message": "vandaag was het druk en toen " * 7
    + "ik wil dood "
    + "en morgen weer werken " * 3,
    "in a page without a stop": "vandaag was het druk en toen belde de dochter " * 200 + "en ik wil dood",
}


@pytest.mark.parametrize("where", HIDDEN)
def test_danger_is_not_lost_in_a_long_message(guard: Guard, where: str) -> None:
    assert guard.judge(HIDDEN[where]).verdict != "none"


def test_danger_that_ends_a_row_of_long_messages_is_read(guard: Guard) -> None:
    before = (
        "Vandaag was het druk op de afdeling, we stonden met twee en de bel bleef gaan en volgende week " * 2
    )
    assert guard.judge_recent([before + "en ik wil", "dood"]).verdict != "none"


def test_of_a_long_message_the_sure_words_are_read_and_no_more_than_fits(guard: Guard) -> None:
    seen: list[str] = []

    def read(text: str) -> Iterator[Floats]:
        seen.append(text)
        yield scores("ambiguous")

    weights = load_weights(load_settings()[0].guard_model)[0]
    spy = replace(guard, classifier=Classifier(weights, read))
    for words in range(20, 70):
        spy.judge("vandaag " * words + "ik wil dood " + "morgen " * words)
    assert len(seen) == 50
    assert all("ik wil dood" in text and fits(text) for text in seen)
    spy.judge(
        "Vandaag was het druk op de afdeling en we hadden te weinig volk. " * 6 + "Zelfmoord. En toen koffie."
    )
    assert "zelfmoord" in seen[-1]


def test_what_is_not_dutch_is_read_whatever_its_words_say(guard: Guard) -> None:
    seen: list[str] = []

    def read(text: str) -> Iterator[Floats]:
        seen.append(text)
        yield scores("none")

    spy = replace(guard, classifier=Classifier(load_weights(load_settings()[0].guard_model)[0], read))
    for text in ("De planning hangt in de keuken.", "Harmonogram wisi w kuchni.", "الجدول معلق في المطبخ"):
        spy.judge(text)
    assert seen == ["harmonogram wisi w kuchni.", "الجدول معلق في المطبخ"]


def scores(verdict: str, **others: float) -> Floats:
    """What a reader says who is quite sure of one verdict, of one kind, about the writer and now, but for `others`."""
    sure = {verdict: 9.0, "third_party": -9.0, "past": -9.0, "overdose": 9.0, **others}
    return np.array([sure.get(name, 0.0) for name in OUTPUTS], dtype=np.float32)


@pytest.mark.parametrize(
    ("text", "first", "stops"),
    [
        ("pillen geteld", scores("none"), True),
        ("pillen geteld", scores("explicit"), True),
        ("pillen geteld", scores("explicit", third_party=9.0), True),
        ("pillen geteld", scores("none", past=0.0), False),
        ("pillen geteld", scores("explicit", third_party=0.0), False),
        ("pillen geteld", scores("explicit", overdose=0.0), False),
        ("pillen geteld", scores("ambiguous"), True),
        ("pillen geteld", scores("ambiguous", explicit=8.0), False),
        ("pillen geteld", scores("none", explicit=8.0), False),
        ("ik wil dood", scores("none"), False),
    ],
    ids=[
        "nothing", "danger", "someone else's danger", "perhaps over", "danger for whom?", "danger of which kind?",
        "perhaps danger", "how much danger?", "hardly sure", "sure words",
    ],
)  # fmt: skip
def test_the_reader_stops_half_way_only_when_nothing_it_may_still_find_would_matter(
    guard: Guard, text: str, first: Floats, stops: bool
) -> None:
    last = scores("explicit", self_harm=20.0)
    read: list[Floats] = []

    def read_on(_: str) -> Iterator[Floats]:
        for answer in (first, last):
            read.append(answer)
            yield answer

    weights = replace(load_weights(load_settings()[0].guard_model)[0], words_share=0.0)
    half_way = replace(
        guard,
        classifier=Classifier(weights, read_on),
        decision=guard.decision.model_copy(update={"look_twice": 0.0}),
    )
    found = half_way.judge(text)
    assert len(read) == (1 if stops else 2)
    assert (found.kind == "self_harm") is not stops
    read.clear()
    to_the_end = half_way.decision.model_copy(update=TO_THE_END)
    assert replace(half_way, decision=to_the_end).judge(text).kind == "self_harm"


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (scores("ambiguous", none=8.0, everyday=-9.0), "ambiguous"),
        (scores("ambiguous", none=8.0, everyday=9.0), "none"),
        (scores("explicit", everyday=9.0), "explicit"),
    ],
    ids=["written to be mistaken", "as everyday things are said", "plain danger however it is said"],
)
def test_what_is_said_as_everyday_things_are_has_to_say_more_before_it_is_asked_about(
    guard: Guard, found: Floats, verdict: str
) -> None:
    def read(_: str) -> Iterator[Floats]:
        yield found

    weights = replace(load_weights(load_settings()[0].guard_model)[0], words_share=0.0)
    decision = guard.decision.model_copy(update={"look_twice": 0.0})
    one = replace(guard, classifier=Classifier(weights, read), decision=decision)
    assert one.judge("de planten zijn naar mijn zus").verdict == verdict


def test_what_the_reader_said_half_way_counts_beside_its_last_answer(guard: Guard) -> None:
    weights = replace(load_weights(load_settings()[0].guard_model)[0], words_share=0.0)
    alarmed, calm = np.zeros(len(OUTPUTS), dtype=np.float32), np.zeros(len(OUTPUTS), dtype=np.float32)
    alarmed[:3], calm[:3] = (0, 0, 4), (2, 0, 1)
    decision = guard.decision.model_copy(update={"look_twice": 0.0, "everyday": 1.0})

    def verdict(*answers: Floats) -> str:
        classifier = Classifier(weights, lambda _: iter(answers))
        return (
            replace(guard, classifier=classifier, decision=decision)
            .judge("de planten zijn naar mijn zus")
            .verdict
        )

    assert (verdict(calm), verdict(calm, calm), verdict(alarmed, calm)) == ("none", "none", "explicit")


def test_no_first_answer_may_stand_that_the_guard_would_still_ask_about(guard: Guard) -> None:
    limit = guard.decision
    assert 1 - limit.enough < min(limit.ask, limit.ask_explicit, limit.ask_with_phrase, limit.doubt_phrase)
    assert limit.enough_danger > max(limit.act, limit.ask, limit.together)


def test_the_command_line_judges_lines_and_survives_bad_ones() -> None:
    lines = [
        '{"id": 1, "text": "ik wil dood"}', "", "geen json", '{"id": 2}', '{"id": 3, "text": "hallo"}',
        *(f'{{"id": {name}, "text": "hallo"}}' for name in ("1.5", "NaN", "1e400", "true")),
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bot", "guard", "--jsonl"],
        input="\n".join(lines), capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in found] == [1, None, 2, 3, 1.5, None, None, None]
    assert set(found[0]) == {"id", "verdict", "kind", "third_party", "past", "because"}
    assert (found[0]["verdict"], found[0]["kind"]) == ("explicit", "suicidal_thoughts")
    assert "error" in found[1]
    assert "error" in found[2]
    assert found[3]["verdict"] == "none"


def test_one_message_on_the_command_line_is_shown_with_its_reasons() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "guard", "mijn man slaat mij"],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[0] == "explicit violence_threat"
    assert "slaat mij" in done.stdout


def test_a_model_that_is_missing_broken_or_of_other_examples_is_refused_in_a_sentence(
    tmp_path: Path,
) -> None:
    with pytest.raises(GuardModelError, match="no trained guard"):
        load_guard(tmp_path / "none.npz")
    good = load_settings()[0].guard_model.read_bytes()
    damaged = [
        good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :] for at in range(5000, len(good), len(good) // 8)
    ]
    for broken in (b"PK\x03\x04 nothing", good[: len(good) // 2], *damaged):
        (tmp_path / "broken.npz").write_bytes(broken)
        with pytest.raises(GuardModelError, match="cannot be used"):
            load_guard(tmp_path / "broken.npz")
    weights, _ = load_weights(load_settings()[0].guard_model)
    save_weights(tmp_path / "other.npz", weights, "0" * 64)
    with pytest.raises(GuardModelError, match="other examples"):
        load_guard(tmp_path / "other.npz")


@pytest.mark.parametrize("phrase", ["{0,3} dood", "ik {0,3}", "ik wil|", "", "dood?"])
def test_a_phrase_that_cannot_be_matched_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match=r"must begin|empty word"):
        token_patterns(phrase)


def phrases() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "resources" / "safety" / "rules").glob("*.yml")):
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]:
            for phrase in rule["phrases"]:
                yield rule["id"], phrase


def test_every_phrase_of_every_rule_can_fire() -> None:
    rules = load_phrase_rules()
    for name, phrase in phrases():
        words = [
            piece.strip("<>?").split("|")[0].replace("*", "je") for piece in phrase.split() if piece[0] != "{"
        ]
        assert name in {hit.rule.id for hit in rules.find(words)}, phrase
