export * from '../../gateway/bench/faults/tiny-model.ts';
