import type { Command } from "commander"

/** `headrace-agent k8s-sidecar`: takes k8s-sidecar's environment as it is, and does what k8s-sidecar does. */
export function addK8sSidecarCommand(program: Command, signal: AbortSignal): void {
  program
    .command("k8s-sidecar")
    .description("Takes k8s-sidecar's environment as it is, and does what k8s-sidecar does.")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument("[flags...]", "flags of k8s-sidecar; --help lists its variables")
    .action(async (flags: string[]) => {
      const { k8sSidecar } = await import("../k8s-sidecar/k8s-sidecar.ts")
      await k8sSidecar(flags, signal)
    })
}
