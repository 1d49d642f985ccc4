/**
 * What a machine must have to spare before a training starts that nobody asked for. In the
 * configuration of `start`: `"budget": { … }`.
 */
export interface BudgetLimits {
  /** a thermal zone at this or above waits; its own trip point does where that is lower */
  maxCelsius: number;
  /** thermal zones, by type, that are not listened to */
  ignoreZones: string[];
  /** load of the last minute, for each processor; null: any */
  maxLoad: number | null;
  /** of a battery that is not being charged */
  minBatteryPercent: number;
  onlyOnMains: boolean;
  /** the highest power that a sensor of this machine reads, in watts; null: any */
  maxWatts: number | null;
  /**
   * after this long, load, power and a temperature below the hard limit give way; null: never.
   * Battery and mains do not.
   */
  maxWaitMinutes: number | null;
}

/**
 * The defaults.
 *
 * 80 °C is where a Raspberry Pi begins to throttle (Raspberry Pi documentation, "Frequency
 * management and thermal control"). A Jetson's PMIC-Die reads a constant 100 °C. 20 % is where
 * desktops call a battery low (UPower's PercentageLow). A day, since load and heat have a daily
 * course. Load and power are this machine's own business: no limit until somebody sets one.
 */
export const budgetDefaults: BudgetLimits = {
  ...{ maxCelsius: 80, ignoreZones: ['PMIC-Die'], maxLoad: null, minBatteryPercent: 20 },
  ...{ onlyOnMains: false, maxWatts: null, maxWaitMinutes: 1440 },
};

const positive = { exclusiveMinimum: 0 } as const;
const orNull = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] });

/** JSON schema of `budget` in a configuration; every field may be left out. */
export const budgetSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    maxCelsius: { type: 'number', ...positive, maximum: 120 },
    ignoreZones: { type: 'array', items: { type: 'string', minLength: 1 } },
    maxLoad: orNull({ type: 'number', ...positive }),
    minBatteryPercent: { type: 'number', minimum: 0, maximum: 100 },
    onlyOnMains: { type: 'boolean' },
    maxWatts: orNull({ type: 'number', ...positive }),
    maxWaitMinutes: orNull({ type: 'number', minimum: 0 }),
  },
} as const;
