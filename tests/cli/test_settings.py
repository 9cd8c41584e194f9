"""Settings: the order of their sources, what each says of itself, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spark.core.errors import FatalError
from spark.settings import SETTINGS, Settings, config_path, load_settings


def write_config(text: str) -> None:
    config_path().parent.mkdir(parents=True, exist_ok=True)
    config_path().write_text(text, encoding="utf-8")


def write_project(root: Path, values: object) -> None:
    (root / "ProjectSettings" / "Spark.json").write_text(json.dumps(values), encoding="utf-8")


def test_defaults_are_the_contracts(project: Path) -> None:
    """Without any source the contract's defaults hold, and each says that it is one."""
    settings = load_settings(project, {}, {})
    assert settings.model_backend is None
    assert (settings.reasoning, settings.budget_usd) == ("auto", 5.0)
    assert settings.history_max_file_bytes == 10 * 1024**2
    assert settings.history_max_total_bytes == 5 * 1024**3
    assert set(settings.sources.values()) == {"default"}


def test_each_source_overrides_the_one_before(project: Path) -> None:
    """Defaults < config.toml < Spark.json < environment < flags, and the value names the source that won."""
    steps: list[tuple[str, str]] = [("", "default")]
    assert load_settings(project, {}, {}).model is None
    write_config('model = "from-user"\n')
    settings = load_settings(project, {}, {})
    steps.append((str(settings.model), settings.sources["model"]))
    write_project(project, {"model": "from-project", "projectId": "x"})
    settings = load_settings(project, {}, {})
    steps.append((str(settings.model), settings.sources["model"]))
    settings = load_settings(project, {"SPARK_MODEL": "from-environment"}, {})
    steps.append((str(settings.model), settings.sources["model"]))
    settings = load_settings(project, {"SPARK_MODEL": "from-environment"}, {"model": "from-flag"})
    steps.append((str(settings.model), settings.sources["model"]))
    assert steps == [
        ("", "default"),
        ("from-user", str(config_path())),
        ("from-project", "ProjectSettings/Spark.json"),
        ("from-environment", "SPARK_MODEL (environment)"),
        ("from-flag", "flag"),
    ]


def test_both_names_of_the_key(project: Path) -> None:
    """The key is read under both names, the Realtime one first, and never shown."""
    one = load_settings(project, {"OPENAI_API_KEY": "sk-second"}, {})
    assert (one.api_key, one.sources["api_key"]) == ("sk-second", "OPENAI_API_KEY (environment)")
    both = load_settings(project, {"OPENAI_API_KEY": "sk-second", "OPENAI_REALTIME_API_KEY": "sk-first"}, {})
    assert both.sources["api_key"] == "OPENAI_REALTIME_API_KEY (environment)"
    assert "sk-" not in repr(both)
    assert "sk-" not in json.dumps(both.to_wire())


def test_hybrid_is_auto(project: Path) -> None:
    """`hybrid` is the older word for `auto`."""
    assert load_settings(project, {"SPARK_SONNET_MODE": "hybrid"}, {}).reasoning == "auto"
    assert load_settings(project, {"SPARK_SONNET_MODE": "creative"}, {}).reasoning == "creative"


def test_an_empty_variable_is_not_set(project: Path) -> None:
    """A variable that is empty or blank counts as absent."""
    assert load_settings(project, {"SPARK_MODEL_BACKEND": "", "SPARK_BUDGET_USD": " "}, {}) == load_settings(
        project, {}, {}
    )


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        ("SPARK_MODEL_BACKEND", "gpt", "realtime, chat, offline"),
        ("SPARK_MODEL_URL", "localhost:11434", "http"),
        ("SPARK_MODEL_URL", "http://user:secret@host/v1", "without user name"),
        ("SPARK_MODEL_URL", "http://host:99999/", "http"),
        ("SPARK_MODEL", "two words", "without spaces"),
        ("SPARK_SONNET_MODE", "wild", "creative, deterministic"),
        ("SPARK_BUDGET_USD", "-1", "from 0"),
        ("SPARK_BUDGET_USD", "nan", "from 0"),
        ("SPARK_HISTORY_MAX_GB", "0", "above 0"),
        ("SPARK_HISTORY_MAX_FILE_MB", "ten", "above 0"),
    ],
)
def test_bad_values_name_what_would_be_accepted(project: Path, variable: str, value: str, accepted: str) -> None:
    """A bad value is exit status 2, with the variable, the value and what would be accepted."""
    with pytest.raises(FatalError) as caught:
        load_settings(project, {variable: value}, {})
    assert caught.value.exit_status == 2
    assert variable in caught.value.message
    assert repr(value) in caught.value.message
    assert accepted in caught.value.hint


