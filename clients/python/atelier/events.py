"""Server-sent events of a job, over lost connections and restarts of the service."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any, Dict, Iterator

from .connection import Connection, ServiceError, Unreachable

#: Longest time without a connection.
PATIENCE_S = 300.0
#: The service sends a comment every 15 seconds, so a connection that is silent for longer is lost.
SILENCE_S = 60.0
FIRST_RETRY_S = 1.0
ENDED = ("succeeded", "failed", "cancelled")


def follow_events(connection: Connection, path: str) -> Iterator[Dict[str, Any]]:
    """Yields each event once and in order, and returns after the last one.

    Reconnects with `Last-Event-ID`. Raises ServiceError, such as 410 for deleted events, and Unreachable after five
    minutes without a connection.
    """
    last_id, retry_s, last_contact = "0", FIRST_RETRY_S, time.monotonic()
    while True:
        try:
            headers = {"Accept": "text/event-stream", "Last-Event-ID": last_id}
            with connection.open("GET", f"{path}/events", headers=headers, timeout=SILENCE_S) as response:
                if response.status == 204:
                    return
                for message in _messages(response):
                    last_contact = time.monotonic()
                    if "retry" in message:
                        retry_s = int(message["retry"]) / 1000
                    if "id" not in message or "data" not in message:
                        continue
                    last_id = message["id"]
                    event = json.loads(message["data"])
                    yield event
                    if event["type"] == "status" and event["data"]["to"] in ENDED:
                        return
        except ServiceError as error:
            if not error.is_transient:
                raise
            reason: Exception = error
        except (OSError, http.client.HTTPException) as error:
            reason = error
        else:
            reason = EOFError("The stream ended.")
        if time.monotonic() - last_contact > PATIENCE_S:
            raise Unreachable(f"No connection for five minutes. {reason}") from reason
        time.sleep(retry_s)


def _messages(response: http.client.HTTPResponse) -> Iterator[Dict[str, str]]:
    """The fields of each message. An incomplete one at the end is dropped, as the specification demands."""
    fields: Dict[str, str] = {}
    for bytes_of_line in response:
        if not bytes_of_line.endswith(b"\n"):
            return
        name, colon, value = bytes_of_line.decode().rstrip("\r\n").partition(":")
        value = value[1:] if value.startswith(" ") else value
        if colon and name in ("", "retry"):
            # `retry` holds at once. A comment, whose name is empty, shows that the connection is open.
            yield {name: value}
        elif name:
            fields[name] = value
        else:
            yield fields
            fields = {}
