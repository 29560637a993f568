"""Follows the events of a job with httpx-sse until it has ended, and prints each id.

httpx-sse leaves reconnecting to its user: this is the loop of its documentation, without its back-off.
"""
import sys
import time

import httpx
import httpx_sse

last_id, retry_seconds = "", 2.0
with httpx.Client(timeout=httpx.Timeout(5, read=60)) as client:
    while True:
        try:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            with httpx_sse.connect_sse(client, "GET", sys.argv[1], headers=headers) as source:
                if source.response.status_code == 204:
                    sys.exit(0)
                for event in source.iter_sse():
                    last_id = event.id
                    if event.retry is not None:
                        retry_seconds = event.retry / 1000
                    if event.data:
                        print(event.id, flush=True)
        except httpx.TransportError:
            pass
        time.sleep(retry_seconds)
