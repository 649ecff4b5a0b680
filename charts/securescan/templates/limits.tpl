{{- if not .Values.cluster.inCluster }}
# Without rights and without a token: the pods reach their cluster by the kubeconfig, and this one not at all.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "securescan.name" . }}-no-rights
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end }}
{{- if .Values.quota.enabled }}
---
apiVersion: v1
kind: ResourceQuota
metadata:
  name: {{ include "securescan.name" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
spec:
  hard:
    pods: {{ .Values.quota.pods | quote }}
    limits.cpu: {{ .Values.quota.cpu | quote }}
    limits.memory: {{ .Values.quota.memory | quote }}
{{- end }}
{{- if .Values.networkPolicy.enabled }}
---
# Nobody reaches the pods, and they reach name servers, API servers and what networkPolicy.egress names.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "securescan.name" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "securescan.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress: []
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {{ .Values.networkPolicy.dnsNamespace }}
      ports:
        - {protocol: UDP, port: 53}
        - {protocol: TCP, port: 53}
    - ports:
        {{- range .Values.networkPolicy.apiServer.ports }}
        - {protocol: TCP, port: {{ . }}}
        {{- end }}
      {{- with .Values.networkPolicy.apiServer.cidrs }}
      to:
        {{- range . }}
        - ipBlock: {cidr: {{ . | quote }}}
        {{- end }}
      {{- end }}
    {{- with .Values.networkPolicy.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
