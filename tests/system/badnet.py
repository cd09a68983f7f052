#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# The bad company of tests/system/test_network.sh.
#
#   badnet.py dns ADDRESS MODE_FILE    a name server; the file says how it answers:
#                                      an IPv4 address (to every question for one), nxdomain, silent
#   badnet.py portal ADDRESS PORT ANSWER [CERT KEY]
#                                      a captive portal: ANSWER is 200, 204 or 302; with a
#                                      certificate of its own it speaks TLS

import socket
import ssl
import struct
import sys
import threading

PAGE = b"<html><title>Free airport WiFi</title>" + b"<p>Please accept our terms.</p>" * 200 + b"</html>"
HEADS = {
    "200": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE,
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "302": b"HTTP/1.1 302 Found\r\nLocation: http://portal.test/login\r\nContent-Length: 0\r\n\r\n",
}


def dns(address, mode_file):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        question, client = server.recvfrom(512)
        mode = open(mode_file, encoding="ascii").read().strip()
        end = 12
        while question[end] != 0:
            end += question[end] + 1
        (kind,) = struct.unpack(">H", question[end + 1:end + 3])
        asked = question[12:end + 5]
        if mode == "silent":
            continue
        if mode == "nxdomain":
            answer, code, count = b"", 3, 0
        elif kind == 1:
            answer = b"\xc0\x0c\x00\x01\x00\x01" + struct.pack(">IH", 0, 4) + socket.inet_aton(mode)
            code, count = 0, 1
        else:
            answer, code, count = b"", 0, 0
        head = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, count, 0, 0)
        server.sendto(head + asked + answer, client)


def serve(client, tls, answer):
    try:
        client.settimeout(20)
        if tls is not None:
            client = tls.wrap_socket(client, server_side=True)
        client.recv(65536)
        client.sendall(HEADS[answer])
        client.recv(65536)
    except OSError:
        pass
    client.close()


def portal(address, port, answer, *cert):
    tls = None
    if cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*cert)
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, int(port)))
    server.listen()
    while True:
        threading.Thread(target=serve, args=(server.accept()[0], tls, answer), daemon=True).start()


{"dns": dns, "portal": portal}[sys.argv[1]](*sys.argv[2:])
