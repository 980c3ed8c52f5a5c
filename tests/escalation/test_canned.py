"""Escalation room: replies a coach can put in the box."""

import re
from pathlib import Path

import pytest

from bot.escalation.canned import CannedReplies, shipped_canned_replies
from bot.resources import ResourceError, read_definition

HEAD = "id: canned\ntitle: x\nversion: 1\nvalid_from: 2026-01-01\nstatus: product_rule\nsource: x\nreplies:\n"


def test_every_reply_reads_well_with_and_without_a_name() -> None:
    for reply in shipped_canned_replies():
        for text in (reply.said_to("Robin"), reply.said_to(None), reply.said_to("")):
            assert "{" not in text
            assert not re.search(r" [,.?!:]|  |,[,.]|^[ ,]", text), text
        assert ("Robin" in reply.said_to("Robin")) == ("{name}" in reply.text)


def test_a_name_is_put_in_as_it_is() -> None:
    reply = next(reply for reply in shipped_canned_replies() if reply.id == "hello")
    assert reply.said_to("{x} & Co").startswith("Dag {x} & Co, ")


@pytest.mark.parametrize(
    ("replies", "fault"),
    [
        ("- {id: a, title: A, text: 'Dag {coach}.'}", "unknown placeholder ['coach']"),
        ("- {id: a, title: A, text: '{name}, dag.'}", "must stand behind a space or comma"),
        ("- {id: a, title: A, text: Dag.}\n- {id: a, title: B, text: Dag.}", "given twice: ['a']"),
        ("  []", "at least 1 item"),
    ],
)
def test_a_reply_that_could_go_wrong_is_refused(tmp_path: Path, replies: str, fault: str) -> None:
    path = tmp_path / "canned.yml"
    path.write_text(HEAD + replies, encoding="utf-8")
    with pytest.raises(ResourceError, match=re.escape(fault)):
        read_definition(path, CannedReplies)
