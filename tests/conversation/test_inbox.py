"""Conversation room: what is taken in, cleaned or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.inbox import Incoming, RefusedError, tapped, typed


def refusal(*arguments: object, make: object = typed) -> str:
    with pytest.raises(RefusedError) as refused:
        make(*arguments)
    return refused.value.reason


def test_control_characters_go_and_line_breaks_and_emoji_stay() -> None:
    assert typed("a", "ho\x00i\x1b[31m\r\n😀\tdag\u2028", 100).text == "hoi[31m\n😀\tdag"


def test_an_emoji_alone_is_a_message() -> None:
    assert typed("a", "👍🏽", 100).text == "👍🏽"


def test_what_cannot_be_taken_is_refused_with_its_reason() -> None:
    assert refusal("a", "\ud800", 100) == "bad_text"
    assert refusal("a", " \x00\n ", 100) == "empty"
    assert refusal("a", "x" * 101, 100) == "too_long"
    for bad_id in ("", "a b", "a" * 65, "é", "a\n"):
        assert refusal(bad_id, "hallo", 100) == "bad_id"
    for payload in ("", "/", "/ greet", "/x" * 600, "/a{\x00}", "/a{\ud800}"):
        assert refusal("a", payload, None, make=tapped) == "bad_payload"
    assert refusal("a", "/greet", "x" * 201, make=tapped) == "bad_title"


def test_a_tap_without_a_title_shows_its_score_or_an_ellipsis() -> None:
    shown = {
        '/give_score{"item": "sleep", "score": 7}': "7",
        '/give_score{"score": "7"}': "…",
        '/give_score{"score": 1e9}': "…",
        "/give_score{[}": "…",
        "/greet": "…",
    }
    assert {payload: tapped("a", payload, None).text for payload in shown} == shown


@given(st.text(max_size=300), st.text(max_size=70))
def test_any_text_is_either_taken_in_a_form_that_can_be_stored_or_refused(text: str, client_id: str) -> None:
    try:
        taken: Incoming = typed(client_id, text, 200)
    except RefusedError:
        return
    assert taken.text.encode()
    assert "\0" not in taken.text
    assert len(taken.content_hash) == 64
