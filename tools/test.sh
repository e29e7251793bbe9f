#!/bin/sh
# Every check and test, for `make test`, which has built everything before. Goes on after a failure, so that one run
# tells all; the summary of `node --test` comes last, and the exit status is non-zero when anything failed.
#   TEST_CONCURRENCY  test files at a time; each may start a Worker of its own
#   TEST_FILES        these files alone, in place of all under tests/
set -u
cd "$(dirname "$0")/.."
processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# More than four Workers at a time starve each other: every one is two workerd processes and a bundler.
[ "$processors" -le 4 ] || processors=4
failed=''

# step NAME COMMAND…: the time it took, and its output where it fails
step() {
  name=$1
  shift
  start=$(date +%s)
  if sh tools/quietly.sh "$name" "$@" 2>build/log/step.txt; then result=ok; else result=FAILED; failed="$failed $name"; fi
  printf '%-14s %s (%s s)\n' "$name" "$result" "$(($(date +%s) - start))"
  [ "$result" = ok ] || cat build/log/step.txt
}

mkdir -p build/log
step type-check tsc --noEmit
step format sh tools/format.sh --check
step clang-tidy node tools/tidy.ts
step core-tests ctest --test-dir build/native --output-on-failure

# The node tests below run on the Worker's default build; the other one passes the same contract.
step contract-emscripten env WASM_BUILD=emscripten node --no-warnings tests/contract/run.ts

files=${TEST_FILES:-$(find tests -name '*.test.ts' -o -name '*.test.mjs' | sort)}
if [ -n "$files" ]; then
  # shellcheck disable=SC2086 # a list of words
  node --test --test-reporter=spec --test-concurrency="${TEST_CONCURRENCY:-$processors}" $files ||
    failed="$failed node-tests"
fi
[ -z "$failed" ] && exit 0
echo "failed:$failed" >&2
exit 1
