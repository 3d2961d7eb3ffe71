#!/bin/sh
# Does what the start script of Apache Kafka's image does: turns KAFKA_* into server.properties, formats the storage
# and runs the broker.
set -eu
config=/opt/kafka/config/server.properties
env | grep '^KAFKA_' | grep -v '^KAFKA_HEAP_OPTS=' | while IFS='=' read -r name value; do
  key=$(echo "${name#KAFKA_}" | tr '[:upper:]' '[:lower:]' | sed 's/___/-/g; s/__/+/g; s/_/./g; s/+/_/g')
  echo "$key=$value"
done >"$config"
java -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted --cluster-id="$CLUSTER_ID" -c "$config"
# Logs to a file, which the health check reads.
# shellcheck disable=SC2086 # several options in one variable
exec java $KAFKA_HEAP_OPTS -XX:+UseSerialGC -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.properties \
  -cp '/opt/kafka/libs/*' kafka.Kafka "$config" >/opt/kafka/logs/server.log 2>&1
