#!/usr/bin/env bash
# Prints the Python to make the environment with: the one given, else the first of python3, python3.13 ... that is >= 3.10.
set -euo pipefail

recent_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}

if [ -n "${1:-}" ]; then
  if recent_enough "$1"; then
    echo "$1"
    exit
  fi
  echo "PYTHON=$1 is not a Python 3.10 or later" >&2
  exit 1
fi
for python in python3 python3.13 python3.12 python3.11 python3.10 python; do
  if recent_enough "$python"; then
    echo "$python"
    exit
  fi
done
echo "gatling-beam needs Python 3.10 or later, and none was found; give one as PYTHON=/path/to/python" >&2
exit 1
