"""Room `engine`: hears a score in what people type. May know Rasa's component interface and `bot.language`.

Last in the pipeline. A message that is nothing but a score ("7", "een 7 of 8", "heel vaak") gets the intent
`give_score`, whatever the classifier thought. Any other message keeps its intent. A score that can be read in
only one way becomes the entity `score`.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.constants import INTENT_MESSAGE_PREFIX
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.language.lexicon import contains, find_phrase, lexicon
from bot.language.normalise import tokens
from bot.language.numbers import NUMBER_WORDS
from bot.language.scale import read_scale_answer

INTENT_NAME = "give_score"
ENTITY_NAME = "score"
_JOINS = frozenset({"a", "en", "of", "tem", "tot", "tussen"})  # between two scores
_SCORE_KINDS = frozenset({"score", "choose", "out_of_range"})


@DefaultV1Recipe.register(
    [DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR],
    is_trainable=False,
)
class ScoreComponent(GraphComponent):
    """Sets intent `give_score` and entity `score`; learns nothing."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],  # noqa: ARG003 - Rasa's signature
        model_storage: ModelStorage,  # noqa: ARG003
        resource: Resource,  # noqa: ARG003
        execution_context: ExecutionContext,  # noqa: ARG003
    ) -> ScoreComponent:
        """Make the component (Rasa calls this)."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Look at each message; payloads of buttons are Rasa's own and stay as they are."""
        for message in messages:
            text = message.get(TEXT) or ""
            if not text.startswith(INTENT_MESSAGE_PREFIX):
                _hear(message, text)
        return messages


def _hear(message: Message, text: str) -> None:
    answer = read_scale_answer(text)
    if answer.kind not in _SCORE_KINDS:
        return
    if only_a_score(text):
        first = {"name": INTENT_NAME, "confidence": 1.0}
        others = [entry for entry in message.get(INTENT_RANKING_KEY) or [] if entry["name"] != INTENT_NAME]
        message.set(INTENT, first, add_to_output=True)
        message.set(INTENT_RANKING_KEY, [first, *others], add_to_output=True)
    if answer.kind == "score":
        entity = {
            "entity": ENTITY_NAME,
            "value": answer.value,
            "start": 0,
            "end": len(text),
            "extractor": ScoreComponent.__name__,
        }
        message.set(ENTITIES, [*(message.get(ENTITIES) or []), entity], add_to_output=True)


def only_a_score(text: str) -> bool:
    """Whether every word of the text is a number, a frequency word, or a word that goes with one."""
    lex = lexicon()
    around = (
        lex.fillers | lex.before_a_score | lex.words_after_a_score | lex.between_article_and_score | _JOINS
    )
    words = [token.text for token in tokens(text) if token.kind != "mark"]
    at = 0
    while at < len(words):
        phrase = find_phrase(words, at, lex.scores) or find_phrase(words, at, lex.correction)
        if phrase:
            at += len(phrase)
        elif _is_number(words[at]) or words[at] in around:
            at += 1
        else:
            return False
    return bool(words) and not contains(words, lex.no_answer)


def _is_number(word: str) -> bool:
    return word[0].isdigit() or word in NUMBER_WORDS
