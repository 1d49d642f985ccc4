export * from '../../gateway/link/virtual/lossy-port.ts';
