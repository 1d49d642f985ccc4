/** What the bundle uses of Espruino: the board double of the tests has the same names. */

/** A port: Serial1, Bluetooth or USB. */
export interface EspruinoPort {
  setup: (baud: number, options: { path?: string; rx?: unknown; tx?: unknown }) => void;
  on: (event: 'data', callback: (data: string) => void) => void;
  write: (bytes: Uint8Array) => void;
}

export interface EspruinoFlash {
  /** undefined for a length below 1 */
  read: (length: number, at: number) => Uint8Array;
  write: (bytes: Uint8Array, at: number) => void;
  erasePage: (at: number) => void;
}

export interface EspruinoStorage {
  list: () => string[];
  write: (name: string, data: string, offset: number, size: number) => boolean;
  readJSON: (name: string, noExceptions: boolean) => unknown;
}

export interface EspruinoE {
  CRC32: (bytes: Uint8Array) => number;
  clip: (value: number, least: number, most: number) => number;
  convolve: (a: ArrayLike<number>, b: ArrayLike<number>, offset?: number) => number;
  /** address of bytes that lie in one piece (`flat`), in RAM or in mapped flash; else 0 */
  getAddressOf: (a: ArrayLike<number>, flat: boolean) => number;
  /** machine code of `code`, entered at `at`; its lowest bit says Thumb */
  nativeCall: (at: number, signature: string, code: string) => (...values: number[]) => number;
  /** an int32, of hardware noise where the board has a source of it */
  hwRand: () => number;
  memoryArea: (at: number, length: number) => string;
  toArrayBuffer: (text: string) => ArrayBuffer;
  toString: (bytes: Uint8Array) => string;
  toUint8Array: (data: string) => Uint8Array;
  /** without options it may move again when a cable or a radio connects */
  setConsole: (device: string | null, options?: { force: boolean }) => void;
}

/** One reading of an accelerometer, in g (Bangle.js) or in raw counts (Puck.js). */
export interface Reading {
  x: number;
  y: number;
  z: number;
}

/** TensorFlow Lite Micro, on a model that it keeps. */
export interface EspruinoInterpreter {
  getInput: () => Int8Array;
  invoke: () => void;
  getOutput: () => Int8Array;
}

export interface EspruinoTensorflow {
  /** throws where a model does not fit the arena, or the arena the RAM */
  create: (arenaBytes: number, model: Uint8Array) => EspruinoInterpreter;
}

/** Of bytes in one piece; AES of a key of 16, in CBC with a vector of zeros unless a mode is named. */
export interface EspruinoCrypto {
  AES: { encrypt: (bytes: Uint8Array, key: Uint8Array, options?: { mode: 'ECB' }) => ArrayBuffer };
  SHA1: (bytes: Uint8Array) => ArrayBuffer;
}

/** `require` of the libraries that the bundle uses. */
export interface EspruinoRequire {
  (name: 'crypto'): EspruinoCrypto;
  (name: 'tensorflow'): EspruinoTensorflow;
  (name: 'Flash'): EspruinoFlash;
  (name: 'Storage'): EspruinoStorage;
}
