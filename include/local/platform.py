"""The whole local platform: PostgreSQL, Airflow and, for the demo, the sandbox, started and stopped together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from sqlalchemy import make_url

from include.local.airflow import LocalAirflow
from include.local.postgres import PostgresServer
from include.local.sandbox_process import SandboxProcess
from include.settings import Settings

Say = Callable[[str], None]
"""Receives one line of progress for a person."""


class ServiceStatus(TypedDict):
    """One service as it is now."""

    name: str
    state: str
    address: str
    log: str


def start_platform(settings: Settings, *, on_step: Say) -> dict[str, Any]:
    """Start what does not run yet and wait until it works; returns the addresses to show.

    A running demo is left as it is: its Airflow talks to the sandbox, and would be pointed at the real APIs.
    """
    postgres = PostgresServer(settings)
    airflow = LocalAirflow(settings, postgres)
    if SandboxProcess(settings).is_running() and airflow.is_running():
        on_step("the demo is running; `make down` stops it, and `make up` then starts with the real food APIs")
        return addresses(settings)
    on_step("starting PostgreSQL")
    postgres.start()
    airflow.start(report=on_step)
    return addresses(settings)


def addresses(settings: Settings) -> dict[str, Any]:
    """Where a person finds what runs.

    The passwords of the embedded Airflow and PostgreSQL are shown: they guard this machine's instances only.
    Those of an external warehouse are not.
    """
    airflow = LocalAirflow(settings, PostgresServer(settings))
    login = airflow.login()
    is_own = bool(settings.warehouse_url.get_secret_value())
    return {
        "airflow": airflow.url,
        "pages": f"{airflow.url}/plugin/cuvee",
        "login": f"{login.username} / {login.password}",
        "warehouse": make_url(settings.warehouse_dsn).render_as_string(hide_password=is_own),
        "lake": settings.lake_root,
    }


def stop_platform(settings: Settings, *, on_step: Say) -> None:
    """Stop what was started for this state folder; the warehouse last, because tasks that end still write to it."""
    postgres = PostgresServer(settings)
    stopped = []
    if LocalAirflow(settings, postgres).stop():
        stopped.append("Airflow")
    if SandboxProcess(settings).stop():
        stopped.append("sandbox")
    if postgres.is_running():
        postgres.stop()
        stopped.append("PostgreSQL")
    on_step(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


def platform_status(settings: Settings) -> list[ServiceStatus]:
    """Every service with its state, address and log."""
    postgres = PostgresServer(settings)
    airflow = LocalAirflow(settings, postgres)
    sandbox = SandboxProcess(settings)
    services = [
        ServiceStatus(
            name="postgresql",
            state="running" if postgres.is_running() else "stopped",
            address=f"127.0.0.1:{settings.postgres_port}",
            log=str(settings.state_dir / "postgres" / "server.log"),
        )
    ]
    for component in airflow.status():
        state = "stopped" if component.pid is None else "running" if component.healthy else "not healthy"
        address = airflow.url if component.name == "api-server" else ""
        services.append(
            ServiceStatus(name=f"airflow {component.name}", state=state, address=address, log=str(component.log))
        )
    if sandbox.is_running():
        services.append(ServiceStatus(name="sandbox", state="running", address=sandbox.url, log=str(sandbox.log)))
    return services
