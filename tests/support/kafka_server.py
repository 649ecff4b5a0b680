# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Kafka of one node (KRaft), over TLS with names and passwords; its jars are fetched once, into the cache."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import pathlib
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from ..environment.python_environment import CACHE, say
from ..fake_api_server.certificates import Authority
from .free_port import free_port
from .served_program import served

_POM = pathlib.Path(__file__).resolve().parents[1] / "real" / "kafka" / "pom.xml"
_JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp")
USER, PASSWORD = "scanner", "kafka-scanner-password"
TOPIC = "securescan.findings"
_CONFIG = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{port}
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
  username="broker" password="broker-password" user_broker="broker-password" user_{user}="{password}" user_other="other-password";
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={ca}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:ANONYMOUS;User:{user}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.dirs={folder}/data
message.max.bytes=1048588
"""


@dataclass(frozen=True)
class KafkaServer:
    broker: str
    ca: pathlib.Path


@contextlib.contextmanager
def kafka_server(folder: pathlib.Path) -> Iterator[KafkaServer]:
    """It takes connections; no topic is there yet."""
    jars, authority = _jars(), Authority(folder)
    port, controller = free_port(), free_port()
    shown = authority.server("localhost")
    key = subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", shown.key], check=True, stdout=subprocess.PIPE
    ).stdout
    (folder / "broker.pem").write_bytes(key + shown.certificate.read_bytes() + authority.ca.read_bytes())
    config = folder / "server.properties"
    config.write_text(
        _CONFIG.format(
            port=port, controller=controller, folder=folder, ca=authority.ca, user=USER, password=PASSWORD
        )
    )
    identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    java = [*_JAVA, f"{jars}/*"]
    format_it = [*java, "kafka.tools.StorageTool", "format", "-t", identity, "-c", str(config)]
    done = subprocess.run(format_it, check=False, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    with served([*java, "kafka.Kafka", config], port, folder / "log"):
        yield KafkaServer(f"127.0.0.1:{port}", authority.ca)


def _jars() -> pathlib.Path:
    """The folder of the pinned jars."""
    folder = CACHE / "kafka" / hashlib.sha256(_POM.read_bytes()).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            say("==> fetching Kafka (seconds, once)")
            draft = folder.with_name("draft")
            subprocess.run(
                ["mvn", "-q", "-B", "-f", _POM, "dependency:copy-dependencies", f"-DoutputDirectory={draft}"],
                check=True,
                stdout=2,
                stdin=subprocess.DEVNULL,
            )
            draft.rename(folder)
    return folder
