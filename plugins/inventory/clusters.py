# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: clusters
short_description: Clusters as hosts
description:
  - Finds clusters in kubeconfig files, and on hubs of Cluster API, Argo CD and Open Cluster Management. Each is a host
    with the variables by which the roles of this collection reach it.
  - A host carries references, never a secret. They are the path of a kubeconfig and its context, or the name of a Secret
    on a hub. That Secret is read in memory when the cluster is scanned.
  - The file's name must end with C(clusters.yml) or C(clusters.yaml).
version_added: 0.1.0
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - constructed
  - inventory_cache
notes:
  - Ansible goes on with the other inventories when one cannot be parsed, and a play without hosts succeeds. Set
    C(any_unparsed_is_failed) in the section C(inventory) of C(ansible.cfg), or
    E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED), so that a hub that does not answer fails the job.
options:
  plugin:
    description: Marks the file as one of this plugin.
    type: str
    required: true
    choices: [securescan.kubernetes.clusters]
  sources:
    description:
      - Where clusters are. Two clusters of one name are an error that names both. O(sources[].name_format) and O(exclude)
        tell them apart.
    type: list
    elements: dict
    required: true
    suboptions:
      type:
        description:
          - V(kubeconfig) takes each context of kubeconfig files.
          - V(cluster_api) takes the Cluster objects of a hub. Their kubeconfigs are in the Secrets NAME-kubeconfig.
          - V(argocd) takes the Secrets of Argo CD with the label C(argocd.argoproj.io/secret-type=cluster).
          - V(open_cluster_management) takes the ManagedClusters of a hub that the hub has accepted.
          - V(static) takes O(sources[].clusters).
        type: str
        required: true
        choices: [kubeconfig, cluster_api, argocd, open_cluster_management, static]
      name_format:
        description:
          - What hosts are called. Each source has the field C({name}). C(kubeconfig) has C({cluster}), C({user}) and
            C({file}) too, C(cluster_api) has C({namespace}), and C(argocd) has C({secret}).
          - Characters other than letters, digits, C(-), C(.) and C(_) become one C(-).
        type: str
        default: "{name}"
      labels:
        description: Labels that every cluster of the source gets, beside its own.
        type: dict
        default: {}
      required:
        description:
          - Whether a source that cannot be read is an error. With V(false) it is a warning, and the inventory goes
            without its clusters, so a fleet run does not expect them.
        type: bool
        default: true
      paths:
        description:
          - Of a source V(kubeconfig), the files, folders and shell patterns. A relative path is below the folder of the
            inventory.
          - In a folder every file is a kubeconfig, but for those whose name begins with a dot.
        type: list
        elements: str
      kubeconfig:
        description:
          - Of a hub, the path of its kubeconfig. Without it and O(sources[].context) the hub is reached by
            E(K8S_AUTH_HOST) and the others of that family, else by E(KUBECONFIG), else by C(~/.kube/config).
        type: path
      context:
        description: Of a hub, the context of O(sources[].kubeconfig).
        type: str
      label_selector:
        description: Of a hub, a selector of labels. Clusters that it does not select are left out.
        type: str
      trusted:
        description:
          - Of a hub, whether the kubeconfigs in its Secrets can run programs and read files as one of your own can. See
            the option C(kubeconfig_secret) of the modules.
        type: bool
        default: false
      namespaces:
        description: Of a source V(cluster_api), the namespaces on the hub. None for all.
        type: list
        elements: str
        default: []
      namespace:
        description: Of a source V(argocd), the namespace of Argo CD on the hub.
        type: str
        default: argocd
      secret:
        description:
          - Of a source V(open_cluster_management), the Secret on the hub that holds a cluster's credential. Such a source
            needs it.
        type: dict
        suboptions:
          name:
            description: Name of the Secret, in which C({name}) is the cluster's name.
            type: str
            required: true
          namespace:
            description: Namespace of the Secret, in which C({name}) is the cluster's name.
            type: str
            default: "{name}"
          key:
            description: Key of the kubeconfig, where the format is V(kubeconfig).
            type: str
          format:
            description: As in the option C(kubeconfig_secret) of the modules.
            type: str
            choices: [kubeconfig, argocd, token]
            default: token
      clusters:
        description:
          - Of a source V(static), the clusters. Keys are C(name), C(labels), C(provider), C(region), C(version), and the
            options of the connection that are no secrets, such as C(kubeconfig), C(context), C(host), C(ca_cert) and
            C(kubeconfig_secret).
        type: list
        elements: dict
  include:
    description: Names and shell patterns of hosts. None for all.
    type: list
    elements: str
    default: []
  exclude:
    description: Names and shell patterns of hosts that are left out. It goes before O(include).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
# Every context of a kubeconfig, and one cluster for each file of a folder.
plugin: securescan.kubernetes.clusters
sources:
  - type: kubeconfig
    paths: [~/.kube/config]
  - type: kubeconfig
    paths: [/etc/securescan/clusters]
    name_format: "{file}"
    labels:
      environment: prod
exclude: ["*-sandbox"]

