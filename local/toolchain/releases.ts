/** What says that a download holds what its project released. */
export type Checksum =
  | {
      sha256: string;
      /** Public places, independent of each other, that name this value. */
      foundIn: readonly string[];
    }
  | {
      /**
       * The release's own checksum file, on the host of the download itself: no public place
       * named a value when this was written. It guards against broken transfers; against a wrong
       * host there is TLS alone, as with whoever downloads by hand.
       */
      sha256From: string;
    };

export interface Download {
  url: string;
  checksum: Checksum;
  /** About its size, in 10⁶ bytes; a server that sends more than twice as much is refused. */
  megabytes: number;
  /** The program that the file is, or of an archive: program → path in it. */
  contents: string | Readonly<Record<string, string>>;
}

export interface Release {
  name: string;
  /** As the Go modules name it, which are built where this release can't be had. */
  version: string;
  /** By Node's name of the processor. */
  downloads: Readonly<Partial<Record<NodeJS.Architecture, readonly Download[]>>>;
}

export const programsOf = (downloads: readonly Download[]): string[] =>
  downloads.flatMap(({ contents }) =>
    typeof contents === "string" ? [contents] : Object.keys(contents),
  );

const github = (repository: string, version: string, file: string) =>
  `https://github.com/${repository}/releases/download/${version}/${file}`;

type Processor = { go: "amd64" | "arm64"; uname: "x86_64" | "arm64"; node: "x64" | "arm64" };

const onEach = (downloads: (processor: Processor) => Download[]): Release["downloads"] => ({
  x64: downloads({ go: "amd64", uname: "x86_64", node: "x64" }),
  arm64: downloads({ go: "arm64", uname: "arm64", node: "arm64" }),
});

const versions = {
  containerd: "v2.4.2",
  coredns: "v1.14.0",
  etcd: "v3.7.0",
  kubernetes: "v1.37.2",
  pulumi: "v3.230.0",
  versitygw: "v1.8.0",
};
const unprefixed = (version: string) => version.slice(1);

/** Sizes of v1.37.1; the server archive of all of them is as large and can't be had in parts. */
const kubernetesMegabytes = {
  "kube-apiserver": 96,
  "kube-controller-manager": 80,
  "kube-proxy": 46,
  "kube-scheduler": 51,
  kubectl: 63,
  kubelet: 62,
};

/** Official builds of the programs in ./builds.ts, of those that have any. */
export const releases: readonly Release[] = [
  {
    name: "pulumi",
    version: versions.pulumi,
    downloads: onEach(({ node }) => [
      {
        url: github(
          "pulumi/pulumi",
          versions.pulumi,
          `pulumi-${versions.pulumi}-linux-${node}.tar.gz`,
        ),
        checksum: {
          sha256: {
            x64: "52337212db85636fa598689cdcf6f54c0aa8a7ccd676dc04e00f2b6334eee8ec",
            arm64: "e9684f6909335aed95657c006e62d606a88fa09ef098378aff2f3a847d462325",
          }[node],
          foundIn: ["Pulumi's own github.com/pulumi/homebrew-tap at 6b6066f, Formula/pulumi.rb"],
        },
        megabytes: 137,
        contents: {
          pulumi: "pulumi/pulumi",
          "pulumi-language-nodejs": "pulumi/pulumi-language-nodejs",
        },
      },
    ]),
  },
  {
    name: "kubernetes",
    version: versions.kubernetes,
    downloads: onEach(({ go }) =>
      Object.entries(kubernetesMegabytes).map(([program, megabytes]) => {
        const url = `https://dl.k8s.io/release/${versions.kubernetes}/bin/linux/${go}/${program}`;
        // Public tables (kops' and kubespray's) end at v1.37.1.
        return { url, checksum: { sha256From: `${url}.sha256` }, megabytes, contents: program };
      }),
    ),
  },
  {
    name: "containerd",
    version: versions.containerd,
    downloads: onEach(({ go }) => {
      // The static one: the other wants glibc 2.35.
      const file = `containerd-static-${unprefixed(versions.containerd)}-linux-${go}.tar.gz`;
      const url = github("containerd/containerd", versions.containerd, file);
      return [
        {
          url,
          checksum: { sha256From: `${url}.sha256sum` },
          megabytes: 37,
          contents: {
            containerd: "bin/containerd",
            "containerd-shim-runc-v2": "bin/containerd-shim-runc-v2",
            ctr: "bin/ctr",
          },
        },
      ];
    }),
  },
  {
    name: "etcd",
    version: versions.etcd,
    downloads: onEach(({ go }) => [
      {
        url: github("etcd-io/etcd", versions.etcd, `etcd-${versions.etcd}-linux-${go}.tar.gz`),
        checksum: {
          amd64: {
            sha256: "b05cb07f5686dab8f9cdab89986b44f0dd24aaf5c627176aff325e21fa56f9f0",
            foundIn: [
              "github.com/chromebrew/chromebrew, packages/etcd.rb of etcd 3.7.0",
              "github.com/shegeley/x-files at 1fbc40e, src/x-files/packages/etcd.scm (base 32)",
            ],
          },
          arm64: {
            sha256: "e61a0954fe6a3003ee20f45e773e12e15c58323ea485deb8a55d065170cdafe8",
            foundIn: [
              "github.com/shegeley/x-files at 1fbc40e, src/x-files/packages/etcd.scm (base 32)",
              "github.com/akinarcak/Yetka at 686de3c, deploy/ha/postgresql/install-etcd-node.sh",
            ],
          },
        }[go],
        megabytes: 24,
        contents: { etcd: `etcd-${versions.etcd}-linux-${go}/etcd` },
      },
    ]),
  },
  {
    name: "coredns",
    version: versions.coredns,
    downloads: onEach(({ go }) => {
      const file = `coredns_${unprefixed(versions.coredns)}_linux_${go}.tgz`;
      const url = github("coredns/coredns", versions.coredns, file);
      return [
        {
          url,
          checksum: { sha256From: `${url}.sha256` },
          megabytes: 24,
          contents: { coredns: "coredns" },
        },
      ];
    }),
  },
  {
    name: "versitygw",
    version: versions.versitygw,
    downloads: onEach(({ uname }) => {
      const file = `versitygw_${versions.versitygw}_Linux_${uname}`;
      return [
        {
          url: github("versity/versitygw", versions.versitygw, `${file}.tar.gz`),
          checksum: {
            sha256: {
              x86_64: "2ba2c734d10d2c4e651d03182cb4b246656bc735a2f282db7b0b73fba6073467",
              arm64: "b34051d33f5a9c457f790896acb7bd7d7e15ad8d92efb70616b924f37e401910",
            }[uname],
            foundIn: [
              "github.com/f-inverse/jammi-ai at 24f7774, ci/scripts/s3_test_store.sh",
              "github.com/btahir/tiffin, releaseSHA256 of its package storage",
            ],
          },
          megabytes: 22,
          contents: { versitygw: `${file}/versitygw` },
        },
      ];
    }),
  },
];