def test_a_bad_key_is_not_repeated(project: Path) -> None:
    """A message about a key never contains it."""
    with pytest.raises(FatalError) as caught:
        load_settings(project, {"OPENAI_API_KEY": "sk-with space"}, {})
    assert "sk-with" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("name", ["openaiApiKey", "apiKey", "token", "supabasePassword"])
def test_secrets_in_the_project_file_are_refused(project: Path, name: str) -> None:
    """A secret in a file that is committed is refused, with what to do about it."""
    write_project(project, {name: "sk-123"})
    with pytest.raises(FatalError, match="secret") as caught:
        load_settings(project, {}, {})
    assert caught.value.exit_status == 2
    assert "spark key set" in caught.value.hint


@pytest.mark.parametrize("name", ["modelUrl", "modelBackend", "budgetUsd"])
def test_a_project_cannot_choose_for_the_user(project: Path, name: str) -> None:
    """Where prompts go and what they may cost is not a cloned project's to set."""
    write_project(project, {name: "http://127.0.0.1:1/v1"})
    with pytest.raises(FatalError, match=name) as caught:
        load_settings(project, {}, {})
    assert caught.value.exit_status == 2


def test_unknown_names_in_the_project_file_are_kept_and_named(project: Path) -> None:
    """A newer version of a team-mate may know more names: they are ignored, and listed."""
    write_project(project, {"projectId": "x", "futureThing": 1})
    assert load_settings(project, {}, {}).ignored == ("futureThing",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle = 'x'", "model"),
        ("model = ", "cannot be read"),
        ("budget_usd = true", "budget_usd"),
        ("api_key = 'x'", "secret"),
    ],
)
def test_mistakes_in_the_user_file(project: Path, text: str, message: str) -> None:
    """A typing mistake in config.toml is said, with the nearest name; a secret there is refused."""
    write_config(text)
    with pytest.raises(FatalError) as caught:
        load_settings(project, {}, {})
    assert caught.value.exit_status == 2
    assert message in caught.value.message + caught.value.hint
    assert str(config_path()) in caught.value.message


@pytest.mark.parametrize("text", ["{", "[]", "\xff", "null"])
def test_a_broken_project_file(project: Path, text: str) -> None:
    """A project file that is no JSON object is said by name, not a crash."""
    (project / "ProjectSettings" / "Spark.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(FatalError, match=r"Spark\.json"):
        load_settings(project, {}, {})


def test_every_setting_is_a_field() -> None:
    """The table and the object name the same settings."""
    fields = set(Settings.__dataclass_fields__) - {"sources", "ignored"}
    assert {setting.name for setting in SETTINGS} == fields


def test_a_project_file_cannot_make_anybodys_history_smaller(project: Path) -> None:
    """Limits of the history in Spark.json count only where they are higher than the user's own."""
    (project / "ProjectSettings/Spark.json").write_text('{"historyMaxGb": 0.0001, "historyMaxFileMb": 50}')
    settings = load_settings(project, {}, {})
    assert settings.history_max_gb == 5.0
    assert settings.sources["history_max_gb"] == "default"
    assert "historyMaxGb" in settings.ignored
    assert settings.history_max_file_mb == 50.0
