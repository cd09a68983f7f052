# SPDX-License-Identifier: Apache-2.0
#
# An independent reader of signed messages: its own CBOR decoder (RFC 8949), the Sig_structure of
# RFC 9052 §4.4 put together by hand, ES256 checked by the openssl command and SHA-256 by hashlib.

import hashlib
import os
import subprocess


def decode(data, at):
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if info < 24:
        value = info
    elif info <= 27:
        size = 1 << (info - 24)
        value = int.from_bytes(data[at:at + size], "big")
        at += size
    else:
        raise ValueError("indefinite length")
    if major == 0:
        return value, at
    if major == 1:
        return -1 - value, at
    if major in (2, 3):
        if at + value > len(data):
            raise ValueError("cut short")
        piece = bytes(data[at:at + value])
        return (piece if major == 2 else piece.decode()), at + value
    if major == 4:
        items = []
        for _ in range(value):
            item, at = decode(data, at)
            items.append(item)
        return items, at
    if major == 5:
        items = {}
        for _ in range(value):
            key, at = decode(data, at)
            items[key], at = decode(data, at)
        return items, at
    if major == 6:
        item, at = decode(data, at)
        return (value, item), at
    raise ValueError("major type 7")


def whole(data):
    item, end = decode(data, 0)
    if end != len(data):
        raise ValueError("bytes left over")
    return item


def bstr(data):
    n = len(data)
    if n < 24:
        return bytes([0x40 | n]) + data
    if n < 256:
        return bytes([0x58, n]) + data
    return bytes([0x59]) + n.to_bytes(2, "big") + data


def der_integer(raw):
    raw = raw.lstrip(b"\0") or b"\0"
    if raw[0] & 0x80:
        raw = b"\0" + raw
    return bytes([2, len(raw)]) + raw


# The payload of a COSE_Sign1, decoded, after its signature by the public key (hex) was verified.
def verify(message, public, aad, folder):
    tag, (protected, unprotected, payload, signature) = whole(message)
    assert tag == 18 and unprotected == {} and len(signature) == 64
    header = whole(protected)
    assert header == {1: -7, 4: hashlib.sha256(bytes.fromhex(public)).digest()[:8]}

    signed = b"\x84" + b"\x6aSignature1" + bstr(protected) + bstr(aad) + bstr(payload)
    pair = der_integer(signature[:32]) + der_integer(signature[32:])
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200" + public)
    for name, content in (("signed", signed), ("sig", bytes([0x30, len(pair)]) + pair), ("pub", spki)):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    subprocess.run(["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify",
                    os.path.join(folder, "pub"), "-signature", os.path.join(folder, "sig"),
                    os.path.join(folder, "signed")], check=True, stdout=subprocess.DEVNULL)
    return whole(payload)


def show(fields):
    for key in sorted(fields):
        value = fields[key]
        print(key, value.hex() if isinstance(value, bytes) else value)
