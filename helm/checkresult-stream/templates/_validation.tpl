{{/*
Values that cannot work together, found before anything is installed: {"errors": […]} in JSON. Each message says what is
wrong and how to fix it, and names the values.
*/}}
{{- define "checkresult.validationErrors" -}}
{{- $errors := concat
  (include "checkresult.settingErrors" . | fromJson).errors
  (include "checkresult.durationErrors" . | fromJson).errors
  (include "checkresult.credentialErrors" . | fromJson).errors
  (include "checkresult.secretErrors" . | fromJson).errors
  (include "checkresult.scalingErrors" . | fromJson).errors
  (include "checkresult.podErrors" . | fromJson).errors
  (include "checkresult.objectErrors" . | fromJson).errors -}}
{{- dict "errors" $errors | toJson -}}
{{- end -}}

{{- define "checkresult.settingErrors" -}}
{{- $errors := list -}}
{{- $facts := include "checkresult.facts" . | fromJson -}}
{{- range $name, $expectation := $facts.required -}}
{{- if not (get $.Values.settings $name) -}}
{{- $errors = append $errors (printf "settings.%s is not set: %s" $name $expectation) -}}
{{- end -}}
{{- end -}}
{{- $renamed := .Files.Get "files/renamed.json" | fromJson -}}
{{- range $name := keys .Values.extraEnv | sortAlpha -}}
{{- with get $renamed (trimSuffix "_FILE" $name) -}}
{{- $errors = append $errors (printf "extraEnv.%s was renamed: set settings.%s instead." $name .) -}}
{{- end -}}
{{- if has (trimSuffix "_FILE" $name) $facts.names | or (has $name $facts.names) -}}
{{- $errors = append $errors (printf "extraEnv.%s is a setting of the service. Set it under settings, secrets or files instead, where it is validated." $name) -}}
{{- end -}}
{{- end -}}
{{- if .Values.settings.KAFKA_GROUP_INSTANCE_ID -}}
{{- $errors = append $errors "settings.KAFKA_GROUP_INSTANCE_ID would be the same for all pods, but each needs its own. Remove it: staticMembership uses the name of the pod." -}}
{{- end -}}
{{- if eq (include "checkresult.setting" (dict "root" . "name" "OPS_PORT")) "0" -}}
{{- $errors = append $errors "settings.OPS_PORT is 0, which picks a random port. Set a port from 1 to 65535, because probes and Prometheus need to know it." -}}
{{- end -}}
{{- $files := include "checkresult.files" (dict "root" . "setup" false) | fromJson -}}
{{- if and (eq (include "checkresult.setting" (dict "root" . "name" "CHECKRESULT_QUOTA")) "redis") (not (hasKey $files "REDIS_URL")) -}}
{{- $errors = append $errors "settings.CHECKRESULT_QUOTA is redis, but the address of Redis is not set. Set secrets.REDIS_URL to a key in a Secret, as NAME/KEY." -}}
{{- end -}}
{{- $host := include "checkresult.setting" (dict "root" . "name" "OPS_HOST") -}}
{{- if or (hasPrefix "127." $host) (has $host (list "localhost" "::1")) -}}
{{- $errors = append $errors (printf "settings.OPS_HOST is %s, which probes and Prometheus cannot reach from outside the pod. Use for example 0.0.0.0." $host) -}}
{{- end -}}
{{- dict "errors" $errors | toJson -}}
{{- end -}}

