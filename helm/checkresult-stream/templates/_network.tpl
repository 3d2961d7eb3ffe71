{{/* Rules of the NetworkPolicies. */}}

{{/* An egress rule for TCP ports. Call with (dict "ports" list "to" peers). */}}
{{- define "checkresult.egressRule" -}}
- ports:
    {{- range .ports | uniq }}
    - port: {{ . | int }}
      protocol: TCP
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The port of a URL such as https://registry.example:8443/path. */}}
{{- define "checkresult.portOf" -}}
{{- $url := urlParse . -}}
{{- trimPrefix ":" (regexFind ":[0-9]+$" $url.host) | default (ternary "80" "443" (eq $url.scheme "http")) -}}
{{- end -}}

{{- define "checkresult.dnsRule" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{/* Egress rules of the service and of the setup Jobs. */}}
{{- define "checkresult.egress" -}}
{{- $policy := .Values.networkPolicy -}}
{{- include "checkresult.dnsRule" . }}
{{- $brokers := list -}}
{{- range splitList "," (include "checkresult.setting" (dict "root" . "name" "KAFKA_BROKERS")) -}}
{{- $brokers = append $brokers (last (splitList ":" .) | trim) -}}
{{- end }}
{{ include "checkresult.egressRule" (dict "ports" ($policy.kafka.ports | default $brokers) "to" $policy.kafka.to) }}
{{- $registry := list (include "checkresult.portOf" (include "checkresult.setting" (dict "root" . "name" "SCHEMA_REGISTRY_URL"))) }}
{{ include "checkresult.egressRule" (dict "ports" ($policy.registry.ports | default $registry) "to" $policy.registry.to) }}
{{- if eq (include "checkresult.setting" (dict "root" . "name" "CHECKRESULT_QUOTA")) "redis" }}
{{ include "checkresult.egressRule" (dict "ports" ($policy.redis.ports | default (list 6379)) "to" $policy.redis.to) }}
{{- end }}
{{- $https := list "443" (include "checkresult.portOf" (include "checkresult.setting" (dict "root" . "name" "CHECKRESULT_ENDPOINT"))) -}}
{{- with .Values.settings.KAFKA_SASL_OAUTH_TOKEN_URL -}}
{{- $https = append $https (include "checkresult.portOf" .) -}}
{{- end -}}
{{- $anywhere := list
  (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" (list "169.254.0.0/16" "100.100.100.200/32")))
  (dict "ipBlock" (dict "cidr" "::/0" "except" (list "fe80::/10"))) }}
{{ include "checkresult.egressRule" (dict "ports" ($policy.https.ports | default $https) "to" ($policy.https.to | default $anywhere)) }}
{{- if .Values.settings.ALIBABA_CLOUD_ECS_METADATA }}
{{ include "checkresult.egressRule" (dict "ports" (list 80) "to" (list (dict "ipBlock" (dict "cidr" "100.100.100.200/32")))) }}
{{- end }}
{{- with $policy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}
