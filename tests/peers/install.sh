#!/bin/sh
# Installs the foreign peers that the interoperation tests run, and prints where they are. Safe to run again: what is
# already there is kept. Debian packages go to the system; everything else goes below target/peers.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=$root/target/peers

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

missing=
command -v nghttp >/dev/null && command -v h2load >/dev/null || missing="$missing nghttp2-client"
command -v nghttpd >/dev/null || missing="$missing nghttp2-server"
command -v curl >/dev/null || missing="$missing curl"
# Both are run by the tests themselves, on ports of their own; the services that come with them are not needed.
command -v haproxy >/dev/null || missing="$missing haproxy"
command -v nginx >/dev/null || missing="$missing nginx"
if [ -n "$missing" ]; then
    as_root apt-get -q update
    # The list is meant to be split into words.
    # shellcheck disable=SC2086
    as_root apt-get -q -y --no-install-recommends install $missing
fi

mkdir -p "$peers/node"
[ -x "$peers/venv/bin/python" ] || python3 -m venv "$peers/venv"
"$peers/venv/bin/python" -m pip --disable-pip-version-check -q install -r "$here/requirements.txt"

cp "$here/package.json" "$peers/node/package.json"
npm install --prefix "$peers/node" --no-audit --no-fund --no-package-lock --silent

echo "nghttp   $(command -v nghttp)"
echo "h2load   $(command -v h2load)"
echo "nghttpd  $(command -v nghttpd)"
echo "curl     $(command -v curl)"
echo "haproxy  $(command -v haproxy)"
echo "nginx    $(command -v nginx)"
echo "python   $peers/venv/bin/python ($("$peers/venv/bin/python" -c 'import grpc; print("grpcio", grpc.__version__)'))"
echo "node     $(command -v node) (modules in $peers/node/node_modules)"
