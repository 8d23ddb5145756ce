#!/usr/bin/env bash
# A one-node Ceph in memory with an S3 gateway on 127.0.0.1:PORT, all of it in DIR. Keys: test / testtest.
#   ceph-s3.sh start DIR PORT      uses PORT and PORT+1
#   ceph-s3.sh kill-gateway DIR     SIGKILL, and a new one over the same store
#   ceph-s3.sh stop DIR
set -euo pipefail
command=$1
dir=$(readlink -f -m "$2")
port=${3:-7480}

stop() {
  local daemon pid
  for daemon in rgw osd mon; do
    [ -f "$dir/$daemon.pid" ] || continue
    pid=$(cat "$dir/$daemon.pid")
    kill -9 "$pid" 2>/dev/null || true # nothing to save: the store is memory
  done
}

if [ "$command" = stop ]; then
  stop
  exit 0
fi

if [ "$command" = kill-gateway ]; then
  kill -9 "$(cat "$dir/rgw.pid")"
  sleep 1
  radosgw -n client.rgw -c "$dir/ceph.conf" >"$dir/log/rgw.start.log" 2>&1
  exit 0
fi

rm -rf "$dir"
mkdir -p "$dir"/{mon,osd,run,log,rgw}
mon_port=$((port + 1))
fsid=$(cat /proc/sys/kernel/random/uuid)
osd_uuid=$(cat /proc/sys/kernel/random/uuid)
export CEPH_CONF=$dir/ceph.conf
cat >"$CEPH_CONF" <<CONF
[global]
fsid = $fsid
mon_initial_members = a
monmap = $dir/monmap
mon_host = [v1:127.0.0.1:$mon_port/0]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr2 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
keyring = $dir/keyring
run_dir = $dir/run
pid_file = $dir/\$type.pid
log_file = $dir/log/\$name.log
admin_socket = $dir/run/\$name.asok
crash_dir = $dir/crash
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data = $dir/mon
mon_data_avail_crit = 1
mon_osd_full_ratio = .99
debug_ms = 0
[osd]
osd_data = $dir/osd
osd_objectstore = memstore
memstore_device_bytes = 2147483648
osd_class_update_on_start = false
osd_class_dir = /usr/lib/$(uname -m)-linux-gnu/rados-classes
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw_data = $dir/rgw
rgw_enable_apis = s3, admin
rgw_enable_usage_log = false
rgw_dynamic_resharding = false
rgw_crypt_require_ssl = false
rgw_lc_debug_interval = 10
rgw_gc_obj_min_wait = 5
rgw_thread_pool_size = 64
pid_file = $dir/rgw.pid
CONF
touch "$dir/keyring"

monmaptool --create --fsid "$fsid" --addv a "[v1:127.0.0.1:$mon_port/0]" "$dir/monmap" >/dev/null
ceph-mon --mkfs -i a --monmap "$dir/monmap" -c "$CEPH_CONF"
ceph-mon -i a -c "$CEPH_CONF" >/dev/null 2>&1
timeout 30 ceph osd new "$osd_uuid" >/dev/null
ceph-osd --mkfs -i 0 -c "$CEPH_CONF" --osd-uuid "$osd_uuid" >/dev/null 2>&1
# The monitor may refuse a store daemon that asks before it has told its own identity: once more, then.
for attempt in 1 2 3 4 5; do
  ceph-osd -i 0 -c "$CEPH_CONF" >"$dir/log/osd.start.log" 2>&1 && break
  [ "$attempt" = 5 ] && { cat "$dir/log/osd.start.log" >&2; stop; exit 1; }
  sleep 1
done
radosgw -n client.rgw -c "$CEPH_CONF" >"$dir/log/rgw.start.log" 2>&1
radosgw-admin -c "$CEPH_CONF" user create --uid=test --display-name=test \
  --access-key=test --secret-key=testtest >"$dir/log/user.log" 2>&1
for _ in $(seq 1 300); do
  if curl -s -o /dev/null "http://127.0.0.1:$port/"; then exit 0; fi
  sleep 0.1
done
echo "radosgw did not answer; see $dir/log" >&2
stop
exit 1
