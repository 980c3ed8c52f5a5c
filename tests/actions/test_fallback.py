"""Edge room: what is offered where the model is not sure what was meant."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.meta import Fallback


async def offered(ranking: dict[str, float]) -> list[str]:
    """The buttons after a sentence that the model thought this of."""
    rows = [{"name": name, "confidence": share} for name, share in ranking.items()]
    unsure = {"name": "nlu_fallback", "confidence": 0.3}
    message = {"text": "dzwonek", "intent": unsure, "intent_ranking": [unsure, *rows], "entities": []}
    tracker = Tracker("c1", {}, message, [], False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    await Fallback().run(dispatcher, tracker, {})
    return [button["title"] for said in dispatcher.messages for button in said["buttons"]]


async def test_the_two_likeliest_readings_are_offered_and_a_way_out() -> None:
    found = await offered({"report_sleep_problem": 0.45, "report_exhaustion": 0.3, "report_ok": 0.2})
    assert found == ["Ik slaap slecht", "Ik ben uitgeput", "Iets anders"]


async def test_an_absurd_guess_is_not_offered() -> None:
    assert await offered({"report_sleep_problem": 0.45, "report_aggression": 0.1}) == [
        "Ik slaap slecht",
        "Iets anders",
    ]
    assert "Iemand was agressief tegen mij" not in await offered({"report_aggression": 0.14, "thank": 0.1})


async def test_where_nothing_is_likely_a_person_is_offered() -> None:
    assert "Een mens spreken" in await offered({"report_aggression": 0.14, "thank": 0.1})