{{/* Durations that the service would reject at start. The schema has checked their form, but not their range. */}}
{{- define "checkresult.durationErrors" -}}
{{- $errors := list -}}
{{- $facts := include "checkresult.facts" . | fromJson -}}
{{- $invalid := list -}}
{{- range $name, $fact := $facts.durations -}}
{{- $text := include "checkresult.setting" (dict "root" $ "name" $name) -}}
{{- $ms := include "checkresult.durationMs" $text | int64 -}}
{{- if or (lt $ms (int64 $fact.minMs)) (gt $ms (int64 $fact.maxMs)) -}}
{{- $errors = append $errors (printf "settings.%s is %q. %s" $name $text $fact.expectation) -}}
{{- $invalid = append $invalid $name -}}
{{- end -}}
{{- end -}}
{{- if not (or (has "SHUTDOWN_DEADLINE" $invalid) (has "CHECKRESULT_TIMEOUT" $invalid)) -}}
{{- $deadline := include "checkresult.setting" (dict "root" . "name" "SHUTDOWN_DEADLINE") -}}
{{- $timeout := include "checkresult.setting" (dict "root" . "name" "CHECKRESULT_TIMEOUT") -}}
{{- $after := int64 $facts.afterLastCallMs -}}
{{- $minMs := add (include "checkresult.durationMs" $timeout | int64) $after -}}
{{- if lt (include "checkresult.durationMs" $deadline | int64) $minMs -}}
{{- $example := ternary (printf "%ds" (div $minMs 1000)) (printf "%dms" $minMs) (eq (mod $minMs 1000) 0) -}}
{{- $errors = append $errors (printf "settings.SHUTDOWN_DEADLINE is %s, but CHECKRESULT_TIMEOUT is %s. Expected at least %ds more than one call may take, for example SHUTDOWN_DEADLINE=%s." $deadline $timeout (div $after 1000) $example) -}}
{{- end -}}
{{- end -}}
{{- dict "errors" $errors | toJson -}}
{{- end -}}

{{/* The milliseconds of a duration with its unit. 0 and off are 0. */}}
{{- define "checkresult.durationMs" -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $unitMs := get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000) $unit | default 0 -}}
{{- mul (trimSuffix $unit . | int64) $unitMs -}}
{{- end -}}

{{- define "checkresult.credentialErrors" -}}
{{- $errors := list -}}
{{- $settings := .Values.settings -}}
{{- $files := include "checkresult.files" (dict "root" . "setup" false) | fromJson -}}
{{- $key := hasKey $files "ALIBABA_CLOUD_ACCESS_KEY_ID" -}}
{{- $secret := hasKey $files "ALIBABA_CLOUD_ACCESS_KEY_SECRET" -}}
{{- $role := and $settings.ALIBABA_CLOUD_ROLE_ARN true -}}
{{- $provider := and $settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN true -}}
{{- $sources := list -}}
{{- if or $key $secret -}}{{- $sources = append $sources "an access key" -}}{{- end -}}
{{- if .Values.rrsa.roleName -}}{{- $sources = append $sources "rrsa.roleName" -}}{{- end -}}
{{- if or $role $provider -}}{{- $sources = append $sources "settings.ALIBABA_CLOUD_ROLE_ARN" -}}{{- end -}}
{{- if $settings.ALIBABA_CLOUD_PROFILE -}}{{- $sources = append $sources "settings.ALIBABA_CLOUD_PROFILE" -}}{{- end -}}
{{- if $settings.ALIBABA_CLOUD_ECS_METADATA -}}{{- $sources = append $sources "settings.ALIBABA_CLOUD_ECS_METADATA" -}}{{- end -}}
{{- if hasKey $files "ALIBABA_CLOUD_CREDENTIALS_URI" -}}{{- $sources = append $sources "ALIBABA_CLOUD_CREDENTIALS_URI" -}}{{- end -}}
{{- if not $sources -}}
{{- $errors = append $errors "No Alibaba Cloud credentials are set. Set an access key (secrets.ALIBABA_CLOUD_ACCESS_KEY_ID and secrets.ALIBABA_CLOUD_ACCESS_KEY_SECRET, each as NAME/KEY of a Secret) or a role (rrsa.roleName, or settings.ALIBABA_CLOUD_ROLE_ARN and settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN)." -}}
{{- end -}}
{{- if gt (len $sources) 1 -}}
{{- $errors = append $errors (printf "Several sources of credentials are set: %s. Keep only one of them." (join " and " $sources)) -}}
{{- end -}}
{{- if ne $key $secret -}}
{{- $errors = append $errors "Only half of the access key is set. Set both ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, under secrets or in externalSecret.data." -}}
{{- end -}}
{{- if ne (toString $role) (toString $provider) -}}
{{- if or $role $provider -}}
{{- $errors = append $errors "Only half of the OIDC role is set. Set both settings.ALIBABA_CLOUD_ROLE_ARN and settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN, or use rrsa.roleName instead." -}}
{{- end -}}
{{- end -}}
{{- dict "errors" $errors | toJson -}}
{{- end -}}

