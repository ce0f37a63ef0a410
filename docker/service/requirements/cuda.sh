#!/bin/sh
# Leaves of torch, Triton and CUDA what draws pictures: sh cuda.sh VENV
# Wants gcc, binutils and Python's headers, so that the image can do without them. A torch without
# CUDA is trimmed of what it has.
set -eu
site=$(echo "$1"/lib/python3*/site-packages)
triton="$site/triton"

# Headers, tests, profilers and other makers' GPUs. Triton's ptxas and libdevice compile kernels.
rm -rf "$site/torch/include" "$site/torch/share" "$site/torch/test" "$site"/torch/bin/protoc*
rm -rf "$triton/include" "$triton/instrumentation" "$triton/plugins" "$triton/FileCheck" \
  "$triton/_C/libproton.so" "$triton"/backends/nvidia/lib/cupti* "$triton"/backends/amd/lib
cuda="$site/nvidia"
[ ! -d "$cuda" ] || find "$cuda" \( -name include -o -name '*.a' -o -name '*.bc' \) -prune -exec rm -rf {} +
for unlinked in cusolverMg nvblas nvperf_host nvperf_target pcsamplingutil checkpoint; do
  rm -f "$cuda"/cu13/lib/lib$unlinked.so*
done
# A Fortran that nothing is linked with.
rm -f "$site"/torch/lib/libgfortran.so*

# Debug symbols.
for library in "$site"/torch/lib/*.so "$triton"/_C/libtriton.so; do
  [ ! -f "$library" ] || strip --strip-unneeded "$library"
done
[ -d "$cuda" ] && [ -d "$triton" ] || exit 0

# Linked by torch, called only by distributed work, Fourier transforms and sparse weights: instead of
# the packages (0.7 GB to fetch), libraries with the functions that torch names, each of which
# returns an error.
stand_in() {
  file="$cuda/$1" name=$(basename "$1") build=$(mktemp -d)
  mkdir -p "$(dirname "$file")"
  # "ncclSend", or with the version that torch asks for, "cufftXtExec@libcufft.so.12".
  nm -D --undefined-only "$site"/torch/lib/libtorch_*.so | awk -v prefix="$2" '
    $1 == "U" && index($2, prefix) == 1 && !seen[$2]++ { print $2 }' >"$build/symbols"
  awk -F@ -v name="$name" '
    $1 ~ /Error(String|Name)$|LastError$/ {
      print "const char *" $1 "(void) { return \"" name " is not in this image\"; }"; next
    }
    { print "int " $1 "(void) { return 1; }" }' "$build/symbols" >"$build/functions.c"
  echo "$(awk -F@ 'NF > 1 { print $2; exit }' "$build/symbols") { global: *; };" >"$build/versions"
  gcc -shared -fPIC -nostdlib -Wl,-soname,"$name" -Wl,--version-script,"$build/versions" \
    -o "$file" "$build/functions.c"
  rm -r "$build"
}
stand_in cu13/lib/libcufft.so.12 cufft
stand_in nccl/lib/libnccl.so.2 nccl
stand_in cusparselt/lib/libcusparseLt.so.0 cusparseLt
stand_in nvshmem/lib/libnvshmem_host.so.3 nvshmem

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
