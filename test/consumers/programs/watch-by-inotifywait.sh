#!/bin/bash
# inotify-tools. $1: file (watched again after each event, since a watch ends with its inode) or folder (watched on),
# $2: what is watched, $3: read-once.sh, then its arguments.
kind=$1 watched=$2; shift 2
if [ "$kind" = folder ]; then
  inotifywait --quiet --monitor --event create,moved_to,delete,close_write,attrib,move_self,delete_self "$watched" |
    {
      sh "$@"
      while read -r _; do
        # One reading for all events that have come.
        while read -r -t 0 && read -r _; do :; done
        sh "$@"
      done
    }
  exit
fi
while :; do
  # The reading follows the watch, so no change is lost between two of them.
  inotifywait --quiet --event close_write,attrib,move_self,delete_self "$watched" 2>&1 >/dev/null &
  sleep 0.05
  sh "$@"
  wait $!
done
