{{- $pod := include "securescan.pod" (dict "context" . "component" "preflight" "playbook" "securescan.kubernetes.preflight") | fromYaml }}
# `helm test`: says how a scan would go, with the identity and the settings of the scan, and changes nothing.
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "securescan.name" . }}-preflight
  namespace: {{ .Release.Namespace }}
  annotations:
    helm.sh/hook: test
    # Helm shows what it said and removes it: --logs looks for the pod later, and an uninstall leaves the pods of hooks alone
    helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
    {{- with $pod.metadata.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  labels:
    {{- toYaml $pod.metadata.labels | nindent 4 }}
spec:
  {{- toYaml $pod.spec | nindent 2 }}
