#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# usage: lint.py format|banned|includes|headers|symbols|readmes|self-test
#
# Rules of the house that no compiler checks (CONTRIBUTING.md). Looks at every tracked file and at
# new ones that are not ignored, below $EGRESS_SOURCE; `symbols` looks at the libraries in
# $EGRESS_BUILD. Prints one line a finding, "file:line: what"; exits 1 when there is one.
# `self-test` makes small bad trees in the working folder and wants each rule to find its fault.

import os
import re
import subprocess
import sys
import tempfile

LINES_MAX = 600
ALLOC_FREE = {"firmware/base/mem.c"}
LAYERS = ["firmware/base", "drivers", "capture", "match", "store", "net"]

BANNED = [
    "strcpy", "strcat", "stpcpy", "sprintf", "vsprintf", "strtok", "strtok_r", "atoi", "atol",
    "atoll", "atof", "gets", "system", "popen", "alloca", "scanf", "fscanf", "sscanf", "vscanf",
    "vsscanf", "vfscanf", "mktemp", "tmpnam",
]
ALLOCATORS = ["malloc", "calloc", "realloc", "strdup", "strndup", "reallocarray"]

# Header → the files (or folders, with a slash) that may include it. Tests may include anything.
WRAPPED = [
    (r"curl/", ["net/http.c"]),
    (r"(mbedtls|psa)/", ["firmware/base/crypto.c", "net/identity.c", "net/central/ca.c",
                       "net/central/ca_", "net/est"]),
    (r"argon2\.h", ["firmware/pin/pin.c"]),
    (r"openssl/", ["net/tlskey", "net/http.c"]),
    (r"sqlite3\.h", ["store/", "net/central/"]),
]

# In pieces, so that this file is clean itself.
REGISTRIES = [".".join(name) for name in (
    ("registry", "npmjs", "org"), ("pypi", "org"), ("files", "pythonhosted", "org"),
    ("deb", "debian", "org"), ("snapshot", "debian", "org"), ("static", "crates", "io"),
    ("proxy", "golang", "org"), ("registry", "yarnpkg", "com"),
)]

CODE = (".c", ".h", ".cpp", ".hpp")


class Tree:
    """The files under a folder, as git sees them, and their text."""

    def __init__(self, root):
        self.root = root
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], cwd=root, check=True, capture_output=True).stdout
        names = {name.decode() for name in listed.split(b"\0") if name}
        self.files = sorted(n for n in names if os.path.isfile(os.path.join(root, n))
                            and not os.path.islink(os.path.join(root, n)))

    def code(self, suffixes=CODE):
        return [name for name in self.files if name.endswith(suffixes)]

    def text(self, name):
        with open(os.path.join(self.root, name), "rb") as file:
            return file.read().decode("utf-8", "replace")


def without_comments(text):
    """Code with comments and the insides of literals blanked, line numbers kept."""
    def blank(match):
        found = match.group(0)
        if found.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", found)
        return found[0] + " " * (len(found) - 2) + found[-1]
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def is_cpp_wrapper(name):
    return name.endswith(("_opencv.cpp", "_libcamera.cpp"))


def check_format(tree):
    files = tree.code()
    if not files:
        return
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=tree.root,
                          capture_output=True, text=True, check=False)
    for line in done.stderr.splitlines():
        if "error:" in line:
            yield line
    if done.returncode != 0 and "error:" not in done.stderr:
        yield f"clang-format: {done.stderr.strip()}"


def check_calls(tree):
    plain = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    raw = re.compile(r"(?<![\w.>])(" + "|".join(ALLOCATORS) + r")\s*\(")
    for name in tree.code():
        own_memory = name in ALLOC_FREE or is_cpp_wrapper(name) or name.startswith("tests/")
        for number, line in enumerate(without_comments(tree.text(name)).split("\n"), 1):
            for found in plain.finditer(line):
                yield f"{name}:{number}: {found.group(1)}() is banned"
            for found in () if own_memory else raw.finditer(line):
                yield f"{name}:{number}: {found.group(1)}(): use eg_calloc and friends (base/mem.h)"
            if re.search(r"\bassert\s*\(\s*(0|false)\s*\)", line):
                yield f"{name}:{number}: an assert that always fails: return an error"


def check_wrapped(tree):
    for name in tree.code():
        if name.startswith("tests/"):
            continue
        for number, line in enumerate(tree.text(name).split("\n"), 1):
            for pattern, allowed in WRAPPED:
                if re.match(r'\s*#\s*include\s*[<"]' + pattern, line) and \
                        not name.startswith(tuple(allowed)):
                    yield f"{name}:{number}: may be included only in {', '.join(allowed)}"


