#!/usr/bin/env python3
"""live-client.py TOKEN [URL]: prints the live feed's frames, one a line, until Ctrl-C.

For trying things out on a machine with nothing but Python; any WebSocket client does. URL is ws://HOST:PORT/PATH,
default ws://127.0.0.1:4000/v1/live. It asks for nothing that is optional, so that every message is plain UTF-8.
Environment: none
"""

import base64
import os
import socket
import struct
import sys
import urllib.parse

CLOSE, PING, PONG = 0x8, 0x9, 0xA


def connect(url, token):
    """Opens the connection and performs RFC 6455's handshake; returns a buffered reader and the socket."""
    parts = urllib.parse.urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port or 80), timeout=10)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    reader = connection.makefile("rb")
    status = reader.readline().decode().strip()
    headers = {}
    while (line := reader.readline().decode().strip()):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if " 101 " not in status + " ":
        body = reader.read(int(headers.get("content-length", 0))).decode(errors="replace")
        sys.exit(f"refused: {status} {body}".strip())
    connection.settimeout(None)
    return reader, connection


def send(connection, opcode, payload):
    """Sends a control frame, masked as a client's must be."""
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    connection.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked)


def read_exactly(reader, count):
    data = reader.read(count)
    if len(data) < count:
        sys.exit("the server went away")
    return data


def read_frame(reader):
    """Returns whether it ends its message, the opcode and the payload. A server's frames carry no mask."""
    first, second = read_exactly(reader, 2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", read_exactly(reader, 2))
    elif length == 127:
        (length,) = struct.unpack("!Q", read_exactly(reader, 8))
    return bool(first & 0x80), first & 0x0F, read_exactly(reader, length)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.splitlines()[0])
    url = sys.argv[2] if len(sys.argv) == 3 else "ws://127.0.0.1:4000/v1/live"
    reader, connection = connect(url, sys.argv[1])
    message = b""
    while True:
        final, opcode, payload = read_frame(reader)
        if opcode == PING:
            send(connection, PONG, payload)
        elif opcode == CLOSE:
            send(connection, CLOSE, payload[:2])
            code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
            sys.exit(f"closed by the server: {code} {payload[2:].decode(errors='replace')}".strip())
        elif opcode != PONG:
            message += payload
            if final:
                print(message.decode(), flush=True)
                message = b""


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"cannot reach the live feed: {error}")
    except KeyboardInterrupt:
        pass