{{- define "checkresult.secretErrors" -}}
{{- $errors := list -}}
{{- with .Values.externalSecret -}}
{{- if and .enabled (not .store.name) -}}
{{- $errors = append $errors "externalSecret.enabled is true, but externalSecret.store.name is not set. Set it to the name of a SecretStore, or of a ClusterSecretStore with externalSecret.store.kind." -}}
{{- end -}}
{{- if and .enabled (not .data) -}}
{{- $errors = append $errors "externalSecret.enabled is true, but externalSecret.data is empty. Name at least one entry of the store, for example with externalSecret.data.ALIBABA_CLOUD_ACCESS_KEY_ID.key." -}}
{{- end -}}
{{- if and .data (not .enabled) -}}
{{- $errors = append $errors "externalSecret.data is set, but externalSecret.enabled is false. Set externalSecret.enabled=true, or remove externalSecret.data." -}}
{{- end -}}
{{- if .enabled -}}
{{- range $name := keys .data | sortAlpha -}}
{{- range $where := list "secrets" "files" -}}
{{- if hasKey (get $.Values $where) $name -}}
{{- $errors = append $errors (printf "%s is set twice, in %s and in externalSecret.data. Remove one of them." $name $where) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "errors" $errors | toJson -}}
{{- end -}}

{{- define "checkresult.scalingErrors" -}}
{{- $errors := list -}}
{{- with .Values.autoscaling -}}
{{- if ne .type "none" -}}
{{- $maxReplicas := int .maxReplicas -}}
{{- if gt (int .minReplicas) $maxReplicas -}}
{{- $errors = append $errors (printf "autoscaling.minReplicas is %d, but autoscaling.maxReplicas is %d. The minimum must not exceed the maximum." (int .minReplicas) $maxReplicas) -}}
{{- end -}}
{{- if gt $maxReplicas (int $.Values.partitions) -}}
{{- $errors = append $errors (printf "autoscaling.maxReplicas is %d, but the input topic has %d partitions. Set it to the number of partitions or less: additional replicas would have nothing to read." $maxReplicas (int $.Values.partitions)) -}}
{{- end -}}
{{- if gt $maxReplicas 16 -}}
{{- $errors = append $errors (printf "autoscaling.maxReplicas is %d, but partitions are assigned in 16 shards. Set it to 16 or less: additional replicas would have nothing to read." $maxReplicas) -}}
{{- end -}}
{{- $qps := include "checkresult.setting" (dict "root" $ "name" "CHECKRESULT_QPS") -}}
{{- if and (ne $qps "unlimited") (gt $maxReplicas (int $qps)) -}}
{{- $errors = append $errors (printf "autoscaling.maxReplicas is %d, but settings.CHECKRESULT_QPS is %s. Set it to CHECKRESULT_QPS or less: additional replicas would have no share of the quota." $maxReplicas $qps) -}}
{{- end -}}
{{- end -}}
{{- $mechanism := include "checkresult.setting" (dict "root" $ "name" "KAFKA_SASL_MECHANISM") -}}
{{- $files := include "checkresult.files" (dict "root" $ "setup" false) | fromJson -}}
{{- if and (eq .type "keda") (not .keda.authenticationRef.name) -}}
{{- if and (eq $mechanism "oauthbearer") (hasKey $files "KAFKA_SASL_OAUTH_TOKEN_FILE") -}}
{{- $errors = append $errors "KEDA cannot log in to Kafka with a token from a file. Create a TriggerAuthentication and set autoscaling.keda.authenticationRef.name." -}}
{{- end -}}
{{- range $name, $source := $files -}}
{{- if and (hasPrefix "KAFKA_" $name) (not $source.secret) (not $source.configMap) (ne $name "KAFKA_SASL_OAUTH_TOKEN_FILE") -}}
{{- $errors = append $errors (printf "KEDA cannot read files.%s from inside the pod. Refer to a key in a Secret or ConfigMap, or create a TriggerAuthentication and set autoscaling.keda.authenticationRef.name." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "errors" $errors | toJson -}}
{{- end -}}

{{- define "checkresult.podErrors" -}}
{{- $errors := list -}}
{{- with .Values.image -}}
{{- if and (eq .tag "latest") (not .digest) -}}
{{- $errors = append $errors "image.tag is latest, which can be a different image at the next pull. Set a version, or better image.digest." -}}
{{- end -}}
{{- end -}}
{{- $minGrace := include "checkresult.minGracePeriod" . | int -}}
{{- $grace := .Values.terminationGracePeriodSeconds -}}
{{- if and (not (kindIs "invalid" $grace)) (lt (int $grace) $minGrace) -}}
{{- $deadline := include "checkresult.setting" (dict "root" . "name" "SHUTDOWN_DEADLINE") -}}
{{- $errors = append $errors (printf "terminationGracePeriodSeconds is %d, but the service may need SHUTDOWN_DEADLINE=%s to stop. Set it to at least %d, or to null." (int $grace) $deadline $minGrace) -}}
{{- end -}}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString -}}
{{- $unit := regexFind "(Mi|Gi)$" $limit -}}
{{- if $unit -}}
{{- $mib := mul (trimSuffix $unit $limit | float64) (ternary 1024 1 (eq $unit "Gi")) -}}
{{- $needed := add .Values.heap.oldSpaceMiB 128 -}}
{{- if lt $mib $needed -}}
{{- $errors = append $errors (printf "resources.limits.memory is %s, but heap.oldSpaceMiB is %d. Set the limit to at least %dMi: the heap and 128 MiB for everything else." $limit (int .Values.heap.oldSpaceMiB) $needed) -}}
{{- end -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- $errors = append $errors "serviceAccount.create is false, but serviceAccount.name is not set. Set it to the name of an existing ServiceAccount." -}}
{{- end -}}
{{- dict "errors" $errors | toJson -}}
{{- end -}}

