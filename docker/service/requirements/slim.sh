#!/bin/sh
# Leaves in a virtual environment what runs, and compiles it: sh slim.sh VENV
set -eu
site=$(echo "$1"/lib/python3*/site-packages)

rm -rf "$site/pip" "$site"/pip-* "$1"/bin/pip*
# Tests that a package ships beside its code, where nothing imports them.
for package in numpy sympy networkx mpmath greenlet; do
  find "$site/$package" -type d -name tests -prune -exec rm -rf {} + 2>/dev/null || true
done
# For programs in Rust.
rm -f "$site"/c2pa/libs/*.rlib
"$1/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$site" || true
