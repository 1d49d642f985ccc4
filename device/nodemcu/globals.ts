/*
 * What the bundle uses of NodeMCU, by the names that it has there, and what prelude.lua gives. A
 * Lua string is an ArrayBuffer here: it is what the prelude's typed arrays have for a buffer.
 */

export interface NodeUart {
  on: (
    this: void,
    event: 'data',
    count?: number,
    callback?: (this: void, data: ArrayBuffer) => void,
    run?: number,
  ) => void;
  write: (this: void, id: number, data: ArrayBuffer) => void;
}

export interface NodeTimers {
  create: (this: void) => NodeTimer;
  /** microseconds, 31 bits; not on ESP32 */
  now?: (this: void) => number;
  ALARM_SINGLE: number;
  ALARM_AUTO: number;
}

export interface NodeTimer {
  alarm(ms: number, mode: number, callback: (this: void) => void): void;
}

/** An open file: of `file.open` on ESP8266, of `io.open` on ESP32. */
export interface NodeFile {
  seek(from: 'set' | 'end', at: number): number;
  /** up to n bytes */
  read(n: number): ArrayBuffer | undefined;
  write(data: ArrayBuffer): void;
  flush(): void;
  close(): void;
}

export type OpenFile = (this: void, name: string, mode: string) => NodeFile | undefined;

export interface NodeNode {
  /** of the hardware's noise; not on ESP32 */
  random?: (this: void, low: number, high: number) => number;
  /** microseconds; not on ESP8266 */
  uptime: (this: void) => number;
}
