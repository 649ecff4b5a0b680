# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file, or its content as a dictionary.
      - Without this option, and without O(host), the variable E(K8S_AUTH_KUBECONFIG), then E(KUBECONFIG), then
        C(~/.kube/config) is used. The identity of the pod that the task runs in is never used unless O(in_cluster) asks for it.
      - The program that the exec plugin of its user names is run, as the user who runs the task. The task warns of a file that other users
        can change or read, and of such a program that they can change. kubectl does not.
    type: raw
  context:
    description: Context of the kubeconfig. Its current context when not given. Also E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description: URL of the API server, instead of a kubeconfig. Also E(K8S_AUTH_HOST).
    type: str
  api_key:
    description: Bearer token of the grantor. Also E(K8S_AUTH_API_KEY).
    type: str
  username:
    description: User name for basic authentication, where a proxy before the API server takes it. Also E(K8S_AUTH_USERNAME).
    type: str
  password:
    description: Password that goes with O(username). Also E(K8S_AUTH_PASSWORD).
    type: str
  ca_cert:
    description: File with the CA certificates that the API server's certificate is checked against. Also E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description: File with a client certificate. Also E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description: File with the key of O(client_cert). Also E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  validate_certs:
    description:
      - Whether the API server's certificate is checked. Only an explicit V(false), here or in E(K8S_AUTH_VERIFY_SSL), turns
        the check off. A kubeconfig's C(insecure-skip-tls-verify) alone does not.
    type: bool
    aliases: [verify_ssl]
  tls_server_name:
    description:
      - Name that the API server's certificate must carry, where it differs from the host in the URL. Also E(K8S_AUTH_TLS_SERVER_NAME).
    type: str
  proxy:
    description:
      - URL of a proxy by which the server is reached, C(http://), C(https://), C(socks5://) or C(socks5h://). Also E(K8S_AUTH_PROXY).
      - Without it that of the kubeconfig's cluster, then E(HTTPS_PROXY), which is never used for C(localhost) and loopback addresses.
    type: str
  no_proxy:
    description:
      - Comma separated hosts that are reached without the proxy, in the form of E(NO_PROXY). Also E(K8S_AUTH_NO_PROXY).
    type: str
  impersonate_user:
    description: User to act as. Also E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description: Groups to act as. Also E(K8S_AUTH_IMPERSONATE_GROUPS).
    type: list
    elements: str
  proxy_headers:
    description:
      - Headers for the proxy. Keys are C(proxy_basic_auth) and C(basic_auth), each C(user:password), and C(user_agent).
      - Also the E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH) family.
    type: dict
  in_cluster:
    description: Use the service account of the pod that the task runs in.
    type: bool
    default: false
  kubeconfig_secret:
    description:
      - The Secret of another cluster, the hub, that says how the cluster is reached, in place of O(kubeconfig). The task reads it
        when it reaches the cluster, and keeps it in memory. The hub's credential needs the verb C(get) on that Secret alone.
      - It excludes O(kubeconfig), O(in_cluster) and every credential. The variables E(K8S_AUTH_KUBECONFIG) and the others of that
        family are then about the hub, and none of them changes how the cluster is reached.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the Secret on the hub.
        type: str
        required: true
      name:
        description: Name of the Secret.
        type: str
        required: true
      key:
        description: Key of the kubeconfig in the Secret. The other formats have their own keys.
        type: str
        default: value
      format:
        description:
          - V(kubeconfig) for a kubeconfig, as Cluster API writes it.
          - V(argocd) for a cluster of Argo CD, with the keys C(name), C(server) and C(config).
          - V(token) for a service account's token, with the keys C(token) and C(ca.crt), as Open Cluster Management keeps those of
            managed service accounts. It needs O(host).
        type: str
        choices: [kubeconfig, argocd, token]
        default: kubeconfig
      trusted:
        description:
          - Whether the kubeconfig in the Secret can do what a file of your own can. It can then run programs (C(exec)) as the user who
            runs the task, and read files of this machine.
          - Without it a kubeconfig that asks for that is refused, and so is one with C(insecure-skip-tls-verify), unless
            O(validate_certs) is set.
        type: bool
        default: false
  hub_kubeconfig:
    description:
      - Path of the hub's kubeconfig file, or its content as a dictionary, for O(kubeconfig_secret).
      - Without it and O(hub_context), the hub is reached as O(kubeconfig) without a value would be, by the environment.
    type: raw
  hub_context:
    description: Context of O(hub_kubeconfig). Its current context when not given.
    type: str
requirements:
  - PyYAML >= 6.0
  - kubernetes >= 29.0.0 (only for a kubeconfig whose user has an C(auth-provider))
"""
