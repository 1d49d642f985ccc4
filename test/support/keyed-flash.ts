export * from '../../gateway/bench/faults/keyed-flash.ts';
