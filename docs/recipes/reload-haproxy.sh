#!/bin/sh
# Reloads haproxy and waits until it has: reload-haproxy.sh PIDFILE, for `exec` of `notify`. The pid is the master's (haproxy -W).
# The master drops a SIGUSR2 that comes while it still starts again, so the signal is sent again until there is a worker that was
# not there before. A configuration that haproxy refuses starts none: this fails then, and Headrace logs it and tries again.
set -eu
master=$(cat "$1")
workers() { cat "/proc/$master/task/$master/children"; }

before=" $(workers) "
for _ in 1 2 3 4 5; do
  kill -USR2 "$master"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.1
    for worker in $(workers); do
      case $before in *" $worker "*) ;; *) exit 0 ;; esac
    done
  done
done
echo "haproxy $master has started no new worker" >&2
exit 1
