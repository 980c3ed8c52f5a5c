"""Edge room: settings from the environment."""

from pathlib import Path

import pytest

from bot.settings import INTERNAL, PREFIX, Settings, SettingsError, as_markdown, load_settings, rows


def test_without_variables_all_is_as_the_table_says() -> None:
    settings, warnings = load_settings({"PATH": "/bin"})
    assert (settings, warnings) == (Settings(), [])
    assert settings.database_url == f"sqlite:///{Path('.ademruimte').absolute()}/ademruimte.db"
    shown = {row.name.removeprefix(PREFIX).lower(): row.default for row in rows()}
    for name in ("host", "port", "retention_hours", "calm_line_seconds", "max_text", "log_level"):
        assert shown[name] == str(getattr(settings, name))


def test_the_state_folder_carries_what_lies_in_it(tmp_path: Path) -> None:
    settings, _ = load_settings({"ADEMRUIMTE_STATE_DIR": str(tmp_path)})
    assert settings.model == tmp_path / "models" / "ademruimte.tar.gz"
    assert settings.engine_python == tmp_path / "engine" / "bin" / "python"
    assert settings.database_url == f"sqlite:///{tmp_path}/ademruimte.db"
    assert settings.web_dir == tmp_path / "web"


def test_a_given_value_wins_over_what_follows_from_the_state_folder(tmp_path: Path) -> None:
    settings, _ = load_settings({"ADEMRUIMTE_MODEL": str(tmp_path / "x.tar.gz"), "ADEMRUIMTE_PORT": "9000"})
    assert (settings.model, settings.port) == (tmp_path / "x.tar.gz", 9000)


def test_an_unknown_variable_warns_and_names_its_neighbour() -> None:
    _, warnings = load_settings({"ADEMRUIMTE_PROT": "9000"})
    assert warnings == ["ADEMRUIMTE_PROT is not a setting and does nothing. Did you mean ADEMRUIMTE_PORT?"]


def test_what_the_app_gives_its_engine_does_not_warn() -> None:
    assert load_settings(dict.fromkeys(INTERNAL, "x"))[1] == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "must be a whole number, not 'abc'"),
        ("PORT", "70000", "must be between 0 and 65535, not 70000"),
        ("CALM_LINE_SECONDS", "nan", "must be between 0.05 and 60 seconds, not nan"),
        ("CALM_LINE_SECONDS", "soon", "must be a number of seconds, not 'soon'"),
        ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error, not 'loud'"),
        ("HOST", " ", "must not be empty"),
        ("ALLOWED_ORIGINS", "*", "must be a list of origins like https://intranet.example.be, not '*'"),
        ("ALLOWED_ORIGINS", "https://a.be/path", "not 'https://a.be/path'"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_in_one_sentence(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({PREFIX + name: value})
    assert str(error.value).startswith(PREFIX + name)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_all_wrong_values_are_told_together() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({"ADEMRUIMTE_PORT": "x", "ADEMRUIMTE_HISTORY_MONTHS": "0"})
    assert len(str(error.value).splitlines()) == 2


def test_origins_are_read_as_a_list() -> None:
    settings, _ = load_settings({"ADEMRUIMTE_ALLOWED_ORIGINS": "https://a.be, http://b.be:8000/"})
    assert settings.allowed_origins == ("https://a.be", "http://b.be:8000")


def test_every_setting_has_a_row_with_help_and_stands_in_the_page() -> None:
    page = as_markdown()
    for row in rows():
        assert row.help.endswith(".")
        assert f"| `{row.name}` | {row.kind} | `{row.default}` | {row.help} |" in page
