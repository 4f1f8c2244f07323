#!/bin/sh
# deb says "remove", rpm says 0 when the last version goes; an upgrade keeps the service.
set -e
case "${1:-}" in
  remove | 0) if [ -d /run/systemd/system ]; then systemctl disable --now escalator.service; fi ;;
esac
