import type { DeviceView } from '../../contract/views.ts';
import type { DeviceDescription } from '../../workflows/device-ports.ts';

export function toDeviceView(device: DeviceDescription): DeviceView {
  const { dkek } = device;
  return {
    readerName: device.readerName,
    firmwareVersion: device.firmwareVersion,
    freeMemory: device.freeMemory,
    pinState: device.pinState,
    pinTriesLeft: device.pinTriesLeft,
    soPinState: device.soPinState,
    soPinTriesLeft: device.soPinTriesLeft,
    dkek: {
      kind: dkek.kind,
      shares: dkek.shares,
      outstanding: dkek.outstanding,
      keyCheckValue: dkek.keyCheckValue,
    },
    options: [...device.options],
  };
}
