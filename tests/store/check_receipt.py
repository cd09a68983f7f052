#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# An independent reader of exit receipts: base45 (RFC 9285) by hand, the rest in cose.py.
#
#     check_receipt.py TEXT PUBLIC-KEY-HEX FOLDER   prints the fields, one "key value" a line

import sys

import cose

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def base45(text):
    data = b""
    for at in range(0, len(text), 3):
        group = text[at:at + 3]
        value = sum(ALPHABET.index(c) * 45 ** n for n, c in enumerate(group))
        data += value.to_bytes(len(group) - 1, "big")
    return data


def main():
    text, public, folder = sys.argv[1:]
    assert text.startswith("EGX1:")
    cose.show(cose.verify(base45(text[5:]), public, b"egress/exit/v1", folder))


main()
