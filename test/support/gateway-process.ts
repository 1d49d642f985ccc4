export * from '../../gateway/bench/faults/kill/gateway-process.ts';
