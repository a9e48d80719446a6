#!/bin/bash
# Pid 1 of a node: gives it file systems and a network of its own, and keeps its daemons running.
#
#   init.sh FOLDER LOGS
#
# FOLDER has network.sh, and a script for each daemon in first/ and later/; those in later/ wait for the file api-ready.
# With this process, all processes, mounts and devices of the node end.
folder=$1 logs=$2

mount --make-rshared / # what kubelet mounts is to be seen in containers
for scratch in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$scratch"; done
mkdir -p /run/containerd /run/netns /var/lib/cni /var/lib/kubelet /var/log/containers
ln -s "$folder/containerd.sock" /run/containerd/ # where kubelet asks whose containers it measures
. "$folder/network.sh"

keep() {
  while :; do
    "$1"
    echo "=== ended with $?; again in half a second"
    sleep 0.5
  done >>"$logs/${1##*/}.log" 2>&1
}

for daemon in "$folder"/first/*; do keep "$daemon" & done
until [ -e "$folder/api-ready" ]; do sleep 0.1; done
for daemon in "$folder"/later/*; do keep "$daemon" & done
wait # also for what ended containers leave behind