{{- define "checkresult.objectErrors" -}}
{{- $errors := list -}}
{{- if and .Values.podMonitor.enabled .Values.serviceMonitor.enabled -}}
{{- $errors = append $errors "podMonitor.enabled and serviceMonitor.enabled are both true, so Prometheus would count everything twice. Enable only one of them." -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.service.enabled) -}}
{{- $errors = append $errors "serviceMonitor.enabled is true, but service.enabled is false. Set service.enabled=true, or enable podMonitor instead." -}}
{{- end -}}
{{- with .Values.podDisruptionBudget -}}
{{- if and .enabled (not (kindIs "invalid" .minAvailable)) (not (kindIs "invalid" .maxUnavailable)) -}}
{{- $errors = append $errors "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable are both set. Set only one of them." -}}
{{- end -}}
{{- end -}}
{{- dict "errors" $errors | toJson -}}
{{- end -}}

{{/* The minimum termination grace period in seconds: SHUTDOWN_DEADLINE, and ten more for the kubelet. */}}
{{- define "checkresult.minGracePeriod" -}}
{{- $deadline := include "checkresult.setting" (dict "root" . "name" "SHUTDOWN_DEADLINE") -}}
{{- add (ceil (mulf (include "checkresult.durationMs" $deadline | float64) 0.001)) 10 -}}
{{- end -}}
