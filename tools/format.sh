#!/bin/sh
# Checks that all sources are formatted, or formats them.
#   tools/format.sh --check|--fix
# C++ by the newest clang-format of the majors that the compiler may have (.clang-format), TypeScript, JavaScript and
# JSON by biome (biome.json). `--fix` applies biome's safe corrections of lint rules too.
set -eu
cd "$(dirname "$0")/.."
for major in 22 23 24; do
  if command -v "clang-format-$major" >/dev/null 2>&1; then clang_format=clang-format-$major; fi
done
cpp_sources=$(find core wasm tests tools -name '*.cc' -o -name '*.h')
case ${1:-} in
  --check) flags='--dry-run -Werror' biome='ci' ;;
  --fix) flags='-i' biome='check --write' ;;
  *) echo "usage: $0 --check|--fix" >&2; exit 2 ;;
esac
status=0
# shellcheck disable=SC2086 # lists of words
[ -z "$cpp_sources" ] || "${clang_format:-clang-format}" $flags $cpp_sources || status=1
# shellcheck disable=SC2086
node node_modules/@biomejs/biome/bin/biome $biome --colors=off --error-on-warnings . || status=1
exit $status
