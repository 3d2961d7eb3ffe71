#!/bin/sh
set -eu
# shellcheck disable=SC2086 # several options in one variable
exec java $JAVA_OPTS_APPEND -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dquarkus.http.host=0.0.0.0 \
  -jar /deployments/apicurio-registry-app-3.0.9-runner.jar
