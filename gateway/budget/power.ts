import type { SysFiles } from './files.ts';

/** A battery that feeds this machine. */
export interface Battery {
  name: string;
  percent: number;
  /** it is being emptied, as far as anything says so */
  isUsed: boolean;
}

/** What feeds this machine. */
export interface Supplies {
  batteries: Battery[];
  /** null where nothing says: a machine without a battery hangs on the mains */
  onMains: boolean | null;
}

/**
 * Batteries and mains.
 *
 * @param sys the machine's files
 * @source Linux, ABI/testing/sysfs-class-power: type, scope, online, status, capacity in percent. A
 *   supply with scope 'Device' is that of a mouse or a keyboard
 */
export function readSupplies(sys: SysFiles): Supplies {
  const base = 'sys/class/power_supply';
  const all = sys.names(base).map((name) => ({
    ...{ name, type: sys.text(`${base}/${name}/type`), scope: sys.text(`${base}/${name}/scope`) },
  }));
  const own = all.filter(({ scope }) => scope !== 'Device');
  const online = own
    .filter(({ type }) => type !== undefined && type !== 'Battery' && type !== 'UPS')
    .map(({ name }) => sys.integer(`${base}/${name}/online`))
    .filter((value) => value !== undefined);
  const packs = own
    .filter(({ type }) => type === 'Battery' || type === 'UPS')
    .map(({ name }) => ({ name, status: sys.text(`${base}/${name}/status`) }));
  const onMains = mains(
    online,
    packs.map(({ status }) => status),
  );
  const batteries = packs.flatMap(({ name, status }): Battery[] => {
    const percent = sys.integer(`${base}/${name}/capacity`);
    if (percent === undefined) return [];
    if (percent < 0 || percent > 100) {
      sys.problems.push(`/${base}/${name}/capacity: ${percent} is no percentage`);
      return [];
    }
    const isFed = onMains === true || status === 'Charging' || status === 'Full';
    return [{ name, percent, isUsed: status === 'Discharging' || !isFed }];
  });
  return { batteries, onMains };
}

function mains(online: readonly number[], status: readonly (string | undefined)[]): boolean | null {
  if (online.length > 0) return online.some((value) => value > 0);
  if (status.includes('Discharging')) return false;
  if (status.some((one) => one === 'Charging' || one === 'Full' || one === 'Not charging')) {
    return true;
  }
  return null;
}

/** Power that a sensor reads. */
export interface Power {
  name: string;
  watts: number;
}

/** The counter of a zone of RAPL, as it was read last. */
type Counters = Map<string, { microjoules: number; atMs: number }>;

/**
 * Power as far as this machine measures it: monitors of rails (the INA3221 of a Jetson among them),
 * batteries that are emptied, and RAPL, which needs two readings.
 *
 * @param sys the machine's files
 * @param counters what RAPL counted at the last call; is changed
 * @param nowMs time of this reading
 * @source Linux, Documentation/hwmon/sysfs-interface.rst (power*_input µW, in*_input mV, curr*_input
 *   mA), hwmon/ina3221.rst, ABI/testing/sysfs-class-power (µW, µV, µA),
 *   ABI/testing/sysfs-class-powercap (µJ); NVIDIA's kernels before 5.10: in_powerN_input, mW
 */
export function readPower(sys: SysFiles, counters: Counters, nowMs: number): Power[] {
  return [...fromHwmon(sys), ...fromOldJetson(sys), ...fromBattery(sys), ...fromRapl()];

  function fromRapl(): Power[] {
    const base = 'sys/class/powercap';
    const zones = sys.names(base).filter((name) => /^intel-rapl:\d+$/.test(name));
    return zones.flatMap((zone) => {
      const microjoules = sys.integer(`${base}/${zone}/energy_uj`);
      if (microjoules === undefined) return [];
      const before = counters.get(zone);
      counters.set(zone, { microjoules, atMs: nowMs });
      if (before === undefined || nowMs <= before.atMs) return [];
      const range = sys.integer(`${base}/${zone}/max_energy_range_uj`) ?? 0;
      const wrapped = microjoules < before.microjoules ? range : 0;
      const used = microjoules + wrapped - before.microjoules;
      if (used < 0) return [];
      const name = sys.text(`${base}/${zone}/name`) ?? zone;
      return [{ name, watts: used / 1000 / (nowMs - before.atMs) }];
    });
  }
}

function fromHwmon(sys: SysFiles): Power[] {
  const base = 'sys/class/hwmon';
  return sys.names(base).flatMap((chip) => {
    const folder = `${base}/${chip}`;
    const called = sys.text(`${folder}/name`) ?? chip;
    const files = sys.names(folder);
    const label = (kind: string, n: string): string =>
      files.includes(`${kind}${n}_label`)
        ? (sys.text(`${folder}/${kind}${n}_label`) ?? called)
        : `${called} ${n}`;
    return files.flatMap((file): Power[] => {
      const [, kind, n] = /^(power|curr)(\d+)_input$/.exec(file) ?? [];
      if (kind === undefined || n === undefined) return [];
      if (kind === 'power') {
        const microwatts = sys.integer(`${folder}/${file}`);
        return microwatts === undefined
          ? []
          : [{ name: label('power', n), watts: microwatts / 1e6 }];
      }
      // a chip that multiplies by itself needs no help
      if (files.includes(`power${n}_input`) || !files.includes(`in${n}_input`)) return [];
      const milliamperes = sys.integer(`${folder}/${file}`);
      const millivolts = sys.integer(`${folder}/in${n}_input`);
      if (milliamperes === undefined || millivolts === undefined) return [];
      return [{ name: label('in', n), watts: (milliamperes * millivolts) / 1e6 }];
    });
  });
}

function fromOldJetson(sys: SysFiles): Power[] {
  const base = 'sys/bus/i2c/drivers/ina3221x';
  return sys.names(base).flatMap((chip) =>
    sys
      .names(`${base}/${chip}`)
      .filter((name) => name.startsWith('iio'))
      .flatMap((device) =>
        [0, 1, 2].flatMap((n): Power[] => {
          const folder = `${base}/${chip}/${device}`;
          const milliwatts = sys.integer(`${folder}/in_power${n}_input`);
          if (milliwatts === undefined) return [];
          const name = sys.text(`${folder}/rail_name_${n}`) ?? `${chip} ${n}`;
          return [{ name, watts: milliwatts / 1000 }];
        }),
      ),
  );
}

function fromBattery(sys: SysFiles): Power[] {
  const base = 'sys/class/power_supply';
  return sys.names(base).flatMap((name): Power[] => {
    const folder = `${base}/${name}`;
    if (sys.text(`${folder}/type`) !== 'Battery') return [];
    if (sys.text(`${folder}/scope`) === 'Device') return [];
    if (sys.text(`${folder}/status`) !== 'Discharging') return [];
    const files = sys.names(folder);
    const read = (file: string): number | undefined =>
      files.includes(file) ? sys.integer(`${folder}/${file}`) : undefined;
    const microwatts = read('power_now');
    // the sign of a discharge differs from driver to driver
    if (microwatts !== undefined) return [{ name, watts: Math.abs(microwatts) / 1e6 }];
    const [microamperes, microvolts] = [read('current_now'), read('voltage_now')];
    if (microamperes === undefined || microvolts === undefined) return [];
    return [{ name, watts: Math.abs(microamperes * microvolts) / 1e12 }];
  });
}
