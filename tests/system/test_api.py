#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# net/api.yaml and the centre say the same: each route of net/central/centrald/routes.c stands in
# the contract with its method, its body's type, whether it takes a certificate, and the reverse;
# each status that a route's handler answers with by itself is listed there. The file is read by
# its indentation, which this test also checks: no YAML reader is at hand, and none is needed.

import os
import re
import sys

SOURCE = os.environ["EGRESS_SOURCE"]
DEFAULT = {400, 401, 403, 404, 405, 413, 415, 500, 503}  # the gates', under "default"
problems = []


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def contract():
    """{(METHOD, path): [lines of the operation]} and {request body name: lines}"""
    operations, section, path, method = {}, None, None, None
    for number, line in enumerate(read("net/api.yaml").splitlines(), 1):
        if "\t" in line:
            problems.append(f"api.yaml:{number}: a tab")
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if indent == 0:
            section, path, method = line.rstrip(":"), None, None
        elif section == "paths":
            if indent % 2:
                problems.append(f"api.yaml:{number}: indented by {indent} blanks")
            if indent == 2:
                path, method = line.strip().rstrip(":"), None
            elif indent == 4:
                method = line.strip().rstrip(":").upper()
                if (method, path) in operations:
                    problems.append(f"api.yaml:{number}: {method} {path} stands there twice")
                operations[method, path] = []
            else:
                operations[method, path].append(line)
    return operations


def routes():
    """[(METHOD, path, needs a certificate, content type, handler)]"""
    text = read("net/central/centrald/routes.c")
    table = text[text.index("routes[] = {"):text.index("};")]
    found = re.findall(
        r'\{"(\w+)",\s*"([^"]+)",\s*(true|false),\s*(?:"([^"]+)"|NULL),\s*\w+,\s*(\w+)\}', table)
    if len(found) != table.count('{"'):
        problems.append("routes.c: a route that this test cannot read")
    return found


def handlers():
    """{function: statuses that it and what it calls in its file answer with}"""
    numbers = {
        "OK": 200, "CREATED": 201, "NO_CONTENT": 204, "PARTIAL_CONTENT": 206,
        "NOT_MODIFIED": 304, "BAD_REQUEST": 400, "UNAUTHORIZED": 401, "FORBIDDEN": 403,
        "NOT_FOUND": 404, "CONFLICT": 409, "CONTENT_TOO_LARGE": 413,
        "RANGE_NOT_SATISFIABLE": 416, "UNPROCESSABLE_CONTENT": 422,
        "TOO_MANY_REQUESTS": 429, "INTERNAL_SERVER_ERROR": 500, "SERVICE_UNAVAILABLE": 503,
    }
    folder = os.path.join(SOURCE, "net/central/centrald")
    body = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".c") and name not in ("reply.c", "gates.c", "peer.c", "routes.c"):
            text = read("net/central/centrald/" + name)
            for match in re.finditer(r"^[\w ][^\n;]*?\b\**(\w+)\([^;{]*?\)\n\{\n(.*?)^\}", text,
                                     re.M | re.S):
                body[match.group(1)] = match.group(2)
    answers = {}
    for name in body:
        seen, queue, statuses = set(), [name], set()
        while queue:
            one = queue.pop()
            if one in seen or one not in body:
                continue
            seen.add(one)
            for word in re.findall(r"MHD_HTTP_([A-Z_]+)", body[one]):
                if word in numbers:
                    statuses.add(numbers[word])
                elif not word.startswith(("HEADER_", "METHOD_")):
                    problems.append(f"{one}: MHD_HTTP_{word} is not known to this test")
            queue += re.findall(r"\b(\w+)\(", body[one])
        answers[name] = statuses
    return answers


def check(operations, table, answers):
    served = {}
    for method, path, booth, kind, handler in table:
        key = (method, path + "{id}" if path.endswith("/") else path)
        served[key] = handler
        if key not in operations:
            problems.append(f"routes.c serves {key[0]} {key[1]}, api.yaml does not know it")
            continue
        text = "\n".join(operations[key])
        where = f"{key[0]} {key[1]}"
        open_to_all = "security: []" in text or "- token: []" in text
        if open_to_all == (booth == "true"):
            problems.append(f"{where}: with or without a certificate? The two do not agree")
        if kind == "application/pkcs10":
            body = "requestBodies/Request" in text
        else:
            body = kind in text if kind else "requestBody" not in text
        if not body:
            problems.append(f"{where}: the type of the body ({kind or 'none'}) differs")
        listed = {int(n) for n in re.findall(r'^        "(\d+)":', text, re.M)}
        if "        default:" not in text:
            problems.append(f"{where}: no default answer")
        for status in sorted(answers.get(handler, set()) - listed - DEFAULT):
            problems.append(f"{where}: {handler} answers {status}, api.yaml does not list it")
        for status in sorted(listed - answers.get(handler, set()) - DEFAULT):
            problems.append(f"{where}: api.yaml lists {status}, {handler} never answers it")
        if not {s for s in answers.get(handler, set()) if s < 300}:
            problems.append(f"{where}: no answer of {handler} was found: is the test blind?")
    for method, path in sorted(set(operations) - set(served)):
        problems.append(f"api.yaml has {method} {path}, routes.c does not serve it")


check(contract(), routes(), handlers())
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
