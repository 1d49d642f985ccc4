import type { Registry } from './registry/registry.ts';
import type { GateReport } from './train/gate-report.ts';
import { decodeModel, type QuantModel } from './train/model.ts';

/** A registered version as the trainer starts from it. */
export interface TrainedVersion {
  model: QuantModel;
  /** accuracy that the gate saw when it was released, 0 to 1 */
  reference: number | null;
  /** it has replaced another version */
  isUpdated: boolean;
}

/**
 * Reads a version back into the trainer's form.
 *
 * @throws GatewayError 'not-found' if there is no such version
 */
export function modelOf(registry: Registry, version: string): TrainedVersion {
  return {
    model: decodeModel(registry.parts(version)),
    reference: reportOf(registry, version)?.evidence.candidate ?? null,
    isUpdated: registry.get(version).manifest.parent !== null,
  };
}

/** The gate's report that was stored with a version; null if none decided (an import). */
export function reportOf(registry: Registry, version: string): GateReport | null {
  const report = registry.get(version).report as GateReport | { imported: unknown } | null;
  return report === null || 'imported' in report ? null : report;
}

/** Whether a version was released although it does not reach the task's aim: better, not yet good. */
export function fallsShort(registry: Registry, version: string | null): boolean {
  return version !== null && reportOf(registry, version)?.reachesAim === false;
}

/** Releases whose versions are at hand: more than a fleet runs at once. */
const VERSIONS_KEPT = 64;

/**
 * Tells the version behind a release: once there is one it stays the same, and the registry is not asked
 * again.
 *
 * @returns null for a release that this gateway never made
 */
export function createVersionOf(
  registry: Pick<Registry, 'releaseOf'>,
): (release: number) => string | null {
  const versions = new Map<number, string>();
  return (release) => {
    if (release === 0) return null; // no model at all
    let version = versions.get(release);
    if (version === undefined) {
      version = registry.releaseOf(release)?.version;
      if (version === undefined) return null;
      if (versions.size >= VERSIONS_KEPT) versions.clear();
      versions.set(release, version);
    }
    return version;
  };
}
