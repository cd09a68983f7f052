#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# An independent reader of the manifest's wire form (cose.py).
#
#     check_manifest.py FILE PUBLIC-KEY-HEX FOLDER   prints the statement, one "key value" a line

import hashlib
import sys

import cose


def main():
    path, public, folder = sys.argv[1:]
    with open(path, "rb") as file:
        message, sealed = cose.whole(file.read())
    statement = cose.verify(message, public, b"egress/manifest/v1", folder)
    assert statement[6] == hashlib.sha256(sealed).digest() and statement[7] == len(sealed)
    cose.show(statement)


main()
