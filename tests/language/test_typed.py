"""What people type, made even: for the engine with the general words, for the guard with its own beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language.normalise import fold
from bot.language.typed import LONGEST, Table, Typed, general_table
from bot.resources import RESOURCES, ResourceError
from bot.safety.normal import load_normaliser

TYPED = Typed(general_table())


def even(text: str, typed: Typed = TYPED) -> str:
    return " ".join(typed.words(typed.even(text)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Kzie het nie meer zitten", "ik zie het niet meer zitten"),
        ("'k wil da ni", "ik wil dat niet"),
        ("kvind tga wel", "ik vind het gaat wel"),
        ("ge moet mij da is zeggen", "je moet mij dat is zeggen"),
        ("idk mss strx", "ik weet niet misschien straks"),
        ("ik weet da nimeer", "ik weet dat niet meer"),
    ],
)
def test_tussentaal_and_chat_spelling_are_read_as_dutch(text: str, wanted: str) -> None:
    assert even(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("echttttt niettttt", "echt niet"),
        ("zooooo bang", "zo bang"),
        ("n i e t meer", "niet meer"),
        ("ikhebgeenbeter", "ik heb geen beter"),
        ("m0rg3n", "morgen"),
        ("hahahaha", "lachen"),
        ("😭😭", "huilen huilen"),
        ("heb koppijn", "heb hoofdpijn"),
        ("ni\u200bet", "niet"),
    ],
)
def test_stretched_spaced_glued_and_marked_words_are_read(text: str, wanted: str) -> None:
    assert even(text) == wanted


@pytest.mark.parametrize("text", ["ik ben moe", "een zeer zware nacht", "zonde van de tijd", "ik heb pijn"])
def test_words_that_only_danger_reads_otherwise_stay_as_they_are(text: str) -> None:
    assert even(text) == text


def test_words_of_other_alphabets_stay_whole() -> None:
    assert even("Я хочу померти!") == "я хочу померти !"
    assert even("أريد أن أموت") == "اريد ان اموت"
    assert even("miłość") == "miłosc"
    assert even("أمـــوت") == "اموت"
    assert even("ʼk wil dood") == "ik wil dood"


def test_nothing_is_left_out_of_what_is_written_without_spaces() -> None:
    assert even("今" * 100 + "自杀").endswith("自杀")


def test_ordinary_dutch_stays_as_it_is() -> None:
    text = "vandaag was het druk op de dienst, maar de collega's hielpen elkaar"
    assert even(text) == text.replace(",", " ,")


def test_a_slip_of_an_important_word_is_heard_and_an_ordinary_word_is_no_slip() -> None:
    table = Table(important=["bewusteloos", "springen"])
    typed = Typed(table, is_word=lambda word: word == "sprongen")
    assert even("bewustelos springenn sprnigen", typed) == "bewusteloos springen springen"
    assert even("sprongen", typed) == "sprongen"
    assert even("opspringen", Typed(Table(important=["springen"], no_slips=["spring"]))) == "opspringen"


def test_the_guard_hears_the_general_words_and_its_own() -> None:
    guard = load_normaliser()
    assert even("kzie het nie meer zitten, 🔪", guard) == "ik zie het niet meer zitten , mes"
    assert even("zelfm0ord", guard) == "zelfmoord"
    assert even("ik ben moe. ge moe komen", guard) == "ik ben moe . je moet komen"


def test_an_ordinary_word_is_not_cut_into_the_words_that_its_letters_could_be() -> None:
    ordinary = "terecht tekenen knikken uitzetten opereren kalmeert voortaan borstkanker"
    assert even(ordinary, load_normaliser()) == ordinary
    assert even("ikwilnietmeerleven", load_normaliser()) == "ik wil niet meer leven"


def test_every_word_of_the_table_is_folded_and_even() -> None:
    table = general_table()
    words = [*table.words, *table.glue, *table.k_before, *" ".join(table.words.values()).split()]
    assert [word for word in words if fold(word) != word] == []
    spelt = " ".join(table.words.values()).split()
    assert [word for word in spelt if even(word) != word and word not in table.words] == []


def test_no_word_stands_in_the_general_table_and_the_guards(tmp_path: Path) -> None:
    for name in ("language/typed.yml", "safety/typing.yml"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text((RESOURCES / name).read_text(encoding="utf-8"), encoding="utf-8")
    assert load_normaliser(path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\nwords:\n", "\nwords:\n  nie: niets\n"), encoding="utf-8")
    with pytest.raises(ResourceError, match=r"'nie' stands in language/typed\.yml too"):
        load_normaliser(path)


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    words = TYPED.words(TYPED.even(text))
    assert all(words)
    assert all(word == word.lower() and not word.isspace() for word in words)


def test_a_very_long_message_is_read_at_its_head_and_tail() -> None:
    read = even("begin " + "x " * LONGEST + "einde")
    assert read.startswith("begin ")
    assert read.endswith(" einde")
    assert len(read) <= 2 * LONGEST + 10
