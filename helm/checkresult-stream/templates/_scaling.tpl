{{/* Behavior of both autoscalers: one pod at a time, because each change causes a rebalance. */}}
{{- define "checkresult.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 60
  policies:
    - type: Pods
      value: 1
      periodSeconds: 60
scaleDown:
  stabilizationWindowSeconds: {{ .Values.autoscaling.stabilizationSeconds }}
  policies:
    - type: Pods
      value: 1
      periodSeconds: 60
{{- end -}}

{{/* Parameters of KEDA's Kafka trigger and the settings with their values. */}}
{{- define "checkresult.kedaParameters" -}}
{{- $oauth := eq (include "checkresult.setting" (dict "root" . "name" "KAFKA_SASL_MECHANISM")) "oauthbearer" -}}
settings:
  username: {{ $oauth | ternary "KAFKA_SASL_OAUTH_CLIENT_ID" "KAFKA_SASL_USERNAME" }}
  {{- if $oauth }}
  oauthTokenEndpointUri: KAFKA_SASL_OAUTH_TOKEN_URL
  scopes: KAFKA_SASL_OAUTH_SCOPE
  {{- end }}
files:
  password: {{ $oauth | ternary "KAFKA_SASL_OAUTH_CLIENT_SECRET" "KAFKA_SASL_PASSWORD" }}
  ca: KAFKA_TLS_CA_FILE
  cert: KAFKA_TLS_CERT_FILE
  key: KAFKA_TLS_KEY_FILE
{{- end -}}

{{/* References of the TriggerAuthentication. Empty if there is no login. */}}
{{- define "checkresult.kedaAuthentication" -}}
{{- $files := include "checkresult.files" (dict "root" . "setup" false) | fromJson -}}
{{- $parameters := include "checkresult.kedaParameters" . | fromYaml -}}
{{- $refs := dict "secret" list "configMap" list -}}
{{- range $parameter, $name := $parameters.settings -}}
{{- if get $.Values.settings $name -}}
{{- $ref := dict "parameter" $parameter "name" (include "checkresult.fullname" $) "key" $name -}}
{{- $_ := set $refs "configMap" (append $refs.configMap $ref) -}}
{{- end -}}
{{- end -}}
{{- range $parameter, $name := $parameters.files -}}
{{- range $kind := list "secret" "configMap" -}}
{{- with get (get $files $name | default dict) $kind -}}
{{- $ref := dict "parameter" $parameter "name" (first (splitList "/" .)) "key" (last (splitList "/" .)) -}}
{{- $_ := set $refs $kind (append (get $refs $kind) $ref) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $refs.secret }}
secretTargetRef:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $refs.configMap }}
configMapTargetRef:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
