"""The roles and databases of the embedded PostgreSQL, and the files that hold their URLs."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlsplit

from include.storage.local_files import write_file

DRIVERS = {"cuvee": "postgresql+psycopg", "airflow": "postgresql+psycopg2"}
"""Role and database of the same name → scheme of its URL: what the warehouse and what Airflow ask for."""

URL_FILES = {"cuvee": "warehouse.url", "airflow": "airflow.url"}


def database_url(folder: Path, database: str) -> str:
    """The recorded SQLAlchemy URL of `cuvee` or `airflow`, password included; empty if there is none yet."""
    file = folder / URL_FILES[database]
    return file.read_text().strip() if file.exists() else ""


def ensure_databases(folder: Path, host: str, port: int) -> None:
    """Make the roles, databases and URL files that are not there yet; passwords stay as they were.

    Needs `superuser.password` in `folder` and a running server. Costs nothing when the URL files name this port.
    """
    if all(f"@{host}:{port}/" in database_url(folder, name) for name in DRIVERS):
        return
    import psycopg
    from psycopg import sql

    superuser = (folder / "superuser.password").read_text().strip()
    with psycopg.connect(
        host=host, port=port, user="postgres", password=superuser, dbname="postgres", autocommit=True
    ) as connection:
        for name, driver in DRIVERS.items():
            role = sql.Identifier(name)
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(role))
            password = urlsplit(database_url(folder, name)).password
            if not password:
                password = secrets.token_urlsafe(24)
                connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))
            url = f"{driver}://{name}:{password}@{host}:{port}/{name}"
            write_file(folder / URL_FILES[name], f"{url}\n", owner_only=True)
