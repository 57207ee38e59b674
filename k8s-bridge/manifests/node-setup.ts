/** Nodes that hold a Nitrokey HSM. Source: bank-vaults, "Kubernetes node setup"; Kubernetes, "Advertise Extended Resources". */
import type { NodePatch, RecipeFile, RenderedRecipe } from '../../electron/workflows/cluster-ports.ts';
import type { NodeSetupInput } from '../../electron/workflows/recipes/node-setup.ts';

const resource = 'nitrokey.com/hsm';
/** RFC 6901: a slash inside a name is ~1. */
const escapedResource = resource.replaceAll('/', '~1');
/** One for the Vault Pod, one for its configurer. */
const unitsPerDevice = 2;

type Operation = NodePatch['operations'][number];

function patchesOf(input: NodeSetupInput, node: NodeSetupInput['nodes'][number]): readonly NodePatch[] {
  const units = node.devices * unitsPerDevice;
  const has = node.devices > 0;
  const capacity: NodePatch = {
    node: node.name,
    subresource: 'status',
    operations: [{ op: 'add', path: `/status/capacity/${escapedResource}`, value: String(units) }],
    summary: `Advertises ${units} units of ${resource} on ${node.name}: ${unitsPerDevice} for each device.`,
  };
  const label: Operation = { op: 'add', path: `/metadata/labels/${escapedResource}`, value: has ? 'true' : 'false' };
  return [
    capacity,
    ...(input.label
      ? [
          {
            node: node.name,
            subresource: '' as const,
            operations: [label],
            summary: `Labels ${node.name} with ${resource}=${has ? 'true' : 'false'}.`,
          },
        ]
      : []),
    ...(input.taint !== 'none' && has
      ? [
          {
            node: node.name,
            subresource: '' as const,
            operations: [{ op: 'add' as const, path: '/spec/taints/-', value: { key: resource, effect: input.taint } }],
            summary: `Keeps Pods that do not tolerate ${resource} off ${node.name} (${input.taint}).`,
          },
        ]
      : []),
  ];
}

/** 20a0:4230 is the Nitrokey HSM; the words are for VirtualBox, minikube's driver with USB filters. */
const minikubeNotes = `#!/bin/sh
# A Nitrokey HSM inside minikube's virtual machine (VirtualBox). Run these by hand, one after the other.
set -eu

# USB 2 needs VirtualBox's Extension Pack: it has to be in this list.
VBoxManage list extpacks

# The machine has to exist, and to be off, before it is changed.
minikube config set driver virtualbox
minikube start
minikube stop
VBoxManage modifyvm minikube --usb-ehci on

# The device as the host sees it; then a filter, so that the machine takes it when it is plugged in.
VBoxManage list usbhost
VBoxManage usbfilter add 0 --target minikube --name 'Nitrokey HSM' --vendorid 20a0 --productid 4230

# Stop pcscd and scdaemon on the host first, or they keep the device. Plug it in after the start.
minikube start
minikube ssh -- lsusb -d 20a0:4230
`;

/** kubectl's own words for label and taint: it makes the list of taints where there is none. */
function kubectlCommands(input: NodeSetupInput): string {
  const lines = input.nodes.flatMap((node) => {
    const [capacity] = patchesOf(input, node);
    const has = node.devices > 0;
    return [
      ...(capacity === undefined
        ? []
        : [
            `kubectl patch node ${node.name} --subresource=status --type=json -p '${JSON.stringify(capacity.operations)}'`,
          ]),
      ...(input.label ? [`kubectl label node ${node.name} --overwrite ${resource}=${String(has)}`] : []),
      ...(input.taint !== 'none' && has
        ? [`kubectl taint node ${node.name} --overwrite ${resource}:${input.taint}`]
        : []),
    ];
  });
  return `#!/bin/sh\n# What the push does, for a cluster without it: ${unitsPerDevice} units for each device.\nset -eu\n\n${lines.join('\n')}\n`;
}

export function renderNodeSetup(input: NodeSetupInput): RenderedRecipe {
  const commands: RecipeFile = {
    name: 'node-setup.sh',
    language: 'shell',
    text: kubectlCommands(input),
    place: 'The same changes as kubectl commands, for git or a cluster that is set up by hand.',
  };
  const minikube: RecipeFile = {
    name: 'minikube-usb.sh',
    language: 'shell',
    text: minikubeNotes,
    place: 'On the machine that runs minikube, before the push: it passes the USB device into the virtual machine.',
  };
  return {
    content: {
      objects: [],
      secretSlots: [],
      patches: input.nodes.flatMap((node) => patchesOf(input, node)),
      rollouts: [],
    },
    files: [commands, ...(input.minikube ? [minikube] : [])],
    notes: [
      'Units of an extended resource are whole numbers: a device counts as two, one for the Vault Pod and one for its configurer.',
      'A node that joins anew (a new kubelet registration) forgets the resource: push again then.',
      ...(input.taint === 'none'
        ? []
        : [
            'Pods that are there already stay. The Vault recipe tolerates this taint; other Pods that need the device must, too.',
          ]),
    ],
  };
}
