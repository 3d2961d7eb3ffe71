#!/bin/sh
# Kafka's command-line tools are not among the packages of its server, so this checks the log instead.
exec grep -q 'Kafka Server started' /opt/kafka/logs/server.log
