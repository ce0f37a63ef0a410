#!/bin/sh
# Leaves in a virtual environment what runs, and compiles it: sh slim.sh VENV
set -eu
site="$1/lib/python3.11/site-packages"

rm -rf "$site/pip" "$site"/pip-* "$1"/bin/pip*
# Headers and static libraries are for compiling against. Triton's own stay: it compiles kernels.
rm -rf "$site/torch/include" "$site/torch/share" "$site/torch/test" "$site/torch/bin/protoc"*
find "$site" -name '*.a' -not -path '*/triton/*' -delete
find "$site/nvidia" -type d -name include -prune -exec rm -rf {} + 2>/dev/null || true
# Bitcode for compiling device code against nvshmem.
rm -f "$site"/nvidia/nvshmem/lib/*.bc
# Tests that a package ships beside its code, where nothing imports them.
for package in numpy sympy networkx mpmath greenlet; do
  find "$site/$package" -type d -name tests -prune -exec rm -rf {} + 2>/dev/null || true
done
if [ -d "$site/triton" ]; then
  strip --strip-unneeded "$site"/triton/_C/libtriton*.so
fi
"$1/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$site" || true
