"""The health check of a service's container: leaves with 0 where `/health/ready` on the given port answers
200.

Run as `python -ES is_ready.py 8001` inside the container. It speaks HTTP over a plain socket, because the
image has no curl and importing an HTTP client costs more than the check itself.
"""

import socket
import sys

TIMEOUT_SECONDS = 4


def main(port: int) -> int:
    """0: ready. 1: it said otherwise, which is printed for `docker inspect`.

    A service that does not listen raises.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as answer:
            status = answer.readline().split(b" ")
            if status[1:2] == [b"200"]:
                return 0
            print(answer.read().decode(errors="replace"))
            return 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
