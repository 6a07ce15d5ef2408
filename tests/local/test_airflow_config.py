from __future__ import annotations

import configparser
import stat
from datetime import date
from pathlib import Path

import pytest

from include.local.airflow_config import AirflowFolder, settings_environment
from include.settings import Settings

URL = "postgresql+psycopg2://airflow:p%40s%25s@127.0.0.1:5433/airflow"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, airflow_port=18080, airflow_parallelism=3, edamam_app_key="s3cret")


@pytest.fixture
def folder(settings: Settings) -> AirflowFolder:
    folder = AirflowFolder(settings.state_dir / "airflow", settings.airflow_port)
    folder.write(settings, URL)
    return folder


def config(folder: AirflowFolder) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(folder.home / "airflow.cfg")
    return parser


def test_airflow_is_told_to_stay_on_this_machine_with_a_login(folder: AirflowFolder) -> None:
    read = config(folder)
    assert read["api"]["host"] == "127.0.0.1"
    assert read["api"]["port"] == "18080"
    assert read["core"]["simple_auth_manager_all_admins"] == "False"
    assert read["core"]["load_examples"] == "False"
    assert read["core"]["parallelism"] == "3"
    assert read["database"]["sql_alchemy_conn"] == URL
    assert len(folder.login().password) >= 12
    assert folder.login().password not in repr(folder.login())


def test_secrets_are_readable_by_their_owner_only(folder: AirflowFolder) -> None:
    secrets = ["airflow.cfg", "passwords.json", "fernet.key", "session.key", "jwt.key"]
    modes = {name: stat.S_IMODE((folder.home / name).stat().st_mode) for name in secrets}
    assert modes == dict.fromkeys(secrets, 0o600)


def test_writing_again_changes_nothing(folder: AirflowFolder, settings: Settings) -> None:
    before = {path: path.read_bytes() for path in folder.home.rglob("*") if path.is_file()}
    folder.write(settings, URL)
    assert {path: path.read_bytes() for path in folder.home.rglob("*") if path.is_file()} == before


def test_the_fingerprint_follows_settings_and_database(folder: AirflowFolder, settings: Settings) -> None:
    first = folder.digest(settings, URL)
    assert folder.digest(settings, URL) == first
    assert folder.digest(settings.model_copy(update={"shard_size": 7}), URL) != first
    assert folder.digest(settings, URL + "2") != first


def test_another_airflows_environment_does_not_reach_ours(folder: AirflowFolder, settings: Settings) -> None:
    outer = {
        "AIRFLOW_HOME": "/elsewhere",
        "AIRFLOW__CORE__DAGS_FOLDER": "/elsewhere/dags",
        "AIRFLOW__SMTP__SMTP_HOST": "mail.example",
        "HOME": "/root",
        "PYTHONPATH": "/mine",
        "no_proxy": "example.org",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment = folder.environment(settings, outer)
    assert environment["AIRFLOW_HOME"] == str(folder.home)
    assert "AIRFLOW__CORE__DAGS_FOLDER" not in environment
    assert environment["AIRFLOW__SMTP__SMTP_HOST"] == "mail.example"
    assert environment["PYTHONPATH"].endswith(":/mine")
    assert environment["no_proxy"] == "example.org,127.0.0.1,localhost"
    assert environment["CUVEE_EDAMAM_APP_KEY"] == "s3cret"
    assert environment["PYTHONDONTWRITEBYTECODE"] == "", "tasks share what one of them has compiled"


def test_tasks_read_the_same_settings_as_the_caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = Settings(
        state_dir=tmp_path,
        daily_sources=("edamam", "openfoodfacts"),
        first_day=date(2026, 2, 3),
        warehouse_url="postgresql+psycopg://u:p@h/d",
        preload_libraries=False,
        MLFLOW_TRACKING_URI="http://mlflow.example",
    )
    for name, value in settings_environment(given).items():
        monkeypatch.setenv(name, value)
    assert Settings() == given


def test_preloading_can_be_switched_off(folder: AirflowFolder, settings: Settings) -> None:
    hook = folder.home / "config" / "airflow_local_settings.py"
    assert "preload()" in hook.read_text()
    assert "warm_start()" in hook.read_text()
    folder.write(settings.model_copy(update={"preload_libraries": False}), URL)
    assert hook.read_text() == ""


def test_accounts_have_a_role_and_a_password_of_their_own(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, airflow_accounts="ines:viewer, paul:user")
    folder = AirflowFolder(tmp_path / "airflow", settings.airflow_port)
    folder.write(settings, URL)
    assert config(folder)["core"]["simple_auth_manager_users"] == "admin:admin,ines:viewer,paul:user"
    assert len({folder.login(name).password for name in ("admin", "ines", "paul")}) == 3


@pytest.mark.parametrize("account", ["admin:viewer", "ines", "ines:boss", "a b:user", "x:user:team"])
def test_an_account_that_airflow_would_not_understand_is_refused(account: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one of the roles viewer, user, op, admin"):
        Settings(state_dir=tmp_path, airflow_accounts=account)
