#!/bin/sh
# Fetches mosquitto's packet sequences from Debian's source package, for tests/mosquitto.rs.
# fetch-mosquitto-vectors.sh [DESTDIR]        needs apt-get and network; nothing is installed
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
dest=${1:-${MOSQUITTO_VECTORS:-$root/target/mosquitto-vectors}}
suite=bookworm-backports
uri=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/source" "$dest"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" > "$work/s.list"
options="-o Dir::Etc::sourcelist=$work/s.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$work/lists
  -o Dir::Cache=$work/cache -o APT::Sandbox::User=root"
# shellcheck disable=SC2086 # the options are words
apt-get -qq $options update
# shellcheck disable=SC2086
(cd "$work/source" && apt-get -qq $options source --tar-only mosquitto)
for tarball in "$work"/source/*.orig.tar.gz; do
  tar -xf "$tarball" -C "$work/source"
done
cp "$work"/source/mosquitto-*/test/broker/data/*.json "$dest"
echo "$(ls "$dest"/*.json | wc -l) files in $dest"
