"""Reads `airflow_settings.yaml` (the Astronomer CLI's format) into what Airflow's REST API accepts.

Entries without a name or value, and pools with no slots, are skipped, as that CLI does. `${NAME}` in a value
is replaced by the platform's setting or the environment variable of that name; `${NAME:-default}` may be absent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from pydantic import SecretStr

from include.errors import ConfigurationError
from include.settings import PROJECT_ROOT, Settings

SETTINGS_FILE = PROJECT_ROOT / "airflow_settings.yaml"
SANDBOX_APP_ID = "sandbox-id"
SANDBOX_APP_KEY = "sandbox-key"

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:[^}$]|\$(?!\{))*+))?\}")


@dataclass(frozen=True)
class AirflowObjects:
    """Entities as the REST API takes them in its bulk requests; connections may hold passwords."""

    connections: list[dict[str, Any]] = field(default_factory=list, repr=False)
    pools: list[dict[str, Any]] = field(default_factory=list)
    variables: list[dict[str, Any]] = field(default_factory=list, repr=False)

    def with_sandbox(self, url: str) -> AirflowObjects:
        """The same with every API connection pointing to the sandbox, whose photos have a loopback address."""
        extra = json.dumps({"search_url": url, "allow_private_hosts": True})
        keys = {"login": SANDBOX_APP_ID, "password": SANDBOX_APP_KEY}
        connections = [
            connection | {"host": url, "extra": extra} | (keys if connection["connection_id"] == "edamam" else {})
            if connection["conn_type"] == "http"
            else connection
            for connection in self.connections
        ]
        return AirflowObjects(connections, self.pools, self.variables)


def read_airflow_settings(
    settings: Settings, environment: Mapping[str, str], path: Path = SETTINGS_FILE
) -> AirflowObjects:
    """The connections, pools and variables of a settings file.

    Raises ConfigurationError for a file that is absent, no YAML or of another shape, and for a placeholder
    that neither a setting nor the environment fills.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    section = content.get("airflow") if isinstance(content, dict) else None
    if not isinstance(section, dict):
        raise ConfigurationError(f"{path}: expected a mapping `airflow:` with connections, pools and variables")
    values = dict(environment) | _setting_values(settings)
    section = _filled(section, values, path)
    return AirflowObjects(
        connections=[_connection(entry, path) for entry in _entries(section, "connections", "conn_id", path)],
        pools=[
            {
                "name": str(entry["pool_name"]),
                "slots": int(entry["pool_slot"]),
                "description": str(entry.get("pool_description") or ""),
                "include_deferred": bool(entry.get("pool_include_deferred", False)),
            }
            for entry in _entries(section, "pools", "pool_name", path)
            if entry.get("pool_slot")
        ],
        variables=[
            {"key": str(entry["variable_name"]), "value": _text(entry["variable_value"])}
            for entry in _entries(section, "variables", "variable_name", path)
            if entry.get("variable_value") not in (None, "")
        ],
    )


def _setting_values(settings: Settings) -> dict[str, str]:
    values = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        values[f"CUVEE_{name.upper()}"] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return values


def _filled(node: Any, values: Mapping[str, str], path: Path) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, values, path) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values, path) for value in node]
    if not isinstance(node, str):
        return node

    def value_of(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name in values:
            return values[name]
        if default is None:
            raise ConfigurationError(
                f"{path}: ${{{name}}} is neither a setting nor an environment variable: set it, "
                f"or write ${{{name}:-default}}"
            )
        return str(default)

    return _PLACEHOLDER.sub(value_of, node)


def _entries(section: dict[str, Any], name: str, key: str, path: Path) -> list[dict[str, Any]]:
    entries = section.get(name) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigurationError(f"{path}: expected a list of mappings at airflow.{name}")
    return [entry for entry in entries if entry.get(key)]


def _connection(entry: dict[str, Any], path: Path) -> dict[str, Any]:
    others = [name for name in entry if name.startswith("conn_") and name not in ("conn_id", "conn_uri")]
    fields = _from_uri(str(entry["conn_uri"])) if entry.get("conn_uri") and not any(entry[n] for n in others) else {}
    if not fields:
        port = entry.get("conn_port")
        fields = {
            "conn_type": entry.get("conn_type"),
            "host": entry.get("conn_host"),
            "schema": entry.get("conn_schema"),
            "login": entry.get("conn_login"),
            "password": entry.get("conn_password"),
            "port": int(port) if port else None,
            "extra": _text(entry["conn_extra"]) if entry.get("conn_extra") else None,
        }
    if not fields["conn_type"]:
        raise ConfigurationError(f"{path}: connection {entry['conn_id']} has no conn_type")
    # Named even when empty: a value that was taken out of the file must also leave Airflow.
    return {"connection_id": str(entry["conn_id"])} | {name: value or None for name, value in fields.items()}


def _from_uri(uri: str) -> dict[str, Any]:
    parts = urlsplit(uri)
    return {
        "conn_type": parts.scheme,
        "host": unquote(parts.hostname or ""),
        "schema": unquote(parts.path.lstrip("/")),
        "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "port": parts.port,
        "extra": None,
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
