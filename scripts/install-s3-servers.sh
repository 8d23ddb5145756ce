#!/usr/bin/env bash
# Installs what the S3 tests need on Debian or Ubuntu: Ceph's S3 gateway, and moto when pip can. Needs root.
set -euo pipefail

if ! command -v radosgw >/dev/null || ! command -v ceph-mon >/dev/null || ! command -v ceph-osd >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -y -q --no-install-recommends radosgw ceph-mon ceph-osd ceph-common curl
fi
if ! command -v moto_server >/dev/null; then
  # Debian's own Python refuses packages beside its own unless told; others do not know the option.
  python3 -m pip install --quiet "moto[server,s3]==5.2.*" ||
    python3 -m pip install --quiet --break-system-packages "moto[server,s3]==5.2.*"
fi
