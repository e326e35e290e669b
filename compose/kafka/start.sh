#!/bin/bash
# Starts the broker of the image, on a log with an id of its own.
#
# The image would give every log the same cluster id. By it the store tells that it was moved to another log, and a reader's
# browser that its place in the stream means nothing here. A log that stands keeps the id that is written in it.
set -euo pipefail

written=$KAFKA_LOG_DIRS/meta.properties
if [ -e "$written" ]; then
    CLUSTER_ID=$(sed -n 's/^cluster\.id=//p' "$written")
else
    CLUSTER_ID=$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | tr -d =)
fi
export CLUSTER_ID
exec /etc/kafka/docker/run
