import type { Toolchain } from "../../local/toolchain";

/** What the virtual machine is told; paths are the host's, whose file system it sees. */
export interface Settings {
  toolchain: Toolchain;
  /** Sandbox and containers of every pod: catatonit and busybox. */
  image: string;
  /** The image as an OCI archive. */
  archive: string;
}
