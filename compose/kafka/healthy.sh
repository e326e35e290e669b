#!/bin/bash
# Healthy: the broker answers an ApiVersions request (Kafka protocol, version 0) without an error. Spoken by hand, because
# each of Kafka's own tools starts a Java machine, which costs a core for seconds at every check.
set -euo pipefail

exec 3<>/dev/tcp/127.0.0.1/9092
# Length 10; api 18, version 0; correlation id 7; no client id.
printf '\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff' >&3
# Length; correlation id; error code.
answer=$(timeout 3 head -c 10 <&3 | od -An -tx1 | tr -d ' \n')
[[ ${answer:8} == 000000070000 ]]
