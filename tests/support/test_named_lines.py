"""A help line that is asked for by name comes first."""

from __future__ import annotations

import pytest

from actions.support import named
from bot.resources import RESOURCES
from bot.support.help_lines import load_help_lines

REGIONS = load_help_lines(RESOURCES / "help_lines")


@pytest.mark.parametrize(
    ("region", "said", "ids"),
    [
        ("vlaanderen", "wat is het nummer van tele-onthaal?", ["be_106"]),
        ("vlaanderen", "ken je teleonthaal", ["be_106"]),
        ("vlaanderen", "Tele Onthaal aub", ["be_106"]),
        ("vlaanderen", "wat is het verschil tussen 1813 en 106?", ["be_1813", "be_106"]),
        ("vlaanderen", "de zelfmoordlijn", ["be_1813"]),
        ("vlaanderen", "is het caw open", ["be_caw"]),
        ("vlaanderen", "is 0800 13 500 gratis", ["be_caw"]),
        ("vlaanderen", "het nummer van de druglijn", ["be_druglijn"]),
        ("vlaanderen", "welk nummer kan ik bellen", []),
        ("vlaanderen", "ik werk in zaal 1065 en bel 1060", []),
        ("vlaanderen", "mijn huisarts neemt niet op", []),
        ("vlaanderen", "", []),
        ("nederland", "hoe bel ik 113", ["nl_113"]),
        ("nederland", "de luisterlijn graag", ["nl_luisterlijn"]),
        ("nederland", "hoe bereik ik ABS-zorgprofessionals?", ["nl_abs"]),
    ],
)
def test_lines_are_found_by_name_and_by_number(region: str, said: str, ids: list[str]) -> None:
    assert [line.id for line in named(REGIONS[region].lines, said)] == ids
