#!/usr/bin/env bash
# Installs what the tests need: Node.js, Chromium, and the npm packages of e2e/js.
# What is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/js"

install_packages() {
  if [ "$(id -u)" != 0 ]; then
    echo "The tests need the Debian packages: $*. Install them, or run as root." >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

missing=()
command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm)
command -v chromium >/dev/null || missing+=(chromium)
command -v curl >/dev/null || missing+=(curl)
if [ ${#missing[@]} -gt 0 ]; then
  install_packages "${missing[@]}"
fi

if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  echo "The tests need Node.js 20 or newer; $(node --version) is installed." >&2
  exit 1
fi

# npm leaves this file behind when an installation is complete.
if [ ! package-lock.json -ot node_modules/.package-lock.json ] || [ ! -e node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error
fi
