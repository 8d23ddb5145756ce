#!/usr/bin/env bash
# Installs the tools of the tests on Debian or Ubuntu, as root: Ceph's S3 gateway, a C compiler, strace, Chromium and the
# shells that completion is for; and the Python packages, where pip can. What is there already is left alone.
set -euo pipefail

packages=()
want() { # want PROGRAM PACKAGE...
  command -v "$1" >/dev/null || packages+=("${@:2}")
}
want radosgw radosgw ceph-common
want ceph-mon ceph-mon
want ceph-osd ceph-osd
want curl curl
want openssl openssl
want cc gcc libc6-dev
want chromium chromium
want strace strace
want zsh zsh
want fish fish
if [ "${#packages[@]}" -gt 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -y -q --no-install-recommends "${packages[@]}"
fi

python_packages=("moto[server,s3]==5.2.*" "joserfc" "cryptography")
if ! python3 -c "import cryptography, joserfc, moto.server" 2>/dev/null; then
  # Debian's own Python refuses packages beside its own unless told; others do not know the option.
  python3 -m pip install --quiet "${python_packages[@]}" ||
    python3 -m pip install --quiet --break-system-packages "${python_packages[@]}"
fi
