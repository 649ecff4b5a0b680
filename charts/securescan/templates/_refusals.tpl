{{/* What the schema cannot say: values that do not go together. */}}
{{- define "securescan.refusals" -}}
{{- $cluster := .Values.cluster -}}
{{- if and $cluster.inCluster $cluster.kubeconfig.secret -}}
{{- fail "cluster.inCluster and cluster.kubeconfig.secret are two ways to one cluster: give one of them" -}}
{{- end -}}
{{- if not (or $cluster.inCluster $cluster.kubeconfig.secret) -}}
{{- fail "nothing says how the cluster is reached: set cluster.inCluster=true, or cluster.kubeconfig.secret to the name of a Secret" -}}
{{- end -}}
{{- if and (not $cluster.inCluster) (or .Values.rbac.wholeCluster .Values.guard.create) -}}
{{- fail "rbac.wholeCluster and guard.create are about the cluster of the release: they need cluster.inCluster=true" -}}
{{- end -}}
{{- if and $cluster.inCluster .Values.rbac.wholeCluster (not (or .Values.guard.create .Values.guard.present)) -}}
{{- fail "rbac.wholeCluster without the guard is as strong as cluster-admin: set guard.create=true, or guard.present=true where it is there" -}}
{{- end -}}
{{- if and .Values.guard.create .Values.guard.present -}}
{{- fail "guard.create and guard.present exclude each other" -}}
{{- end -}}
{{- if and $cluster.inCluster .Values.rbac.create (not .Values.rbac.wholeCluster) -}}
{{- if not .Values.scan.namespaces -}}
{{- fail "scan.namespaces is empty: name the namespaces that are scanned, in which the ServiceAccount gets its rights" -}}
{{- end -}}
{{- range .Values.scan.namespaces -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" .) -}}
{{- fail (printf "scan.namespaces: %q is no name; a pattern needs rbac.wholeCluster=true, and the guard with it" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if has .Release.Namespace .Values.scan.namespaces -}}
{{- fail "scan.namespaces has the release's own namespace: whoever enters its pods has the credential that makes accesses" -}}
{{- end -}}
{{- if and (without .Values.scan.approaches "exec") (not .Values.scan.scannerImage) -}}
{{- fail "scan.approaches has more than exec: set scan.scannerImage" -}}
{{- end -}}
{{- if and .Values.results.claim.create .Values.results.claim.name -}}
{{- fail "results.claim.create makes a claim, results.claim.name names one that is there: give one of them" -}}
{{- end -}}
{{- if and .Values.results.store.secret (not .Values.results.store.address) -}}
{{- fail "results.store.secret is the password of results.store.address, which is not given" -}}
{{- end -}}
{{- if and .Values.results.s3.bucket (hasKey .Values.scan.variables "fleet_push") -}}
{{- fail "results.s3 is a system to push to, as fleet_push of scan.variables is: give all of them in fleet_push of scan.secretVariables" -}}
{{- end -}}
{{- if and (hasKey .Values.scan.variables "scan_namespace_selectors") $cluster.inCluster (not .Values.rbac.wholeCluster) -}}
{{- fail "scan_namespace_selectors needs the right to list namespaces: rbac.wholeCluster=true, and the guard with it" -}}
{{- end -}}
{{- if and .Values.guard.create .Values.scan.variables.scan_debug_match_capabilities -}}
{{- fail "this guard lets no scan add capabilities: make it by scan_guard with debug_match_capabilities, and set guard.present=true" -}}
{{- end -}}
{{- if and .Values.results.s3.secret (not .Values.results.s3.bucket) -}}
{{- fail "results.s3.secret is the credential for results.s3.bucket, which is not given" -}}
{{- end -}}
{{- end }}
