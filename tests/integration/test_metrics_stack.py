# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our metrics in real parts: promtool, a Pushgateway with TLS and a password, a Prometheus that scrapes it and fires alerts."""

from __future__ import annotations

import base64
import contextlib
import json
import pathlib
import ssl
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.metrics import (
    METRICS,
    Observed,
    render_by_subject,
    render_metrics,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.safe_text import escape_text
from ansible_collections.securescan.kubernetes.plugins.plugin_utils.pushgateway import PushOptions, push
from ansible_collections.securescan.kubernetes.tests.environment.debian_unpacked import unpacked
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.free_port import free_port
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import HOSTILE_NAME
from ansible_collections.securescan.kubernetes.tests.support.sample_metrics import sample_observed

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "docs" / "alerts" / "securescan.rules.yml"
DASHBOARD = ROOT / "docs" / "dashboards" / "metrics.json"
PASSWORD = "push-password-1"
# bcrypt of it
HASH = "$2b$10$ZMmWwtPtHat6K0q1hVxpb.8MUFcPUuCC4opqNROiXYsm2c77gTPMO"
SECONDS = 120


class Stack(NamedTuple):
    gateway: str
    prometheus: str
    ca: pathlib.Path

    def options(self, **changes: Any) -> PushOptions:
        given: dict[str, Any] = {"username": "securescan", "password": PASSWORD, "ca_cert": str(self.ca)}
        return PushOptions(self.gateway, **{**given, **changes})

    def ask(self, path: str, **query: str) -> Any:
        url = f"{self.prometheus}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=60) as reply:
            return json.load(reply)["data"]

    def values(self, expression: str) -> list[Any]:
        return list(self.ask("query", query=expression)["result"])


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    return sample_observed(tmp_path_factory.mktemp("observed"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    authority = Authority(folder)
    shown = authority.server("localhost")
    gateway_port, prometheus_port = free_port(), free_port()
    web = {
        "tls_server_config": {"cert_file": str(shown.certificate), "key_file": str(shown.key)},
        "basic_auth_users": {"securescan": HASH},
    }
    (folder / "web.yml").write_text(json.dumps(web), encoding="utf-8")
    job = {
        "job_name": "pushgateway",
        "honor_labels": True,
        "scheme": "https",
        "tls_config": {"ca_file": str(authority.ca)},
        "basic_auth": {"username": "securescan", "password": PASSWORD},
        "static_configs": [{"targets": [f"127.0.0.1:{gateway_port}"]}],
    }
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [job],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    with contextlib.ExitStack() as started:
        started.enter_context(
            running(
                unpacked("prometheus-pushgateway") / "usr/bin/prometheus-pushgateway",
                f"--web.listen-address=127.0.0.1:{gateway_port}",
                f"--web.config.file={folder / 'web.yml'}",
            )
        )
        started.enter_context(
            running(
                unpacked("prometheus") / "usr/bin/prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{prometheus_port}",
            )
        )
        made = Stack(f"https://127.0.0.1:{gateway_port}", f"http://127.0.0.1:{prometheus_port}", authority.ca)
        wait_for(lambda: is_up(f"{made.gateway}/-/ready", made.ca) and is_up(f"{made.prometheus}/-/ready"))
        yield made


@contextlib.contextmanager
def running(program: pathlib.Path, *arguments: str) -> Iterator[None]:
    process = subprocess.Popen(
        [str(program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_up(url: str, ca: pathlib.Path | None = None) -> bool:
    pair = base64.b64encode(f"securescan:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {pair}"})
    context = ssl.create_default_context(cafile=str(ca)) if ca else None
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def wait_for(condition: Any, what: str = "it") -> Any:
    """What the condition gives as soon as it is true."""
    end = time.monotonic() + SECONDS
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not come true"
        time.sleep(0.1)


def promtool(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    program = unpacked("promtool") / "usr/bin/promtool"
    return subprocess.run(
        [str(program), *arguments], input=text, capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_promtool_has_nothing_to_say_against_our_metrics(observed: Observed) -> None:
    text = render_metrics(observed, datetime.now(timezone.utc))
    assert {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")} == {
        metric.name for metric in METRICS
    }
    checked = promtool("check", "metrics", text=text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert promtool("check", "metrics", text=text.replace("# HELP securescan_targets ", "# HALP ")).returncode


def test_each_alert_fires_on_a_bad_night_and_on_no_good_one() -> None:
    assert promtool("check", "rules", str(RULES)).returncode == 0
    tested = promtool("test", "rules", "tests/prometheus/alerts.test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_what_is_pushed_is_scraped_and_alerts(stack: Stack, observed: Observed) -> None:
    texts = render_by_subject(observed, datetime.now(timezone.utc))
    assert push(stack.options(), texts) == []
    for metric in METRICS:
        wait_for(lambda name=metric.name: stack.values(name))
    # each host is pushed for itself, so that a scrape can come between two of them
    hosts = {"edge", escape_text(HOSTILE_NAME)}
    wait_for(lambda: {one["metric"]["host"] for one in stack.values("securescan_run_succeeded")} == hosts)
    (found,) = wait_for(lambda: stack.values('securescan_overdue_findings{team="shop-team",severity="high"}'))
    assert (found["metric"]["host"], found["metric"]["job"], found["value"][1]) == ("edge", "securescan", "1")
    firing = {
        "SecurescanGateFailed",
        "SecurescanFindingsOverdue",
        "SecurescanPlacesOverdue",
        "SecurescanSevereFindings",
        "SecurescanRunLeftAccess",
        "SecurescanFleetIncomplete",
        "SecurescanHealthCheckFailed",
    }
    wait_for(lambda: firing <= alerts(stack, "firing"))


def alerts(stack: Stack, state: str) -> set[str]:
    return {one["labels"]["alertname"] for one in stack.ask("alerts")["alerts"] if one["state"] == state}


def test_a_push_replaces_what_the_play_before_said_of_the_host(stack: Stack, observed: Observed) -> None:
    now = datetime.now(timezone.utc)
    assert push(stack.options(), render_by_subject(observed, now)) == []
    wait_for(lambda: stack.values('securescan_run_left{kind="access"}'))
    calm = Observed([one for one in observed.runs if one.host == "edge"][:1])
    quiet = Observed([type(calm.runs[0])("edge", calm.runs[0].run, passed=True)])
    assert push(stack.options(), render_by_subject(quiet, now)) == []
    # in one question: a scrape that takes too long leaves nothing of any metric
    replaced = 'securescan_gate_passed{host="edge"} unless on (host) securescan_run_left'
    (passed,) = wait_for(lambda: stack.values(replaced))
    assert passed["value"][1] == "1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wrong-password-2"}, "not_authenticated"),
        ({"username": "", "password": ""}, "not_authenticated"),
        ({"ca_cert": ""}, "tls_failed"),
    ],
)
def test_a_push_that_is_refused_says_why_and_no_secret(
    stack: Stack, observed: Observed, changes: dict[str, str], reason: str
) -> None:
    options = stack.options(**changes)
    ((_subject, error),) = push(options, render_by_subject(observed, datetime.now(timezone.utc)))
    assert error.reason == reason
    pair = base64.b64encode(f"securescan:{options.password}".encode()).decode()
    said = f"{error} {error.record()} {options!r}"
    assert "password-" not in said and (not options.password or pair not in said)


def test_the_queries_of_the_dashboard_find_our_metrics(stack: Stack, observed: Observed) -> None:
    assert push(stack.options(), render_by_subject(observed, datetime.now(timezone.utc))) == []
    wait_for(
        lambda: (
            stack.values('securescan_run_left{kind="access"}') and stack.values("securescan_fleet_clusters")
        )
    )
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$host", "edge")
            wait_for(lambda query=query: stack.values(query), f"{panel['title']}: {query}")
