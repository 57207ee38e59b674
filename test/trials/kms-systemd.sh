#!/bin/bash
# The .deb's unit under a systemd of its own: installed, booted, checked, killed, stopped. As root, with systemd,
# softhsm2, opensc and node on the machine, which stays as it is: the root file system is an overlay in memory.
#   npm run dist && bash test/trials/kms-systemd.sh dist/key-custodian_*_amd64.deb
# Not part of npm test: namespaces, an overlay and control groups are more than every machine gives.
set -euo pipefail

readonly unit=key-custodian-kms
readonly socket=/run/$unit/kms.socket
readonly test_pin=1234-test

# Inside new namespaces: lays the machine out and becomes its systemd.
become_machine() {
  local deb=$1 place=$2 root=$2/root
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$place"
  mkdir "$place/upper" "$place/work" "$root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount -t tmpfs tmpfs "$root/run"
  mount -t tmpfs tmpfs "$root/tmp"
  mount --rbind /dev "$root/dev"
  if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
  fi
  dpkg-deb --extract "$deb" "$root"
  chroot "$root" systemd-sysusers key-custodian.conf
  mkdir -p "$root/etc/key-custodian" "$root/var/lib/$unit/tokens"
  echo "directories.tokendir = /var/lib/$unit/tokens" >"$root/etc/key-custodian/softhsm2.conf"
  export SOFTHSM2_CONF=/etc/key-custodian/softhsm2.conf
  chroot "$root" softhsm2-util --init-token --free --label kms --pin "$test_pin" --so-pin test-so-pin
  chroot "$root" pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --login --pin "$test_pin" --keygen --key-type AES:32 --label kms-key --id 01
  chroot "$root" chown -R "$unit:$unit" "/var/lib/$unit"
  (umask 377 && echo "$test_pin" >"$root/etc/key-custodian/kms-pin")
  cat >"$root/etc/key-custodian/kms.json" <<JSON
{ "listen": "unix://$socket", "health": "127.0.0.1:8099", "provider": "softhsm", "path": "/usr/lib/softhsm/libsofthsm2.so",
  "tokenLabel": "kms", "keyLabel": "kms-key", "pinCredential": "pin" }
JSON
  # Of the rest of this machine no more than the journal is needed.
  find "$root/etc/systemd/system" -path '*.wants/*' -type l -delete
  for other in systemd-udevd systemd-udev-trigger systemd-logind console-getty getty@tty1; do
    ln -sf /dev/null "$root/etc/systemd/system/$other.service"
  done
  rm -f "$root/etc/fstab"
  chroot "$root" systemctl enable "$unit"
  ip link set lo up
  cd "$root"
  mkdir old
  pivot_root . old
  umount -l /old
  # Credentials are mounted by a child, and are to be seen by the unit.
  mount --make-rshared /
  exec env -i container=key-custodian PATH=/usr/bin:/bin:/usr/sbin:/sbin /lib/systemd/systemd --system --unit=multi-user.target
}

if [ "${1:-}" = --inside ]; then become_machine "$2" "$3"; fi

deb=$(readlink -f "$1")
place=$(mktemp -d /var/tmp/key-custodian-systemd-XXXXXX)
setsid unshare --pid --fork --kill-child --mount --uts --ipc --net --cgroup bash "$0" --inside "$deb" "$place" >"$place.log" 2>&1 &
outer=$!
clean_up() {
  kill -KILL "$outer" 2>/dev/null || true
  wait "$outer" 2>/dev/null || true
  rm -rf "$place" "$place.log"
}
trap clean_up EXIT

machine=
within() { nsenter --target "$machine" --all --root --wd env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin "$@"; }
show() { within systemctl show "$unit" --property "$1" --value; }
log() { within journalctl --unit "$unit" --no-pager --output cat; }
failures=0
holds() {
  local what=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "holds  $what"; else
    echo "FAILS  $what"
    failures=$((failures + 1))
  fi
}
eventually() {
  for _ in $(seq 150); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.2
  done
  return 1
}

is_up() {
  machine=$(pgrep --parent "$outer" | head -1) && [ -n "$machine" ] && [ "$(readlink "/proc/$machine/exe")" = /usr/lib/systemd/systemd ] && within systemctl is-active "$unit"
}
is_contract_held() { within custodian kms check --socket "$socket"; }
is_socket_ours() { [ "$(within stat -c '%U %a %F' "$socket")" = "$unit 600 socket" ] && [ "$(within stat -c '%U %a' "/run/$unit")" = "$unit 700" ]; }
is_started_again() { [ "$(show NRestarts)" = 1 ] && is_up; }
is_pin_nowhere() {
  local id
  id=$(show MainPID)
  log | grep '"Healthy."' && ! log | grep "$test_pin" && ! within cat "/proc/$id/environ" "/proc/$id/cmdline" | grep --text "$test_pin"
}
is_ended_well() { [ "$(show Result) $(show ExecMainStatus) $(show ActiveState)" = 'success 0 inactive' ] && log | grep '"Ended."'; }

if ! eventually is_up; then
  cat "$place.log"
  echo 'FAILS  the unit does not start'
  exit 1
fi
directory=$(within stat -c %i "/run/$unit")
holds 'it is healthy, with its PIN as a credential' eventually within curl --fail --silent http://127.0.0.1:8099/readyz
holds 'the socket and its directory are its user’s alone' is_socket_ours
holds 'the KMS v2 contract' is_contract_held
holds 'no PIN in its environment, arguments and log' is_pin_nowhere
within systemctl kill --signal KILL "$unit"
holds 'after SIGKILL it is started again' eventually is_started_again
holds 'the contract, again' eventually is_contract_held
holds 'the directory is the same, which kube-apiserver has mounted' test "$(within stat -c %i "/run/$unit")" = "$directory"
within systemctl stop "$unit"
holds 'it ends well, and takes its socket with it' is_ended_well
holds 'no socket is left' within test ! -e "$socket"
within systemd-analyze security "$unit" --no-pager | tail -1
if [ "$failures" -gt 0 ]; then
  log | grep -v Configuration.cpp | tail -20
  exit 1
fi
