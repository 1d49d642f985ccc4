import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // the longest kill a gateway at every frame of an update: under a minute here, but machines of CI are shared
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } }, // of a browser or a gateway, not of an answer at hand
    // what starts processes, browsers and ports may meet a machine that stalls: once more, and the run's end says so
    retry: process.env.CI === undefined ? 0 : 1,
    pool: 'forks',
    // by default one core stays idle, of two
    maxWorkers: '100%',
  },
});
