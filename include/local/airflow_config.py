"""The folder that the local Airflow reads: airflow.cfg, secrets, the login and the preload hook.

Everything lies in `<state_dir>/airflow`, secrets in files of mode 0600 that are made once and kept, so that
a restart does not log anybody out and stored passwords stay readable.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import io
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from include.local.processes import HOST
from include.settings import PROJECT_ROOT, Settings
from include.storage.local_files import write_file

USERNAME = "admin"
LOCAL_SETTINGS = '''"""Written at every start of the local Airflow: tasks inherit what the scheduler has imported."""

import sys

if sys.argv[1:2] == ["scheduler"]:
    from include.local.preload import preload
    from include.pipeline.warm_start import warm_start

    preload()
    warm_start()
'''


@dataclass(frozen=True)
class Login:
    """Who may use the local Airflow's UI and REST API."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class AirflowFolder:
    """Paths of one local Airflow and what is written there."""

    home: Path
    port: int
    dags: Path = PROJECT_ROOT / "dags"
    plugins: Path = PROJECT_ROOT / "plugins"

    @property
    def url(self) -> str:
        """Address of the UI and of the REST API, e.g. `http://127.0.0.1:8080`."""
        return f"http://{HOST}:{self.port}"

    def login(self, username: str = USERNAME) -> Login:
        """An account and its password, made on first use."""
        path = self.home / "passwords.json"
        passwords = json.loads(path.read_text()) if path.exists() else {}
        if username not in passwords:
            passwords[username] = secrets.token_urlsafe(12)
            write_file(path, json.dumps(passwords), owner_only=True)
        return Login(username, passwords[username])

    def write(self, settings: Settings, database_url: str) -> None:
        """Write airflow.cfg and what it refers to; the same arguments give the same files."""
        self.home.mkdir(parents=True, exist_ok=True)
        for account in (USERNAME, *(account.partition(":")[0] for account in settings.airflow_accounts)):
            self.login(account)
        parser = configparser.RawConfigParser()
        for section, values in self._sections(settings, database_url).items():
            # Airflow interpolates `%` in its file
            parser[section] = {name: str(value).replace("%", "%%") for name, value in values.items()}
        content = io.StringIO()
        parser.write(content)
        write_file(self.home / "airflow.cfg", content.getvalue(), owner_only=True)
        hook = self.home / "config" / "airflow_local_settings.py"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(LOCAL_SETTINGS if settings.preload_libraries else "")

    def digest(self, settings: Settings, database_url: str) -> str:
        """A fingerprint of the configuration of running components; if it differs, they must restart."""
        configuration = [
            self._sections(settings, database_url),
            settings_environment(settings),
            settings.preload_libraries,
        ]
        return hashlib.sha256(json.dumps(configuration, sort_keys=True, default=str).encode()).hexdigest()

    def environment(self, settings: Settings, outer: Mapping[str, str]) -> dict[str, str]:
        """Environment of Airflow's processes and so of every task.

        `outer` is passed on, except what would contradict this folder: settings of another Airflow. The
        settings object comes as `CUVEE_*` variables, so that tasks see what the caller sees.
        """
        ours = {
            f"AIRFLOW__{section}__{name}".upper()
            for section, values in self._sections(settings, "").items()
            for name in values
        }
        kept = {name: value for name, value in outer.items() if name not in ours}
        local_hosts = ",".join(filter(None, [outer.get("no_proxy", outer.get("NO_PROXY")), HOST, "localhost"]))
        paths = [str(PROJECT_ROOT), *filter(None, [outer.get("PYTHONPATH")])]
        return (
            kept
            | settings_environment(settings)
            | {
                "AIRFLOW_HOME": str(self.home),
                "AIRFLOW_CONFIG": str(self.home / "airflow.cfg"),
                "PYTHONPATH": os.pathsep.join(paths),
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), outer.get("PATH", os.defpath)]),
                "NO_PROXY": local_hosts,
                "no_proxy": local_hosts,
                "PYTHONUNBUFFERED": "1",
                "PYTHONDONTWRITEBYTECODE": "",  # set, every task would compile all that it imports of this project
            }
        )

    def _sections(self, settings: Settings, database_url: str) -> dict[str, dict[str, object]]:
        return {
            "core": {
                "executor": "LocalExecutor",
                "dags_folder": self.dags,
                "plugins_folder": self.plugins,
                "load_examples": False,
                "parallelism": settings.airflow_parallelism,
                "max_active_tasks_per_dag": settings.airflow_parallelism,
                "fernet_key": self._secret("fernet.key", urlsafe=True),
                "simple_auth_manager_users": ",".join([f"{USERNAME}:admin", *settings.airflow_accounts]),
                "simple_auth_manager_all_admins": False,
                "simple_auth_manager_passwords_file": self.home / "passwords.json",
                "execution_api_server_url": f"{self.url}/execution/",
                "hostname_callable": "socket.gethostname",  # the default one asks the name server
                "min_serialized_dag_update_interval": 1,
            },
            "database": {
                "sql_alchemy_conn": database_url,
                "sql_alchemy_pool_size": 5,
                "sql_alchemy_max_overflow": 5,
            },
            "logging": {
                "base_log_folder": self.home / "logs",
                "dag_processor_child_process_log_directory": self.home / "logs" / "dag_processor",
                "colored_console_log": False,
            },
            "api": {
                "host": HOST,
                "port": self.port,
                "base_url": self.url,
                "workers": 1,
                "secret_key": self._secret("session.key"),
                "expose_config": False,
            },
            "api_auth": {"jwt_secret": self._secret("jwt.key")},
            "scheduler": {
                "scheduler_idle_sleep_time": 0.25,  # a chain of tasks mostly waits for this
                "enable_health_check": False,
                "task_instance_heartbeat_timeout": 120,  # seconds until the task of a killed worker is retried
                "orphaned_tasks_check_interval": 30,
                "catchup_by_default": False,
            },
            "dag_processor": {
                "refresh_interval": 5,
                "bundle_refresh_check_interval": 5,
                "min_file_process_interval": 30,
                "parsing_processes": 2,
            },
            "triggerer": {"capacity": 100},
            "workers": {
                # Airflow often notices only at the next heartbeat that a skipped or failed task has ended
                "min_heartbeat_interval": 1,
                "max_failed_heartbeats": 30,  # so many seconds may the API server be away (restart, load)
            },
        }

    def _secret(self, name: str, urlsafe: bool = False) -> str:
        path = self.home / name
        if not path.exists():
            key = secrets.token_bytes(32)
            write_file(path, base64.urlsafe_b64encode(key).decode() if urlsafe else key.hex(), owner_only=True)
        return path.read_text().strip()


def settings_environment(settings: Settings) -> dict[str, str]:
    """The settings that were given explicitly, as the environment variables that `Settings` reads."""
    environment = {}
    for name in settings.model_fields_set:
        description = Settings.model_fields[name]
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, tuple):
            value = ",".join(value)
        variable = description.validation_alias or f"CUVEE_{name.upper()}"
        environment[str(variable)] = str(value)
    return environment
