"""The embedded PostgreSQL starts on any machine, keeps its data through kills, and says what stands in its way."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from include.errors import ConfigurationError
from include.local import postgres as postgres_module
from include.local.postgres import PostgresServer
from include.settings import Settings
from tests.conftest import PROJECT_ROOT
from tests.fixtures.storage import free_port


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A state folder whose path is longer than a Unix socket's may be, and has a space in it."""
    top = Path(tempfile.mkdtemp(prefix="cuvee-test-"))
    settings = Settings(state_dir=top / ("a long folder's name " * 6).strip(), postgres_port=free_port())
    yield settings
    PostgresServer(settings).stop()
    shutil.rmtree(top)


@pytest.fixture(scope="session")
def stopped_folder() -> Iterator[Path]:
    """The folder of a server that ran once, to be copied: making a cluster takes longer than all else here."""
    folder = Path(tempfile.mkdtemp(prefix="cuvee-test-"))
    server = PostgresServer(Settings(state_dir=folder, postgres_port=free_port()), durable=False)
    server.start()
    server.stop()
    yield server.folder
    shutil.rmtree(folder)


@pytest.fixture
def server(settings: Settings, stopped_folder: Path) -> PostgresServer:
    """A running server."""
    settings.state_dir.mkdir()
    subprocess.run(["cp", "-a", str(stopped_folder), str(settings.state_dir)], check=True)
    server = PostgresServer(settings, durable=False)
    server.start()
    return server


def plain_url(url: str) -> str:
    """The URL as the driver itself takes it."""
    return "postgresql://" + url.split("://", 1)[1]


def main_process(server: PostgresServer) -> psutil.Process:
    """The server's first process."""
    return psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))


def insert_and_count(server: PostgresServer) -> int:
    """Add a row to a table of the warehouse; returns how many there are."""
    with psycopg.connect(plain_url(server.url())) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
        assert row is not None
        return int(row[0])


def test_starting_and_stopping_again_and_again_changes_nothing_but_the_state(
    server: PostgresServer, settings: Settings
) -> None:
    assert server.is_running()
    urls = server.url("cuvee"), server.url("airflow")
    process = main_process(server)
    PostgresServer(settings).start()
    assert main_process(server) == process
    assert insert_and_count(server) == 1
    for _ in range(2):
        server.stop()
        assert not server.is_running()
    server.start()
    assert insert_and_count(server) == 2
    assert (server.url("cuvee"), server.url("airflow")) == urls


def test_a_server_that_was_never_started_is_not_running_and_can_be_stopped(settings: Settings) -> None:
    server = PostgresServer(settings)
    assert not server.is_running()
    server.stop()
    assert server.url() == ""
    assert not settings.state_dir.exists()


def test_the_urls_name_the_drivers_that_the_warehouse_and_airflow_need(
    server: PostgresServer, settings: Settings
) -> None:
    assert settings.warehouse_dsn == server.url("cuvee")
    assert server.url("cuvee").startswith("postgresql+psycopg://cuvee:")
    assert server.url("airflow").startswith("postgresql+psycopg2://airflow:")
    for name in ("cuvee", "airflow"):
        with psycopg.connect(plain_url(server.url(name))) as connection:
            facts = connection.execute(
                "SELECT current_database(), current_user, pg_get_userbyid(datdba), rolsuper, "
                "current_setting('TimeZone'), current_setting('server_encoding') FROM pg_database, pg_roles "
                "WHERE datname = current_database() AND rolname = current_user"
            ).fetchone()
            assert facts == (name, name, name, False, "UTC", "UTF8")


def test_secrets_are_readable_by_their_owner_only_and_never_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    server = PostgresServer(settings, durable=False)
    with caplog.at_level(logging.DEBUG):
        server.start()
    for name in ("warehouse.url", "airflow.url", "superuser.password", "server.log"):
        assert stat.S_IMODE((server.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    passwords = [server.url(name).split(":")[2].split("@")[0] for name in ("cuvee", "airflow")]
    passwords.append((server.folder / "superuser.password").read_text().strip())
    assert len(set(passwords)) == 3
    for password in passwords:
        assert len(password) >= 32
        assert password not in caplog.text
        assert password not in server.log.read_text()


def test_nobody_gets_in_without_the_password_or_into_the_other_database(server: PostgresServer) -> None:
    url = plain_url(server.url("cuvee"))
    password = url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "guess"))
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(url.replace(f":{password}", ""))
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(url.removesuffix("cuvee") + "airflow")


