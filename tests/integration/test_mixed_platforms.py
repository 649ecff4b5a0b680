# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile for Debian over a pod of which one container is another system: the run is whole, and says what was not judged."""

from __future__ import annotations

import json

from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import container, pod

DEBIAN_IMAGE, ALPINE_IMAGE = "securescan.local/debian:1", "securescan.local/apk:1"
DEBIAN_ONLY = """\
name: fam-debian
title: For Debian alone
version: 1.0.0
supports:
  - platform-family: debian
controls:
  - id: c-1
    title: Only root is root
    impact: critical
    tests: [{users: {where: {uid: 0}}, expect: {names: {none_outside: [root]}}}]
"""


def test_the_container_that_no_profile_fits_is_told_and_the_other_is_judged(playbooks, place, cluster):
    cluster.load_images(ALPINE_IMAGE)
    here = place()
    here.add(
        pod(
            "mixed",
            container("debian", image=DEBIAN_IMAGE),
            container("alpine", image=ALPINE_IMAGE, command=("/usr/bin/listener", "8080")),
        )
    )
    profile = playbooks.folder / "fam-debian.yml"
    profile.write_text(DEBIAN_ONLY, encoding="utf-8")
    chosen = {"scan_namespaces": here.name, "scan_profiles": [str(profile)]}
    output = playbooks.folder / "results"
    done = playbooks.run(
        "securescan.kubernetes.scan",
        scan_output_dir=str(output),
        scan_keep_facts=True,
        scan_approach="exec",
        **chosen,
    )
    assert done.status == 2, done.output[-3000:]
    assert "SCAN-809 not_judged" in done.output and "no profile fits 1 of 2" in done.output, done.output[
        -4000:
    ]
    (summary,) = {path.resolve() for path in output.rglob("summary.json")}
    targets = {target["container"]: target for target in json.loads(summary.read_text())["targets"]}
    assert (targets["debian"]["result"], targets["alpine"]["result"]) == ("pass", "not_judged")
    assert "Skipping profile: 'fam-debian'" in targets["alpine"]["skipped_profiles"]["fam-debian"]
    for report in ("summary.md", "gate.junit.xml"):
        assert "fam-debian" in (summary.parent / report).read_text(encoding="utf-8")

    again = playbooks.run(
        "securescan.kubernetes.judge",
        scan_run_dir=str(summary.parent),
        scan_output_dir=str(output),
        scan_profiles=[str(profile)],
        scan_fail_on="never",
    )
    assert again.status == 0, again.output[-3000:]
    assert "fam-debian was skipped on 1 target" in again.output
