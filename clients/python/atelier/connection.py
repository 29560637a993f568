"""HTTP requests: errors as exceptions, and repeats of what can succeed later."""

from __future__ import annotations

import email.utils
import http.client
import json
import time
import urllib.error
import urllib.request
from typing import IO, Any, Mapping, Optional, Union

#: What is sent: JSON is encoded before. A file is sent from its start, again for each attempt.
Body = Union[bytes, IO[bytes], None]

TRANSIENT = (429, 502, 503, 504)
#: Longest time to repeat a request: while the service sends errors, and while it cannot be reached.
RESPONSE_PATIENCE_S, CONNECTION_PATIENCE_S = 60.0, 5.0
FIRST_BACKOFF_S = 0.25
#: Longest silence of the service. It checks an upload of a gigabyte in a few minutes before it responds.
TIMEOUT_S = 600.0
NO_HEADERS: Mapping[str, str] = {}


class ServiceError(Exception):
    """The service, or a proxy before it, rejected a request.

    `status` is the HTTP status. `problem` is the problem document (RFC 9457), or empty if a proxy sent the response;
    `code` is its error code.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: Optional[float] = None) -> None:
        super().__init__(_text(status, problem))
        self.status = status
        self.problem = problem
        self.code: Optional[str] = problem.get("code")
        self.retry_after = retry_after

    @property
    def is_transient(self) -> bool:
        """Whether the same request can succeed later."""
        return self.status in TRANSIENT or self.code == "request-in-flight"


class Unreachable(ConnectionError):
    """The service could not be reached, or the connection was lost before the end of the response."""


def _text(status: int, problem: Mapping[str, Any]) -> str:
    """The detail, and a line for each place in the request that is wrong."""
    if "detail" not in problem:
        return f"The response has status {status}, without a problem document."
    places = [f"{each.get('pointer') or each.get('parameter')}: {each['detail']}" for each in problem.get("errors", ())]
    detail = str(problem["detail"])
    for place in places:
        detail = detail.replace(f" {place}", "")
    return "\n  ".join([detail, *places])


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, without the key to another host, such as the sign-in page of a proxy, or in clear text."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> Optional[urllib.request.Request]:
        redirected = super().redirect_request(req, fp, code, msg, headers, newurl)
        if redirected and (redirected.host != req.host or (req.type == "https" and redirected.type != "https")):
            redirected.remove_header("Authorization")
        return redirected


_opener = urllib.request.build_opener(_Redirects)


class Connection:
    """Sends requests to one service."""

    def __init__(self, url: str, key: Optional[str]) -> None:
        self.url = (url if "://" in url else f"http://{url}").rstrip("/")
        self._authorization = {"Authorization": f"Bearer {key}"} if key else {}

    def open(
        self,
        method: str,
        path: str,
        body: Body = None,
        headers: Mapping[str, str] = NO_HEADERS,
        timeout: float = TIMEOUT_S,
    ) -> http.client.HTTPResponse:
        """Sends a request once. Raises ServiceError for a status of 400 or more, and Unreachable."""
        if body is not None and not isinstance(body, bytes):
            body.seek(0)
        request = urllib.request.Request(self.url + path, body, {**self._authorization, **headers}, method=method)
        try:
            response: http.client.HTTPResponse = _opener.open(request, timeout=timeout)
            return response
        except urllib.error.HTTPError as error:
            with error:
                raise _service_error(error) from None
        except (OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise Unreachable(f"The service at {self.url} cannot be reached: {reason}.") from error

    def send(self, method: str, path: str, body: Body = None, headers: Mapping[str, str] = NO_HEADERS) -> bytes:
        """Sends a request, and again while the error can pass. Returns the body of the response."""
        start, backoff = time.monotonic(), FIRST_BACKOFF_S
        while True:
            try:
                with self.open(method, path, body, headers) as response:
                    return _read(response)
            except (ServiceError, Unreachable) as error:
                delay, patience = backoff, CONNECTION_PATIENCE_S
                if isinstance(error, ServiceError):
                    if not error.is_transient:
                        raise
                    delay, patience = (backoff if error.retry_after is None else error.retry_after), RESPONSE_PATIENCE_S
                if time.monotonic() - start + delay > patience:
                    raise
            time.sleep(delay)
            backoff *= 2

    def json(
        self, method: str, path: str, body: Optional[Mapping[str, Any]], headers: Mapping[str, str] = NO_HEADERS
    ) -> Any:
        """Like `send`, for JSON in both directions."""
        sent = None if body is None else json.dumps(body).encode()
        content = {} if body is None else {"Content-Type": "application/json"}
        return json.loads(self.send(method, path, sent, {**content, **headers}))


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"The connection was lost before the end of the response: {error!r}.") from error


def _service_error(error: urllib.error.HTTPError) -> ServiceError:
    problem: Mapping[str, Any] = {}
    if error.headers.get_content_type() == "application/problem+json":
        try:
            problem = json.loads(error.read())
        except (OSError, ValueError, http.client.HTTPException):
            pass  # The status is known, although the connection was lost.
    return ServiceError(error.code, problem, _retry_after(error.headers.get("Retry-After")))


def _retry_after(value: Optional[str]) -> Optional[float]:
    """RFC 9110, section 10.2.3: seconds, or a date."""
    if value is None:
        return None
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
