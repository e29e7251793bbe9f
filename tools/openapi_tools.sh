#!/bin/sh
# Installs the public tools that read the API document for tests/openapi, under build/openapi_tools: in the versions that
# requirements.txt and package-lock.json there tell, and apart from our own modules, since they want an older TypeScript.
# What is there already is not installed again: a copy of each list says which one that was.
set -eu
cd "$(dirname "$0")/.."
lists=$PWD/tests/openapi
tools=$PWD/build/openapi_tools
log=$PWD/build/log/openapi_tools.log
mkdir -p "$tools" build/log

# install LIST COMMAND…: runs the commands unless that list has been installed
install() {
  list=$1
  shift
  if cmp -s "$lists/$list" "$tools/.installed-$list"; then return; fi
  echo "openapi_tools: installing $list of tests/openapi (a minute, by the network)" >&2
  if ! "$@" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    echo "openapi_tools: that failed (all of it: $log). It needs the registries of PyPI and npm: where they are" >&2
    echo "openapi_tools: behind a proxy, set HTTPS_PROXY, or the registries in pip.conf and ~/.npmrc, then run make again" >&2
    exit 1
  fi
  cp "$lists/$list" "$tools/.installed-$list"
}

# Wheels alone: nothing is compiled, nor is any code run, by an installation.
install_python() {
  python3 -m venv --clear "$tools/python" &&
    "$tools/python/bin/pip" install --disable-pip-version-check --only-binary :all: -r "$lists/requirements.txt"
}

install_node() {
  cp "$lists/package.json" "$lists/package-lock.json" .npmrc "$tools/" && (cd "$tools" && npm ci --no-progress)
}

install requirements.txt install_python
install package-lock.json install_node
