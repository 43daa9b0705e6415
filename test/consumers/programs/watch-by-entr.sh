#!/bin/sh
# entr, as its manual shows it. $1: file or folder, $2: what is watched, $3: read-once.sh, then its arguments.
kind=$1 watched=$2; shift 2
while :; do
  if [ "$kind" = folder ]; then
    # -d: ends when a name comes to a folder.
    find -L "$watched" -type f 2>/dev/null | entr -n -d sh "$@"
  else
    echo "$watched" | entr -n sh "$@"
  fi
  sleep 0.05
done