def needs_licence(tree, name):
    base = os.path.basename(name)
    if "/corpus/" in name:
        return False
    return name.endswith(CODE + (".py", ".sh", ".cmake", ".js", ".mjs")) or \
        base == "CMakeLists.txt" or tree.text(name).startswith("#!")


def check_files(tree):
    for name in tree.files:
        text = tree.text(name)
        lines = text.split("\n")
        if needs_licence(tree, name) and \
                not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:3]):
            yield f"{name}:1: no SPDX line among the first three"
        if name.endswith(CODE + (".py", ".sh", ".js")) and len(lines) - 1 > LINES_MAX:
            yield f"{name}: {len(lines) - 1} lines, more than {LINES_MAX}"
        for number, line in enumerate(lines, 1):
            for host in REGISTRIES:
                if host in line:
                    yield f"{name}:{number}: names a package registry's host"


def check_banned(tree):
    yield from check_calls(tree)
    yield from check_wrapped(tree)
    yield from check_files(tree)


def layer(name):
    """Height of a file in the flow; programs stand above all libraries; None: not part of it."""
    if name.startswith("net/central/") or name.startswith("match/eval/"):
        return len(LAYERS)
    for height, folder in enumerate(LAYERS):
        if name.startswith(folder + "/"):
            return height
    return len(LAYERS) if name.startswith("firmware/") else None


def program(name):
    """The program area a file belongs to; what programs share are firmware/varlink and
    firmware/view."""
    parts = name.split("/")
    return "/".join(parts[:2])


def check_includes(tree):
    for name in tree.code():
        here = layer(name)
        if here is None:
            continue
        for number, line in enumerate(tree.text(name).split("\n"), 1):
            found = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if not found:
                continue
            target = found.group(1)
            if "/" not in target or target.startswith("."):
                yield f"{name}:{number}: write the path from the top of the tree"
                continue
            there = layer(target)
            if there is None:
                yield f"{name}:{number}: {target} is in no folder of the flow"
            elif there > here:
                yield f"{name}:{number}: {target} stands higher in the flow"
            elif there == here == len(LAYERS) and program(target) != program(name) and \
                    program(target) not in \
                    ("firmware/varlink", "firmware/view", "firmware/pin"):
                yield f"{name}:{number}: {target} belongs to another program"


