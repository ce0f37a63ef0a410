# Leaves out of a lock what never reaches the image: what cuda.sh makes stand-ins for, and the hub's
# own protocol.
/^[^ ]/ { left_out = /^(nvidia-(cufft|nccl|cusparselt|nvshmem)(-cu[0-9]+)?|hf-xet)==/ }
!left_out
