"""Exit status 0 when the server of this machine is ready: for HEALTHCHECK and scripts.

Asks /readyz on PORT under the name in SITE_URL, the one that the server surely accepts.
"""

from __future__ import annotations

import http.client
import os
import sys
from urllib.parse import urlsplit


def main() -> None:
    port = int(os.environ.get("PORT", "8000"))
    host = urlsplit(os.environ.get("SITE_URL", "")).netloc or f"127.0.0.1:{port}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/readyz", headers={"Host": host})
        response = connection.getresponse()
    except OSError as error:
        sys.exit(f"Nothing answers on port {port}: {error}")
    if response.status != 200:
        sys.exit(f"Not ready: {response.read(1000).decode(errors='replace')}")


if __name__ == "__main__":
    main()
