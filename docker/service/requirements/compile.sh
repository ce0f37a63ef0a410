#!/bin/sh
# Renews the locks: sh requirements/compile.sh [--upgrade]
cd "$(dirname "$0")" || exit 1
for set in api worker dev; do
  uv pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11 \
    --python-platform x86_64-manylinux_2_28 --custom-compile-command "sh requirements/compile.sh" \
    "$@" -o "$set.txt" "$set.in" || exit 1
done
