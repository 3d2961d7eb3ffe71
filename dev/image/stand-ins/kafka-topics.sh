#!/bin/sh
# Kafka's tools are not among the packages of its server: this says by the log whether it answers.
exec grep -q 'Kafka Server started' /opt/kafka/logs/server.log
