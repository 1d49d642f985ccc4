export * from '../../gateway/bench/faults/gateway-process.ts';
