#!/bin/bash
# Healthy: this mongod is the primary of its replica set. After each start it is asked so once, and the set is founded if
# there is none yet; from then on it is enough that mongod answers, which it does even to HTTP, because starting mongosh
# costs a core for a second at every check.
set -euo pipefail

asked=/tmp/was-primary
if [ -e "$asked" ]; then
    exec 3<>/dev/tcp/127.0.0.1/27017
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    timeout 3 grep -aq MongoDB <&3
    exit
fi

mongosh --quiet --norc --eval '
try {
    rs.status();
} catch (error) {
    if (error.codeName !== "NotYetInitialized") throw error;
    rs.initiate({_id: "newsroom", members: [{_id: 0, host: "mongo:27017"}]});
}
if (!db.hello().isWritablePrimary) quit(1);
'
touch "$asked"
