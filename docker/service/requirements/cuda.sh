#!/bin/sh
# Leaves of torch, Triton and CUDA what draws pictures: sh cuda.sh VENV
# Wants gcc, binutils and Python's headers, so that the image can do without them.
set -eu
site="$1/lib/python3.11/site-packages"
triton="$site/triton"

# Headers, tests, profilers and other makers' GPUs. Triton's ptxas and libdevice compile kernels.
rm -rf "$site/torch/include" "$site/torch/share" "$site/torch/test" "$site"/torch/bin/protoc*
rm -rf "$triton/include" "$triton/instrumentation" "$triton/plugins" "$triton/FileCheck" \
  "$triton/_C/libproton.so" "$triton"/backends/nvidia/lib/cupti* "$triton"/backends/amd/lib
find "$site/nvidia" \( -name include -o -name '*.a' -o -name '*.bc' \) -prune -exec rm -rf {} +
for unlinked in cusolverMg nvblas cufftw nvperf_host nvperf_target pcsamplingutil checkpoint; do
  rm -f "$site"/nvidia/cu13/lib/lib$unlinked.so*
done
# Plugins for work on many GPUs, and a Fortran that nothing is linked with.
rm -f "$site"/nvidia/nvshmem/lib/nvshmem_* "$site"/torch/lib/libgfortran.so*

# Debug symbols.
strip --strip-unneeded "$site"/torch/lib/*.so "$triton"/_C/libtriton.so

# Linked by torch, called only by distributed work, Fourier transforms and sparse weights: a
# library of the same name and functions takes their place, and each returns an error.
stand_in() {
  name=$(basename "$1")
  build=$(mktemp -d)
  nm -D --defined-only "$1" | awk -v name="$name" '
    { sub(/@.*/, "", $3) }
    $2 !~ /[TW]/ || $3 ~ /^_Z/ { next }
    $3 ~ /Error(String|Name)$|LastError$/ {
      print "const char *" $3 "(void) { return \"" name " is not in this image\"; }"; next
    }
    { print "int " $3 "(void) { return 1; }" }' >"$build/functions.c"
  # The version that its symbols have, if any.
  echo "$(nm -D --defined-only "$1" | awk '$2 == "A" { print $3 }') { global: *; };" >"$build/versions"
  gcc -shared -fPIC -nostdlib -Wl,-soname,"$name" -Wl,--version-script,"$build/versions" \
    -o "$1" "$build/functions.c"
  rm -r "$build"
}
stand_in "$site"/nvidia/cu13/lib/libcufft.so.12
stand_in "$site"/nvidia/nccl/lib/libnccl.so.2
stand_in "$site"/nvidia/cusparselt/lib/libcusparseLt.so.0

# All that Triton ever compiles with a C compiler: its binding to the driver, which the GPU's node
# provides. bin/cc hands it over.
driver=$(mktemp -d)
gcc -shared -nostdlib -Wl,-soname,libcuda.so.1 -o "$driver/libcuda.so.1" -x c /dev/null
gcc -O3 -shared -fPIC -I"$triton/backends/nvidia/include" \
  "-I$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include", "posix_prefix"))')" \
  -o "$1/lib/cuda_utils.so" "$triton/backends/nvidia/driver.c" \
  -L"$driver" -Wl,--no-as-needed -l:libcuda.so.1
rm -r "$driver"
cat >"$1/bin/cc" <<'CC'
#!/bin/sh
# Stands in for a C compiler: gives Triton the binding that was compiled with the image.
case "$1" in
  */triton/backends/nvidia/driver.c) ;;
  *) echo "The image has no C compiler, so $1 cannot be compiled." >&2; exit 1 ;;
esac
while [ "$1" != -o ]; do shift; done
exec cp "$(dirname "$0")/../lib/cuda_utils.so" "$2"
CC
chmod +x "$1/bin/cc"
