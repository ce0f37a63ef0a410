#!/bin/sh
# The virtual machine as a distribution would set it up, then the tests, then its end.
# $1: settings for the tests; $2: node.
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
hostname cgroup2
ip link set lo up
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export IMAGE_SERVICE_STATE=/state/image-service SETTINGS="$1"
cd "$(dirname "$0")" || exit
"$2" --require tsx/cjs --test-reporter=spec guest.ts
echo "exit status $?"
sync
echo o >/proc/sysrq-trigger
sleep 60
