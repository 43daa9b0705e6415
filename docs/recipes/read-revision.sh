#!/bin/sh
# Reads one revision of a projection, whole, however long it takes: read-revision.sh PATH
# The lease is a shared flock on the revision's directory; it ends with this process.
set -eu
path=$1

while :; do
  revision=$(readlink "$path/..data")
  case $revision in /*) ;; *) revision=$path/$revision ;; esac
  # Gone between the look and the open: look again. Without `command`, POSIX shells end when exec cannot open.
  command exec 9<"$revision" || continue
  flock -s -n 9 || continue
  # Pruned between the open and the lock: the directory that we hold has left its place.
  [ /proc/self/fd/9 -ef "$revision" ] && break
done

echo "$revision"
read -r _
find "$revision" -type f -exec cat {} \; -exec echo \;
