"""Escalation room: figures that give nobody away."""

import itertools
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.escalation.figures import (
    FEW,
    UNTOLD,
    count_shown,
    duration_shown,
    part_shown,
    parts_shown,
    rough_share_shown,
    share_shown,
    weeks_until,
)

BRUSSELS = ZoneInfo("Europe/Brussels")


@pytest.mark.parametrize(("number", "shown"), [(0, "0"), (1, FEW), (4, FEW), (5, "5"), (1234, "1234")])
def test_a_number_of_people_below_five_is_hidden(number: int, shown: str) -> None:
    assert count_shown(number) == shown


def test_large_parts_are_shown_as_they_are() -> None:
    assert parts_shown([30, 12, 7]) == ("49", ["30", "12", "7"])


def test_a_whole_that_would_tell_a_small_part_is_hidden_too() -> None:
    # 45 - 30 - 12 would tell that the third is 3.
    assert parts_shown([30, 12, 3]) == ("minstens 42", ["30", "12", FEW])


def test_small_parts_that_cover_each_other_leave_the_rest_alone() -> None:
    assert parts_shown([30, 3, 2, 0, 0]) == ("35", ["30", FEW, FEW, FEW, FEW])


def test_nobody_at_all_is_told() -> None:
    assert parts_shown([0, 0, 0]) == ("0", ["0", "0", "0"])


def test_a_part_without_people_is_not_told_beside_others() -> None:
    assert parts_shown([3, 0]) == (FEW, [FEW, FEW])


def test_the_whole_is_hidden_when_it_alone_would_tell_the_parts() -> None:
    assert parts_shown([4, 4]) == ("minstens 5", [FEW, FEW])


@pytest.mark.parametrize(("count", "most"), [(2, 30), (3, 18), (5, 7)])
def test_a_small_part_cannot_be_worked_out_even_by_one_who_knows_the_rule(count: int, most: int) -> None:
    possible: dict[tuple[str, ...], list[tuple[int, ...]]] = defaultdict(list)
    for parts in itertools.product(range(most + 1), repeat=count):
        whole, words = parts_shown(parts)
        possible[(whole, *words)].append(parts)
    for shown, behind in possible.items():
        # At the edge of what is tried out, whatever is larger is missing among the possibilities.
        if max(map(max, behind)) == most or shown[0] == "0":
            continue
        for index, word in enumerate(shown[1:]):
            if word == FEW:
                assert len({parts[index] for parts in behind}) > 1, (shown, behind)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=6))
def test_what_is_shown_is_true(parts: list[int]) -> None:
    whole, words = parts_shown(parts)
    told = whole.removeprefix("minstens ")
    assert sum(parts) < 5 if whole == FEW else int(told) <= sum(parts)
    assert whole in (FEW, str(sum(parts))) or told != whole
    for number, word in zip(parts, words, strict=True):
        assert number < 5 if word == FEW else word == str(number)


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "0"),
        (3, 9, UNTOLD),
        (0, 10, FEW),
        (4, 20, FEW),
        (5, 20, "5"),
        (15, 20, "15"),
        (16, 20, "> 15"),
        (20, 20, "> 15"),
    ],
)
def test_a_part_or_rest_of_a_shown_whole_is_hidden_when_small(part: int, whole: int, shown: str) -> None:
    assert part_shown(part, whole) == shown


@pytest.mark.parametrize("whole", [1, 4, 9, 10, 11, 40])
def test_behind_a_hidden_part_or_rest_stand_five_numbers_or_more(whole: int) -> None:
    behind: dict[str, int] = defaultdict(int)
    for part in range(whole + 1):
        behind[part_shown(part, whole)] += 1
    assert all(number >= min(5, whole + 1) for word, number in behind.items() if not word.isdigit())


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (9, 9, UNTOLD),
        (0, 0, UNTOLD),
        (3, 20, "minder dan 25\u00a0%"),
        (5, 20, "25\u00a0%"),
        (15, 20, "75\u00a0%"),
        (18, 20, "meer dan 75\u00a0%"),
        (20, 20, "meer dan 75\u00a0%"),
        (950, 1000, "95\u00a0%"),
    ],
)
def test_a_share_never_tells_a_small_number_or_a_small_rest(part: int, whole: int, shown: str) -> None:
    assert share_shown(part, whole) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (49, 49, UNTOLD),
        (50, 50, "90 tot 100\u00a0%"),
        (47, 50, "90 tot 100\u00a0%"),
        (0, 60, "0 tot 10\u00a0%"),
        (30, 60, "50 tot 60\u00a0%"),
    ],
)
def test_a_share_over_all_weeks_is_told_in_steps(part: int, whole: int, shown: str) -> None:
    assert rough_share_shown(part, whole) == shown


@pytest.mark.parametrize("whole", [50, 57, 64, 99, 240])
def test_every_step_of_a_share_holds_five_numbers_of_people_or_more(whole: int) -> None:
    held: dict[str, int] = defaultdict(int)
    for part in range(whole + 1):
        held[rough_share_shown(part, whole)] += 1
    assert min(held.values()) >= 5


@pytest.mark.parametrize(
    ("seconds", "people", "shown"),
    [
        (None, 0, UNTOLD),
        (7200.0, 4, UNTOLD),
        (0.0, 5, "minder dan 1 uur"),
        (7200.0, 5, "2 uur"),
        (47 * 3600.0, 9, "47 uur"),
        (72 * 3600.0, 9, "3 dagen"),
    ],
)
def test_a_median_of_a_few_people_is_hidden(seconds: float | None, people: int, shown: str) -> None:
    assert duration_shown(seconds, people) == shown


def test_weeks_are_iso_weeks_up_to_the_running_one() -> None:
    weeks = weeks_until(datetime(2027, 1, 1, 12, 0, tzinfo=UTC), BRUSSELS)
    assert [(week.year, week.number) for week in weeks[-2:]] == [(2026, 52), (2026, 53)]
    assert len(weeks) == 12
    assert all(week.end == after.start for week, after in itertools.pairwise(weeks))


def test_a_week_begins_at_midnight_of_the_clock_on_the_wall() -> None:
    # The clock goes back on 25 October: that week has an hour more.
    week = weeks_until(datetime(2026, 10, 25, 12, 0, tzinfo=UTC), BRUSSELS)[-1]
    assert week.start.isoformat() == "2026-10-19T00:00:00+02:00"
    assert week.end.isoformat() == "2026-10-26T00:00:00+01:00"
    assert week.end.astimezone(UTC) - week.start.astimezone(UTC) == timedelta(days=7, hours=1)


def test_half_past_midnight_on_monday_belongs_to_the_new_week() -> None:
    week = weeks_until(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), BRUSSELS)[-1]
    assert week.number == 48
