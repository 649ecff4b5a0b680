# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of sinks, one file each."""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    defectdojo,
    elastic,
    emass,
    heimdall,
    kafka,
    nats,
    netbox,
    openreports,
    otlp,
    s3,
    securityhub,
    splunk,
    syslog,
    webhook,
)
from .sink import SinkKind

SINKS: Mapping[str, SinkKind] = {
    kind.name: kind
    for kind in (
        defectdojo.DEFECTDOJO,
        elastic.ELASTIC,
        emass.EMASS,
        heimdall.HEIMDALL,
        kafka.KAFKA,
        nats.NATS,
        netbox.NETBOX,
        openreports.OPENREPORTS,
        otlp.OTLP,
        s3.S3_SINK,
        securityhub.SECURITYHUB,
        splunk.SPLUNK,
        syslog.SYSLOG,
        webhook.WEBHOOK,
    )
}
