#!/usr/bin/env bash
# HEALTHCHECK of the image: whether GET /health/ready gets the status 200. Prints the body of the response.
# The image has no curl, and a second process of Node would take 60 MB; bash opens the connection itself.
# HTTP/1.0, so that the body has no chunks.
exec 3<>"/dev/tcp/$HOST/$PORT" || exit 1
printf 'GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -d '' -t 4 response <&3
printf '%s\n' "${response##*$'\n'}"
[[ $response == 'HTTP/1.1 200 '* ]]
