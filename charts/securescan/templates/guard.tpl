{{- if .Values.guard.create }}
{{- /* Made of the engine's own rules by tests/unit/charts/, with marks where the names of this release go. */}}
{{- $text := .Files.Get "files/guard.json"
    | replace "@grantor@" (printf "system:serviceaccount:%s:%s" .Release.Namespace (include "securescan.grantor" .))
    | replace "@accounts@" (include "securescan.accounts" .) }}
{{- range $mark, $names := dict
    "image" (.Values.scan.scannerImage | list | compact)
    "pull-secret" .Values.scan.scannerImagePullSecrets
    "closed" .Values.guard.closedNamespaces }}
{{- $text = $text | replace (printf "[\\\"@%s@\\\"]" $mark) ($names | toJson | replace "\"" "\\\"") }}
{{- end }}
{{- range (fromJson $text).items }}
---
apiVersion: {{ .apiVersion }}
kind: {{ .kind }}
metadata:
  name: {{ .metadata.name }}
  labels:
    {{- include "securescan.labels" $ | nindent 4 }}
spec:
  {{- toYaml .spec | nindent 2 }}
{{- end }}
{{- end }}
