"""Which answer a person's words give to the open question of the crisis flow.

Room: pure core. The words are data (resources/safety/crisis.yml, `heard`). What calms or closes is read narrowly: only
words that change nothing may follow it. What brings the help lines is read widely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.language.normalise import tokens
from bot.language.typed import Typed, general_table
from bot.safety.crisis_texts import HeardAndSaid, HeardWords, SafeQuestion

#: In so many words people answer a question; in more they tell something. So many may follow "soms".
SHORT, AFTER_SOMETIMES = 8, 5


@dataclass(frozen=True, slots=True)
class Answers:
    """The words of one message and what is known beside them.

    Attributes:
        heard: the words that are listened for.
        text: the message.
        question: which question follows the lines in the danger that is open.
        despair: the guard finds danger of any sort in the message.
        urgent: minutes count in the danger that is open, and it is plain.
        asks_urgent: minutes count when the direct question is answered with yes.
    """

    heard: HeardWords
    text: str
    question: SafeQuestion
    despair: bool
    urgent: bool
    asks_urgent: bool

    @property
    def mine(self) -> list[str]:
        """The words of the message, without the fillers it begins with."""
        words = _words(self.text)
        while length := _longest(self.heard.fillers, words):
            words = words[length:]
        return words

    def read(self, stage: str) -> str | None:
        """Which answer of the open question the words give; None when they give none.

        What calms or closes is read narrowly, what brings the lines widely.
        """
        heard, mine, question = self.heard, self.mine, self.question
        any_time = {"no": heard.unsafe, "numbers": heard.numbers}
        if self.urgent:  # they may tell at any moment that help is there
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
            return self._behind(stage)
        answer = next(answer for answer, its in found.items() if its == length)
        rest = mine[length:]
        if answer == "yes" and rest[:1] == ["niet"] and self.only_tail(rest[1:]):
            phrase = " ".join(mine[:length])
            if any(" ".join(_phrase(one)) == phrase for one in heard.yes_or_not):
                return "no"  # "natuurlijk niet"
        if stage == "direct":
            return self._direct(answer, length)
        if answer == "yes":
            return self._safe(length)
        if answer in ("better", "back") and (self.despair or not self.only_tail(rest)):
            return None
        if answer == "back" and self.urgent:
            return None  # only the button, or what stands on it, ends what may cost a life
        told = rest and question in ("help_coming", "at_rest") and self.only_tail(rest, heard.here[question])
        if answer == "no" and told:
            return "yes"  # "nee, ze komen al"
        if answer in ("someone", "call") and self.doubted(rest):
            return None  # "mijn zus niet"
        if answer in ("worse", "numbers", "someone", "call", "not_now") and len(rest) > SHORT:
            return None
        return answer

    def _behind(self, stage: str) -> str | None:
        """The answer behind other words: a no to the direct question, that it gets worse, a person is wanted."""
        heard, mine = self.heard, self.mine
        if stage in ("offer", "staying"):
            if self.stands_in(heard.worsening, mine):
                return "worse"
            return "numbers" if "niet" not in mine and self.stands_in(heard.person, mine) else None
        if stage != "direct" or self.despair or self.asks_urgent or "?" in self.text:
            return None
        yes = [*heard.sometimes, *heard.perhaps, *heard.after_all]
        for start in range(len(mine)):
            length, before = _longest(heard.plain_no_behind, mine[start:]), mine[:start]
            if length and not self.stands_in([*yes, *heard.said_by_another], before):
                rest = mine[start + length :]
                if not self.doubted(rest) and not self.stands_in(yes, rest):
                    return "no_with_lines"
        return None

    def is_not_about_me(self) -> bool:
        """Whether they say that the danger is not theirs, and not that it is theirs as well."""
        mine = self.mine
        rest = self._without(self.heard.not_me, mine)
        return len(rest) < len(mine) and not self.stands_in(self.heard.about_me, rest)

    def cannot_reach(self) -> bool:
        """Whether the other whom they worry about does not answer."""
        return self.stands_in(self.heard.unreachable, self.mine)

    def asks_what_to_do(self) -> bool:
        """Whether a short message asks what to do for the other."""
        return self.is_short and self.stands_in(self.heard.what_to_do, self.mine)

    def told(self, known: Mapping[str, HeardAndSaid]) -> HeardAndSaid | None:
        """The first of these that the words tell, wherever they stand in the message."""
        return next((one for one in known.values() if self._tells(one)), None)

    def _tells(self, one: HeardAndSaid) -> bool:
        mine = self.mine
        if one.about and self.question not in one.about:
            return False
        if not self.stands_in(one.heard, mine) or self.stands_in(one.unless, mine):
            return False
        return not one.calms or not (self.despair or self.doubted(self._without(one.heard, mine)))

    def _safe(self, length: int) -> str:
        """How a yes to the question after the lines is taken, with the words that follow it."""
        heard, rest, question = self.heard, self.mine[length:], self.question
        if self.despair or "?" in self.text:
            return "unsure"
        if self.only_tail(rest):
            return "yes"
        if self.urgent:
            known = self.stands_in(heard.here[question], self.mine) and not self.doubted(rest)
            return "yes" if known else "unsure"
        if question == "at_rest":
            return "yes" if self.only_tail(rest, [*heard.here[question], *heard.at_home]) else "unsure"
        if question == "safe_place" and self.stands_in(heard.away, rest):
            return (
                "yes_with_lines"
                if self.only_tail(rest, [*heard.away, *heard.company, *heard.at_home])
                else "unsure"
            )
        company = {"safety": [*heard.company, *heard.at_home], "safe_place": heard.company}.get(question, [])
        without = " ".join(rest).replace("niet alleen", "").split()
        good = self.stands_in([*company, *heard.here[question]], rest) and not self.doubted(without)
        return "yes_with_lines" if good else "unsure"

    def _direct(self, answer: str, length: int) -> str | None:
        """How an answer to the direct question is taken, with the words that follow it."""
        heard, mine = self.heard, self.mine
        rest, alone = mine[length:], self.only_tail(mine[length:])
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
            return "yes" if self.asks_urgent else None if self.despair else "rather_not"
        if answer == "no":
            if self.stands_in([*heard.after_all, *heard.sometimes, *heard.perhaps], rest):
                yes = [*heard.after_all, *heard.sometimes, *heard.perhaps, *heard.sometimes_alone]
                but = rest[0] == "maar" and not self.asks_urgent and not self.only_tail(rest[1:], yes)
                return "no_with_lines" if but else "sometimes"
            if _longest(heard.bare_no, mine) == length:
                return "no_with_lines" if alone else None
            plain = self.only_tail(rest, heard.plain_no)
            if plain or (_longest(heard.plain_no, rest) and not self.doubted(rest)):
                return "no_with_lines" if self.despair else "no"
            return None if self.asks_urgent else "no_with_lines"
        return answer

    def stands_in(self, phrases: Iterable[str], words: Sequence[str]) -> bool:
        """Whether one of the phrases stands anywhere in these words."""
        return any(_longest(phrases, words[start:]) for start in range(len(words)))

    @staticmethod
    def _without(phrases: Iterable[str], words: Sequence[str]) -> list[str]:
        """The words without these phrases."""
        left, at = [], 0
        while at < len(words):
            length = _longest(phrases, words[at:])
            if not length:
                left.append(words[at])
            at += length or 1
        return left

    def only_tail(self, words: Sequence[str], also: Sequence[str] = ()) -> bool:
        """Whether these words change nothing of the answer before them, or say one of some phrases."""
        while words:
            length = _longest([*self.heard.tail, *also], words)
            if not length:
                return False
            words = words[length:]
        return True

    def doubted(self, words: Sequence[str]) -> bool:
        """Whether these words make one doubt the answer before them."""
        return self.stands_in(self.heard.doubt, words)

    def whole(self, phrases: Iterable[str]) -> bool:
        """Whether the message is one of these phrases and nothing else."""
        length = _longest(phrases, self.mine)
        return length > 0 and self.only_tail(self.mine[length:])

    def puts_right(self) -> bool:
        """Whether the message says that it was not meant so, and hardly anything else."""
        heard, mine = self.heard, self.mine
        if self.despair or "?" in self.text or self.urgent:
            return False  # where minutes count, only the button does, or what stands on it
        before = {word for phrase in heard.before_false_alarm for word in _phrase(phrase)}
        for start in range(len(mine)):
            length = _longest(heard.false_alarm, mine[start:])
            if length:
                rest = self._without(heard.false_alarm, mine[start + length :])  # "grapje, niet letterlijk"
                meant = len(rest) <= 2 or _longest(heard.after_false_alarm, rest) > 0
                return meant and not self.doubted(rest)
            if mine[start] not in before:
                return False
        return False

    @property
    def is_short(self) -> bool:
        """Whether the message is short enough to be an answer."""
        return len(self.mine) <= SHORT

    def asks_back(self) -> bool:
        """Whether it begins as a question about the question."""
        return _longest(self.heard.why, self.mine) > 0

    def is_about_me(self) -> bool:
        """Whether it says that worry about someone else is about the writer too."""
        mine = self.mine
        return self.is_short and "niet" not in mine and self.stands_in(self.heard.about_me, mine)


@lru_cache(maxsize=1)
def _typed() -> Typed:
    return Typed(general_table())


def _words(text: str) -> list[str]:
    # Enough for any answer and for what is told beside danger; a longer message is read by the guard.
    typed = _typed()
    even = " ".join(typed.words(typed.even(text[:2000])))
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
