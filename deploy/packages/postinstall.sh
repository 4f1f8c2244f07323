#!/bin/sh
# After the files are there: the user, the folders, and the unit for systemd to see. Nothing is started: settings come first.
set -e
if command -v systemd-sysusers >/dev/null; then systemd-sysusers escalator.conf; fi
if command -v systemd-tmpfiles >/dev/null; then systemd-tmpfiles --create escalator.conf; fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  # An upgrade goes on with the new program.
  systemctl try-restart escalator.service
fi
