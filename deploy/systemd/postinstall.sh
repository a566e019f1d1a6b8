#!/bin/sh
# After the package is installed: the user, and the unit for systemd. It starts nothing.
set -e
if command -v systemd-sysusers >/dev/null; then systemd-sysusers aggd.conf; fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