def check_headers(tree):
    """Each header alone, as C; with `extern "C"` absent it is C++'s too where a wrapper needs it."""
    flags = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-D_GNU_SOURCE", "-I", "."]
    pkgs = ["libsystemd", "libgpiod", "libmicrohttpd", "gnutls", "mbedcrypto", "sqlite3"]
    found = subprocess.run(["pkg-config", "--cflags", *pkgs], capture_output=True, text=True,
                           check=False).stdout.split()
    for name in tree.code((".h",)):
        if name.startswith("tests/"):
            continue
        texts = [("c", "gnu17", f'#include "{name}"\n#include "{name}"\n')]
        if re.search(r"_(opencv|libcamera)\.h$", name):
            texts.append(("c++", "gnu++17", f'extern "C" {{\n#include "{name}"\n}}\n'))
        for language, standard, text in texts:
            done = subprocess.run(
                ["gcc" if language == "c" else "g++", "-x", language, f"-std={standard}", *flags, *found, "-"],
                cwd=tree.root, input=text, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                first = next((l for l in done.stderr.splitlines() if "error" in l), done.stderr)
                yield f"{name}: does not compile alone as {language}: {first}"


def check_symbols_of(folder):
    """Strong defined global symbols of the C++ wrappers: C functions named eg_*, nothing else."""
    objects = []
    for path, _, names in os.walk(folder):
        objects += [os.path.join(path, n) for n in names
                    if re.search(r"_(opencv|libcamera)\.cpp\.o$", n)]
    if not objects:
        yield f"{folder}: no object of a C++ wrapper found; build first"
    for name in sorted(objects):
        done = subprocess.run(["nm", "--defined-only", "--extern-only", "--format=posix", name],
                              capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            symbol, kind = line.split()[:2]
            if kind in "TDBRSG" and not symbol.startswith("eg_"):
                yield f"{os.path.basename(name)}: exports {symbol}"


def check_readmes(tree):
    known = set(tree.files)
    folders = {os.path.dirname(n) for n in known}
    for name in list(folders):
        while name:
            folders.add(name)
            name = os.path.dirname(name)
    tops = {n.split("/")[0] for n in known if "/" in n}
    for name in tree.files:
        if not name.endswith(".md"):
            continue
        here = os.path.dirname(name)
        for number, line in enumerate(tree.text(name).split("\n"), 1):
            for quoted in re.findall(r"`([A-Za-z0-9_.][A-Za-z0-9_./-]*)`", line):
                path = quoted.rstrip("/")
                if path.split("/")[0] not in tops or "/" not in quoted:
                    continue
                beside = os.path.normpath(os.path.join(here, path))
                if not {path, beside} & (known | folders):
                    yield f"{name}:{number}: {quoted} does not exist"


CHECKS = {"format": check_format, "banned": check_banned, "includes": check_includes,
          "headers": check_headers, "readmes": check_readmes}

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"

# (rule, file, content, words a finding has; None: nothing may be found)
FAULTS = [
    ("format", "a.c", SPDX + "int  a ;\n", "clang-format"),
    ("banned", "a.c", SPDX + "void f(char *a) { str" + "cpy(a, a); }\n", "is banned"),
    ("banned", "a.c", SPDX + "int f(char *a) { return ss" + "canf(a, a); }\n", "is banned"),
    ("banned", "net/a.c", SPDX + "void *f(void) { return mal" + "loc(1); }\n", "eg_calloc"),
    ("banned", "firmware/base/mem.c", SPDX + "void *f(void) { return mal" + "loc(1); }\n", None),
    ("banned", "a.c", SPDX + "// gets(a)\nconst char *a = \"system(x)\";\n", None),
    ("banned", "a.c", SPDX + "void f(void) { assert" + "(0); }\n", "always fails"),
    ("banned", "net/sync.c", SPDX + "#include <curl/curl.h>\n", "only in net/http.c"),
    ("banned", "net/http.c", SPDX + "#include <curl/curl.h>\n", None),
    ("banned", "store/a.c", SPDX + "#include <psa/crypto.h>\n", "only in"),
    ("banned", "match/a.c", SPDX + "#include <sqlite3.h>\n", "only in store/"),
    ("banned", "a.c", "int a;\n", "SPDX"),
    ("banned", "tool", "#!/bin/sh\ntrue\n", "SPDX"),
    ("banned", "a.c", SPDX + "\n" * LINES_MAX, "more than"),
    ("banned", "a.txt", "see https://" + REGISTRIES[0] + "/\n", "registry"),
    ("includes", "drivers/a.c", SPDX + '#include "match/verdict.h"\n', "higher"),
    ("includes", "firmware/base/a.c", SPDX + '#include "firmware/boothd/booth.h"\n', "higher"),
    ("includes", "net/a.c", SPDX + '#include "net/central/ca.h"\n', "higher"),
    ("includes", "firmware/syncd/a.c", SPDX + '#include "firmware/boothd/b.h"\n', "another program"),
    ("includes", "net/a.c", SPDX + '#include "wire.h"\n', "from the top"),
    ("includes", "net/a.c", SPDX + '#include "store/records.h"\n', None),
    ("headers", "a.h", SPDX + "size_t f(void);\n", "alone"),
    ("headers", "a.h", SPDX + "int f(void);\n", None),
    ("readmes", "net/README.md", "See `net/nothing.c`.\n", "does not exist"),
    ("readmes", "net/README.md", "See `net/README.md` and `a/b`.\n", None),
]


def one_fault(rule, name, content, wanted):
    with tempfile.TemporaryDirectory(dir=".") as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        found = list(CHECKS[rule](Tree(folder)))
    if wanted is None:
        return [f"{rule}: found in a good {name}: {line}" for line in found]
    if not any(wanted in line for line in found):
        return [f"{rule}: \"{wanted}\" not found in a bad {name}, but {found}"]
    return []


def symbols_fault():
    with tempfile.TemporaryDirectory(dir=".") as folder:
        if not any("build first" in line for line in check_symbols_of(folder)):
            yield "symbols: an empty folder passed"
        source = os.path.join(folder, "a.cpp")
        with open(source, "w", encoding="utf-8") as file:
            file.write('extern "C" int eg_a() { return 1; }\nint leaked() { return 2; }\n')
        subprocess.run(["g++", "-c", source, "-o", os.path.join(folder, "a_opencv.cpp.o")], check=True)
        found = list(check_symbols_of(folder))
        if len(found) != 1 or "leaked" not in found[0]:
            yield f"symbols: leaked() not found, but {found}"


def self_test():
    for fault in FAULTS:
        yield from one_fault(*fault)
    yield from symbols_fault()


def main():
    rule = sys.argv[1] if len(sys.argv) == 2 else ""
    if rule == "self-test":
        findings = list(self_test())
    elif rule == "symbols":
        findings = list(check_symbols_of(os.environ["EGRESS_BUILD"]))
    elif rule in CHECKS:
        findings = list(CHECKS[rule](Tree(os.environ["EGRESS_SOURCE"])))
    else:
        sys.exit("usage: lint.py format|banned|includes|headers|symbols|readmes|self-test")
    for line in findings:
        print(line)
    sys.exit(1 if findings else 0)


main()
