#!/bin/sh
# See that there is a Chromium for the browser tests: install Debian's, or say loudly what is skipped.
set -eu

if command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Debian's chromium for the browser tests"
    if apt-get update -qq >/dev/null &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; then
        exit 0
    fi
    why="apt-get could not install it"
else
    why="only root on a Debian can install it here"
fi
echo "WARNING: there is no chromium and $why: ALL BROWSER TESTS ARE SKIPPED" >&2