---
# The clusters of a Cluster API hub and of Argo CD, in groups by provider and team.
plugin: securescan.kubernetes.clusters
sources:
  - type: cluster_api
    kubeconfig: /etc/securescan/hub.kubeconfig
    namespaces: [fleet]
  - type: argocd
    kubeconfig: /etc/securescan/hub.kubeconfig
    name_format: "argo-{name}"
keyed_groups:
  - key: cluster_provider
    prefix: provider
    default_value: unknown
  - key: cluster_labels.team | default('none')
    prefix: team
groups:
  old: cluster_version is version('v1.34', '<')
compose:
  scan_namespaces: "['shop', 'edge'] if cluster_source == 'argocd' else ['shop']"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/securescan
cache_timeout: 3600

---
# Managed clusters, each scanned by the token of its managed service account called securescan.
plugin: securescan.kubernetes.clusters
sources:
  - type: open_cluster_management
    context: hub
    label_selector: environment=prod
    secret:
      name: securescan

---
# A list. The credentials are elsewhere: in a kubeconfig, in the environment, or in a vault of group_vars.
plugin: securescan.kubernetes.clusters
sources:
  - type: static
    clusters:
      - name: lab
        provider: on-premises
        kubeconfig: lab.kubeconfig
      - name: shop-eu
        region: eu-west-1
        kubeconfig_secret: {namespace: fleet, name: shop-eu-kubeconfig}
        hub_kubeconfig: /etc/securescan/hub.kubeconfig
"""

import hashlib
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils.errors import ScanError
from ..module_utils.inventories.hosts import find_hosts, read_sources
from ..module_utils.inventories.source import Surroundings

_ENDINGS = ("clusters.yml", "clusters.yaml")
# Bound to what a cached inventory holds: another number is another form.
_CACHE_VERSION = 2
# What says which hub is asked that no option names, and is no secret.
_HUB_VARIABLES = ("K8S_AUTH_KUBECONFIG", "K8S_AUTH_CONTEXT", "K8S_AUTH_HOST", "KUBECONFIG", "HOME")

display = Display()


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "securescan.kubernetes.clusters"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(_ENDINGS)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            hosts = self._hosts(path, cache)
        except ScanError as error:
            raise AnsibleParserError(str(error)) from error
        for name, variables in hosts.items():
            self._add(name, variables)
        self._check_groups(hosts)

    def _hosts(self, path: str, cache: bool) -> Mapping[str, Mapping[str, Any]]:
        """The variables of each host, from the cache where it has them of the same options."""
        sources, include, exclude = (self.get_option(name) for name in ("sources", "include", "exclude"))
        folder = pathlib.Path(path).absolute().parent
        hub = [os.environ.get(name, "") for name in _HUB_VARIABLES]
        asked = json.dumps([sources, include, exclude, hub], default=str)
        stamp = {"version": _CACHE_VERSION, "asked": hashlib.sha256(asked.encode()).hexdigest()}
        checked = read_sources(sources)
        use, key = self.get_option("cache"), ""
        if use:
            self.load_cache_plugin()
            key = self.get_cache_key(path)
            kept = self._cache.get(key) if cache else None
            if isinstance(kept, Mapping) and kept.get("stamp") == stamp:
                hosts: Mapping[str, Mapping[str, Any]] = kept["hosts"]
                return hosts
        around = Surroundings(os.environ, folder)
        found = find_hosts(checked, include, exclude, around)
        for warning in dict.fromkeys(around.warnings):
            display.warning(warning)
        # An inventory that lacks clusters is not kept: the next one asks again.
        if use and found.is_complete:
            self._cache[key] = {"stamp": stamp, "hosts": found.variables}
        return found.variables

    def _check_groups(self, hosts: Mapping[str, Any]) -> None:
        """Refuse a group that is called as a host outside it: `--limit` would take the group's hosts in its place. Who writes
        labels can choose how a group is called."""
        for name in sorted(set(self.inventory.hosts) & set(self.inventory.groups)):
            members = {host.name for host in self.inventory.groups[name].get_hosts()}
            if name not in members and (name in hosts or not members.isdisjoint(hosts)):
                error = ScanError(
                    "same_name",
                    f"the host {name} would be called as a group is that it does not belong to",
                    advice="Give keyed_groups a prefix, or the source a name_format.",
                )
                raise AnsibleParserError(str(error))

    def _add(self, name: str, variables: Mapping[str, Any]) -> None:
        self.inventory.add_host(name)
        safe = _inert(variables)
        for key, value in safe.items():
            self.inventory.set_variable(name, key, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), dict(safe), name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), dict(safe), name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), dict(safe), name, strict=strict)


def _inert(value: Any) -> Any:
    """The value, in which no text is a template: others write labels. Only a text with a brace could be one; the others stay
    as they are, and `--list` readable with Ansible before 2.19."""
    if isinstance(value, Mapping):
        # a key is never a template
        return {str(key): _inert(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_inert(item) for item in value]
    return wrap_var(value) if isinstance(value, str) and "{" in value else value