def test_only_this_machine_can_connect(server: PostgresServer) -> None:
    connections = main_process(server).net_connections("all")
    listening = [connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", server.port)]
    assert [connection for connection in connections if connection.family == socket.AF_UNIX] == []


def test_a_taken_port_is_named_with_the_setting_that_changes_it(settings: Settings) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", settings.postgres_port))
        stranger.listen()
        with pytest.raises(ConfigurationError) as caught:
            PostgresServer(settings).start()
        assert f"Port {settings.postgres_port} is taken" in str(caught.value)
        assert "CUVEE_POSTGRES_PORT" in str(caught.value)
    server = PostgresServer(settings, durable=False)
    server.start()
    assert server.is_running()


def test_another_port_while_it_runs_is_refused_and_after_a_stop_taken_over(
    server: PostgresServer, settings: Settings
) -> None:
    elsewhere = PostgresServer(settings.model_copy(update={"postgres_port": free_port()}), durable=False)
    with pytest.raises(ConfigurationError, match=f"runs, on port {server.port}"):
        elsewhere.start()
    password = server.url().split(":")[2]
    server.stop()
    elsewhere.start()
    assert f":{elsewhere.port}/" in elsewhere.url()
    assert elsewhere.url().split(":")[2] == password
    assert insert_and_count(elsewhere) == 1


def test_after_kill_9_it_starts_again_with_what_was_committed(server: PostgresServer) -> None:
    assert insert_and_count(server) == 1
    held = psycopg.connect(plain_url(server.url()))
    held.execute("INSERT INTO kept VALUES (2)")
    main_process(server).send_signal(signal.SIGKILL)
    while server.is_running():
        time.sleep(0.01)
    server.start()
    assert insert_and_count(server) == 2
    held.close()


def test_a_pid_file_whose_number_now_belongs_to_another_program_does_not_confuse_it(server: PostgresServer) -> None:
    """As after a power cut and a reboot; that program is neither taken for the server nor touched."""
    assert insert_and_count(server) == 1
    server.stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        try:
            pid_file = server.data / "postmaster.pid"
            pid_file.write_text(f"{other.pid}\n{server.data}\n1700000000\n{server.port}\n\n127.0.0.1\n0 0\nready   \n")
            if os.geteuid() == 0:
                shutil.chown(pid_file, "nobody")
            assert not server.is_running()
            server.stop()
            server.start()
            assert insert_and_count(server) == 2
            assert other.poll() is None
        finally:
            other.kill()


def test_a_start_that_was_killed_while_it_made_the_cluster_is_done_again(settings: Settings) -> None:
    server = PostgresServer(settings, durable=False)
    unfinished = server.folder / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    server.start()
    assert not unfinished.exists()
    assert insert_and_count(server) == 1


def test_a_data_folder_that_is_no_cluster_is_never_emptied(settings: Settings) -> None:
    server = PostgresServer(settings, durable=False)
    server.data.mkdir(parents=True)
    (server.data / "precious").write_text("x")
    with pytest.raises(ConfigurationError, match="not empty"):
        server.start()
    assert (server.data / "precious").read_text() == "x"


def test_starts_at_the_same_time_make_one_server(settings: Settings) -> None:
    code = (
        "import sys; from include.settings import Settings; from include.local.postgres import PostgresServer; "
        "PostgresServer(Settings(state_dir=sys.argv[1], postgres_port=int(sys.argv[2])), durable=False).start()"
    )
    command = [sys.executable, "-c", code, str(settings.state_dir), str(settings.postgres_port)]
    processes = [subprocess.Popen(command, cwd=PROJECT_ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert insert_and_count(PostgresServer(settings)) == 1


def test_the_server_outlives_the_process_that_started_it_and_holds_no_pipe_of_it_open(settings: Settings) -> None:
    code = (
        "import sys; from include.settings import Settings; from include.local.postgres import PostgresServer; "
        "PostgresServer(Settings(state_dir=sys.argv[1], postgres_port=int(sys.argv[2])), durable=False).start()"
    )
    command = [sys.executable, "-c", code, str(settings.state_dir), str(settings.postgres_port)]
    # Reading to the end of the pipes would hang if the server had inherited them.
    subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=True, timeout=60)
    assert PostgresServer(settings).is_running()


def test_a_setting_that_the_server_refuses_is_reported_with_the_end_of_its_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres_module.SERVER_SETTINGS, "shared_buffers", "banana")
    with pytest.raises(ConfigurationError) as caught:
        PostgresServer(settings, durable=False).start()
    assert "banana" in str(caught.value)
    assert "server.log" in str(caught.value)


@pytest.fixture
def small_disk(settings: Settings) -> Iterator[Path]:
    """A file system of 8 MB, where this account may make one."""
    folder = settings.state_dir
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system can be mounted by root only, outside of most containers")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_called_by_its_name_and_with_space_it_starts(settings: Settings, small_disk: Path) -> None:
    server = PostgresServer(settings, durable=False)
    with pytest.raises(ConfigurationError, match=r"disk of .* is full .*CUVEE_STATE_DIR") as caught:
        server.start()
    assert "No space left on device" in str(caught.value)
    subprocess.run(["mount", "-o", "remount,size=500m", str(small_disk)], check=True)
    server.start()
    assert insert_and_count(server) == 1
    server.stop()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="CUVEE_STATE_DIR"):
        PostgresServer(Settings(state_dir=tmp_path / "file", postgres_port=free_port())).start()


def test_a_state_folder_behind_a_closed_one_works_for_root_too(settings: Settings) -> None:
    settings.state_dir.mkdir()
    settings.state_dir.chmod(0o700)
    server = PostgresServer(settings, durable=False)
    server.start()
    assert server.is_running()
    # Nobody else may list it, whatever was needed to pass through.
    assert stat.S_IMODE(settings.state_dir.stat().st_mode) & (stat.S_IROTH | stat.S_IWOTH) == 0
