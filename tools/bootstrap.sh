#!/bin/sh
# Brings a machine to the point where `make run` or `make test` can work: installs what is missing, and nothing else.
#   tools/bootstrap.sh run|test|bench
# `run` needs the tools of one WebAssembly build (WASM_BUILD, wasi by default); `test` and `bench` need everything.
# On Debian as root packages are installed by apt-get; elsewhere the missing tools are named with the command to type.
# When all is there it costs some hundredths of a second and touches no registry: it runs before every make.
set -eu
cd "$(dirname "$0")/.."
. tools/times.sh

stage=${1:-run}
wasm_build=${WASM_BUILD:-wasi}
case $stage in run | test | bench) ;; *) echo "usage: $0 run|test|bench" >&2; exit 2 ;; esac
case $wasm_build in
  wasi | emscripten) ;;
  *) echo "WASM_BUILD=$wasm_build is neither wasi nor emscripten" >&2; exit 2 ;;
esac
# npm replaces node_modules, so it must not be run by the Node inside: the Makefile hands over the PATH without it.
[ -z "${SYSTEM_PATH:-}" ] || PATH=$SYSTEM_PATH

say() { echo "bootstrap: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
have_python() { have python3 && python3 -c "import $1" 2>/dev/null; }
any_file() { for f in "$@"; do [ -e "$f" ] && return 0; done; return 1; }

packages='' # Debian packages to install
wanted=''   # what they bring, a line each, for the message where they cannot be installed
want() { packages="$packages $2"; wanted="$wanted
  $1 (Debian: $2)"; }

# The compiler of the WASI build and of the native one: the newest installed of these, else the first that apt offers.
clang_majors='24 23 22'
clang=''
for major in $clang_majors; do
  if [ -z "$clang" ] && have "clang++-$major"; then clang=$major; fi
done

find_clang_package() {
  for major in 22 23 24; do
    if apt-cache show "clang-$major" >/dev/null 2>&1; then echo "$major"; return; fi
  done
  echo 22
}

node_major() { node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

check_tools() {
  packages='' wanted=''
  have cmake || want "cmake 3.25 or newer" cmake
  have ninja || want ninja ninja-build
  any_file /usr/include/nlohmann/json.hpp /usr/local/include/nlohmann/json.hpp ||
    want "nlohmann/json 3.11, a C++ header" nlohmann-json3-dev
  # A system node is needed only to run npm: our programs run on the one that package.json brings.
  if ! have node || [ "$(node_major)" -lt 18 ]; then want "node 18 or newer" nodejs; fi
  have npm || want npm npm
  have curl || want "curl, for the commands that make run suggests" curl
  have wasm-opt || want "wasm-opt 108 or newer" binaryen

  major=${clang:-$(have apt-cache && find_clang_package || echo 22)}
  if [ "$stage" != run ] || { [ "$wasm_build" = wasi ] && [ -z "${WASI_SDK_PATH:-}" ]; }; then
    [ -n "$clang" ] || want "clang $major" "clang-$major"
    any_file /usr/include/c++/*/coroutine ||
      want "a C++ library with headers" libstdc++-12-dev
  fi
  if [ -n "${WASI_SDK_PATH:-}" ]; then
    [ -x "$WASI_SDK_PATH/bin/clang++" ] || { say "WASI_SDK_PATH=$WASI_SDK_PATH holds no bin/clang++"; exit 1; }
  elif [ "$stage" != run ] || [ "$wasm_build" = wasi ]; then
    any_file "/usr/lib/llvm-$major/bin/wasm-ld" || want "the linker wasm-ld $major" "lld-$major"
    any_file /usr/lib/wasm32-wasi/libc.a || want "a C library for WASI" wasi-libc
    any_file "/usr/lib/llvm-$major/lib/wasm32-wasi/libc++.a" ||
      want "libc++ for WASI" "libc++-$major-dev-wasm32"
    any_file "/usr/lib/llvm-$major/lib/wasm32-wasi/libc++abi.a" ||
      want "libc++abi for WASI" "libc++abi-$major-dev-wasm32"
    any_file "/usr/lib/llvm-$major"/lib/clang/*/lib/*/libclang_rt.builtins-wasm32.a \
      "/usr/lib/llvm-$major"/lib/clang/*/lib/wasm32-*/libclang_rt.builtins.a ||
      want "clang's run-time library for WASI" "libclang-rt-$major-dev-wasm32"
  fi
  if [ "$stage" != run ] || [ "$wasm_build" = emscripten ]; then
    have em++ || want "Emscripten 3.1.6 or newer (emsdk)" emscripten
  fi
  [ "$stage" != run ] || return 0

  any_file "/usr/lib/llvm-$major"/lib/clang/*/lib/*/libclang_rt.asan*.a ||
    want "clang's sanitizers" "libclang-rt-$major-dev"
  have "clang-tidy-$major" || want clang-tidy "clang-tidy-$major"
  have "clang-format-$major" || want clang-format "clang-format-$major"
  any_file /usr/include/gtest/gtest.h /usr/local/include/gtest/gtest.h || want GoogleTest libgtest-dev
  any_file /usr/lib/postgresql/*/bin/initdb || want PostgreSQL postgresql
  have_python requests || want "Python requests, for the scripts of users" python3-requests
  have_python ensurepip || want "Python's venv, for tools/openapi_tools.sh" python3-venv
  have chromium || have chromium-browser || have google-chrome || want chromium chromium
}

install_packages() {
  if ! have apt-get; then
    say "these tools are missing, and without apt-get (Debian) they cannot be installed from here:$wanted"
    exit 1
  fi
  if [ "$(id -u)" != 0 ]; then
    say "these tools are missing:$wanted"
    say "installing them needs root:"
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$packages" >&2
    exit 1
  fi
  say "installing$packages (minutes, by the network; build/log/apt.log tells how far it is)"
  mkdir -p build/log
  export DEBIAN_FRONTEND=noninteractive
  if ! apt-get update >build/log/apt.log 2>&1 || ! {
    # The lists are new now: another major of clang may be the one on offer.
    check_tools
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y --no-install-recommends $packages >>build/log/apt.log 2>&1
  }; then
    tail -n 15 build/log/apt.log >&2
    say "apt-get failed (all of it: build/log/apt.log). These tools are still missing:$wanted"
    say "install them by hand, then run make again. clang $major comes from Debian's security suite:"
    say "/etc/apt/sources.list needs a line for bookworm-security"
    exit 1
  fi
  for major in $clang_majors; do
    if [ -z "$clang" ] && have "clang++-$major"; then clang=$major; fi
  done
  check_tools
  if [ -n "$packages" ]; then
    say "installed, yet not found:$wanted"
    exit 1
  fi
}

# npm writes node_modules from the lock file, and nothing else; the copy beside them says which lock file that was.
install_node_modules() {
  if cmp -s package-lock.json node_modules/.installed-lock.json; then return; fi
  say "installing node modules (half a minute, by the network)"
  mkdir -p build/log
  if ! npm ci --no-progress >build/log/npm.log 2>&1; then
    tail -n 15 build/log/npm.log >&2
    say "npm ci failed (all of it: build/log/npm.log). It needs the npm registry: where that is behind a proxy,"
    say "set HTTPS_PROXY, or the registry in ~/.npmrc, then run make again"
    exit 1
  fi
  cp package-lock.json node_modules/.installed-lock.json
}

check_node() {
  if any_file node_modules/node-linux-*/bin/node; then return; fi
  if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) ? 0 : 1)'; then
    say "no Node comes with node_modules on this platform, and $(command -v node) is $(node --version):"
    say "install Node 22.12 or newer (https://nodejs.org) and put it first on the PATH"
    exit 1
  fi
}

check_tools
if [ -n "$packages" ]; then install_packages; fi
install_node_modules
check_node
if [ "$stage" = test ]; then
  sh tools/openapi_tools.sh
  record bootstrap 0
fi
