#!/bin/sh
# Every check and test, for `make test`, which has built everything before. Goes on after a failure, so that one run
# tells all. The times of all steps are printed before the summary of `node --test`, which comes last; they stay in
# build/log/times.txt. The exit status is non-zero when anything failed.
#   TEST_CONCURRENCY  test files at a time, 4 by default
#   TEST_FILES        these files alone, in place of all under tests/
set -u
cd "$(dirname "$0")/.."
processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Many files have a Worker of their own, and wait for it for much of their time. More than four at a time starve each other.
export TEST_CONCURRENCY="${TEST_CONCURRENCY:-4}"
# wrangler is started some thirty times, and would be compiled each time.
export NODE_COMPILE_CACHE="$PWD/build/compile_cache"
failed=''

# step NAME COMMAND…: the time it took, and its output where it fails
step() {
  if sh tools/quietly.sh "$@" 2>build/log/step.txt; then shown=/dev/null; else failed="$failed $1" shown=build/log/step.txt; fi
  tail -n 1 build/log/times.txt
  cat "$shown"
}

mkdir -p build/log
step type-check tsc --noEmit
step format sh tools/format.sh --check
step clang-tidy node tools/tidy.ts
step core-tests ctest --test-dir build/native --output-on-failure --parallel "$processors"

# The node tests below run on the Worker's default build. The other one passes those where compilers may differ: bytes and
# numbers, memory that grows, coroutines that wait long, and the whole story once; one file at a time, beside all others.
second_build='canonical import list_streams ndjson story'
# shellcheck disable=SC2086 # a list of words
sh tools/quietly.sh contract-emscripten env WASM_BUILD=emscripten TEST_CONCURRENCY=1 \
  node --no-warnings tests/contract/run.ts $(printf 'tests/contract/%s.test.ts ' $second_build) 2>build/log/second.txt &
second=$!
trap 'kill "$second" 2>/dev/null; exit 130' INT TERM

files=${TEST_FILES:-$(find tests -name '*.test.ts' -o -name '*.test.mjs' | sort)}
(
  . tools/times.sh
  # shellcheck disable=SC2086 # a list of words
  node --no-warnings tests/contract/run.ts $files
  status=$?
  record node-tests $status
  echo $status >build/log/node-tests.status
) | while IFS= read -r line; do
  case $line in 'ℹ tests '*) cat build/log/times.txt ;; esac
  printf '%s\n' "$line"
done
[ "$(cat build/log/node-tests.status)" = 0 ] || failed="$failed node-tests"
wait "$second" || { failed="$failed contract-emscripten"; cat build/log/second.txt; }
[ -z "$failed" ] && exit 0
echo "failed:$failed" >&2
exit 1
