/**
 * The smallest IPv4 network that holds the nodes' ranges of pods.
 * @param ranges `spec.podCIDRs` of all nodes
 * @param podAddresses of pods that don't use a node's own network
 * @returns undefined where a pod's address lies elsewhere: then another plugin gives them out
 */
export function podNetwork(
  ranges: readonly string[],
  podAddresses: readonly string[],
): string | undefined {
  const networks = ranges.filter(isIPv4).map((range) => {
    const [address, prefix] = range.split("/") as [string, string];
    return { address: toNumber(address), prefix: Number(prefix) };
  });
  const [first] = networks;
  if (!first) return undefined;
  for (let prefix = Math.min(...networks.map((network) => network.prefix)); prefix >= 8; prefix--) {
    const size = 2 ** (32 - prefix);
    const start = Math.floor(first.address / size) * size;
    const holds = (address: number) => address >= start && address < start + size;
    if (!networks.every(({ address }) => holds(address))) continue;
    const known = podAddresses.filter(isIPv4).map(toNumber);
    return known.every(holds) ? `${toText(start)}/${prefix}` : undefined;
  }
  return undefined;
}

const isIPv4 = (text: string) => text.includes(".");
const toNumber = (address: string) =>
  address.split(".").reduce((number, byte) => number * 256 + Number(byte), 0);
const toText = (number: number) =>
  [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".");
