"""A private broker (测试消息服务器): Mosquitto with the files of docs/examples, so that these are what is tested.

Without Mosquitto tests run against rumqttd from a wheel, which knows no access rules and no durable
sessions: what needs them asks for `real` and is skipped, but never under CI.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import aiomqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.settings import REPOSITORY

EXAMPLES = REPOSITORY / "docs" / "examples"
SERVICE, PASSWORD = "linli", "test-password"
START_LIMIT_S = 10.0


def mosquitto() -> str | None:
    """Where Mosquitto is; None where there is none. Under CI it has to be there."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None and os.environ.get("CI") == "true":
        raise RuntimeError("Mosquitto is missing: apt-get install mosquitto")
    return found


def free_ports(number: int) -> list[int]:
    """Loopback ports that nobody has."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Broker(ABC):
    """A broker process in a folder of its own; `url` is the program's account."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        (self.port,) = free_ports(1)
        self.url = f"mqtt://{SERVICE}:{PASSWORD}@127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it."""

    @abstractmethod
    async def admit(self, *devices: UUID) -> None:
        """Let these devices sign in from now on."""

    @abstractmethod
    def device(self, device: UUID, **options: Any) -> aiomqtt.Client:  # Any: the client's own options
        """A client that signs in as this device."""

    async def start(self) -> None:
        """Start it and wait until it listens."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        async with asyncio.timeout(START_LIMIT_S):
            while not await _listens(self.port):
                assert self.process.poll() is None, self.log.read_text()
                await asyncio.sleep(0.01)

    def kill(self) -> None:
        """End it without a word of warning."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it; it writes down what it knows."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(10)
            self.process = None


class Mosquitto(Broker):
    """As docs/examples configure it: TLS, every device with its own password and its own topics. What is added
    is an open port for `url`; `tls_url` is the one that a program has in production."""

    def __init__(self, program: str, folder: Path) -> None:
        super().__init__(folder)
        self._program = program
        self._program_port, self._device_port = free_ports(2)
        self.tls_url = f"mqtts://{SERVICE}:{PASSWORD}@127.0.0.1:{self._program_port}"
        self.certificate = folder / "server.crt"
        self._users = {SERVICE}
        _certify(folder)
        (folder / "mosquitto.acl").write_text((EXAMPLES / "mosquitto.acl").read_text())
        (folder / "mosquitto.conf").write_text(self._configuration())
        self._write_passwords()

    def command(self) -> list[str]:
        return [self._program, "-c", str(self.folder / "mosquitto.conf")]

    def _configuration(self) -> str:
        text = (EXAMPLES / "mosquitto.conf").read_text()
        for installed, here in (
            ("/etc/mosquitto/linli", str(self.folder)),
            ("/var/lib/mosquitto", str(self.folder)),
            ("listener 8884", f"listener {self._program_port} 127.0.0.1"),
            ("listener 8883", f"listener {self._device_port} 127.0.0.1"),
        ):
            assert installed in text
            text = text.replace(installed, here)
        text += f"\nlistener {self.port} 127.0.0.1\n"
        # As root it would become a user who may not read this folder.
        return text + ("user root\n" if os.geteuid() == 0 else "")

    def _write_passwords(self) -> None:
        passwords = self.folder / "passwords"
        passwords.write_text("".join(f"{user}:{PASSWORD}\n" for user in sorted(self._users)))
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)

    async def admit(self, *devices: UUID) -> None:
        assert self.process is not None
        self._users |= {str(device) for device in devices}
        self._write_passwords()
        reloads = self._reloads()
        self.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(START_LIMIT_S):
            while self._reloads() == reloads:
                await asyncio.sleep(0.01)

    def _reloads(self) -> int:
        return self.log.read_text().count("Reloading config.")

    def device(self, device: UUID, **options: Any) -> aiomqtt.Client:  # Any: as in Broker
        options = {
            "username": str(device),
            "password": PASSWORD,
            "tls_context": ssl.create_default_context(cafile=str(self.certificate)),
            **options,
        }
        return aiomqtt.Client("127.0.0.1", self._device_port, protocol=aiomqtt.ProtocolVersion.V5, **options)


class Rumqttd(Broker):
    """From the wheel `iotcore`: MQTT 5 and QoS 1, but anybody may say anything, and nothing is kept."""

    def command(self) -> list[str]:
        (self.folder / "rumqttd.toml").write_text(_RUMQTTD.format(port=self.port))
        return [sys.executable, "-m", "iotcore", "--config", str(self.folder / "rumqttd.toml")]

    async def admit(self, *devices: UUID) -> None:
        pass

    def device(self, device: UUID, **options: Any) -> aiomqtt.Client:  # Any: as in Broker
        options = {"identifier": str(device), **options}
        return aiomqtt.Client("127.0.0.1", self.port, protocol=aiomqtt.ProtocolVersion.V5, **options)


_RUMQTTD = """
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 0
[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = 65536
max_inflight_count = 100
"""


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _certify(folder: Path) -> None:
    """A certificate of 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Broker]:
    """A started broker, stopped at the end: Mosquitto, or what there is."""
    program = mosquitto()
    made: Broker = Mosquitto(program, folder) if program else Rumqttd(folder)
    await made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker of this module's own."""
    async with running(tmp_path_factory.mktemp("broker")) as made:
        yield made


@pytest.fixture
def real(broker: Broker) -> Mosquitto:
    """The broker, where it has to be Mosquitto."""
    if not isinstance(broker, Mosquitto):
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    return broker


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not tested."""
    if mosquitto() is None:
        terminalreporter.write_line(
            "Mosquitto is not installed: MQTT was tested with rumqttd, without access rules and durable "
            "sessions (apt-get install mosquitto)"
        )
