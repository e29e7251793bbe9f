#!/bin/sh
# Runs a command with its output in build/log/NAME.log, which is shown only when the command fails, and keeps its time
# (times.sh).
#   tools/quietly.sh NAME COMMAND…
# A command that takes longer than two seconds is announced, so that nobody wonders what is going on. ABOUT in the
# environment is added to that: what the step does, and about how long it takes.
set -u
. tools/times.sh
name=$1
shift
mkdir -p build/log
log=build/log/$name.log
"$@" >"$log" 2>&1 &
command=$!
(
  # This sleep outlives the announcement, so it must not hold the caller's pipes open.
  sleep 2 >/dev/null 2>&1
  if kill -0 "$command" 2>/dev/null; then echo "$name …${ABOUT:+ $ABOUT}"; fi
) >&2 &
announcement=$!
trap 'kill "$command" "$announcement" 2>/dev/null; exit 130' INT TERM
wait "$command"
status=$?
kill "$announcement" 2>/dev/null
record "$name" "$status"
if [ "$status" != 0 ]; then
  tail -n 80 "$log" >&2
  echo "$name failed, all of its output is in $log" >&2
fi
exit "$status"
