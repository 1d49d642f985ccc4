import { kindOf } from '../device/kind.ts';
import { loadBoard } from './board.ts';
import type { Composed } from './compose.ts';
import { GatewayError } from './errors.ts';
import type { AddKeys, KeyCalls } from './key-calls.ts';
import { slotFileImage } from './slot-file.ts';
import type { DeviceKeys } from './store/keys.ts';
import { isWeak } from './suites.ts';
import type { LinkView } from './views/device.ts';
import type { KeyView } from './views/key.ts';

/**
 * Answers what people and programs ask about keys.
 *
 * @param gateway composed
 * @param options allowWeakLink: whether keys may be for a weaker suite than the board's; versionOf: a
 *   version by its first digits
 */
export function keyService(
  { store, registry, loop, task, clock }: Composed,
  options: { allowWeakLink: boolean; versionOf: (prefix: string) => string },
): KeyCalls {
  const { keys, journal } = store;

  function viewOf({ present, pending, ...rest }: DeviceKeys): KeyView {
    const { device, board, suite, addedAt, rotatedAt } = rest;
    return {
      ...{ device, board, suite, addedAt, rotatedAt, removedAt: null },
      ...{ generation: present.generation, pending: pending?.generation ?? null },
      connected: loop.online.has(device),
    };
  }

  /** @throws GatewayError 'bad-board', 'not-allowed' */
  function suiteFor({ device, board, suite }: AddKeys): 'ccm' | 'mac' {
    const [best] = loadBoard(board).suites;
    const chosen = suite ?? best;
    if (chosen === undefined || chosen === 'none') {
      throw new GatewayError('not-allowed', `${board} has nothing to secure a link with`, {
        hint: `keep ${device} on a cable, without keys: whetstone start --allow-weak-link`,
      });
    }
    if (!loadBoard(board).suites.includes(chosen)) {
      throw new GatewayError('not-allowed', `${board} cannot do ${chosen}`, {
        hint: `it can do: ${loadBoard(board).suites.join(', ')}`,
      });
    }
    if (isWeak(board, chosen) && !options.allowWeakLink) {
      throw new GatewayError('not-allowed', `${board} can do better than ${chosen}: ${best}`, {
        hint: 'leave --suite out, or start the gateway with --allow-weak-link',
      });
    }
    return chosen;
  }

  return {
    async keys() {
      const removed = keys.removed().map(({ removedAt, ...rest }) => ({
        ...{ ...rest, generation: null, pending: null, removedAt, connected: false },
      }));
      return [...keys.list().map(viewOf), ...removed].sort((a, b) =>
        a.device < b.device ? -1 : 1,
      );
    },
    async addKeys(request, by) {
      const { device, board, replace = false, model } = request;
      const suite = suiteFor(request);
      let slot: Uint8Array | undefined;
      if (model !== undefined) {
        const { slotImage } = await import('./model-files.ts');
        slot = slotImage(registry, options.versionOf(model), task, kindOf(board, task.name));
      }
      const profile = loadBoard(board);
      if (slot !== undefined && slot.length > profile.slotPages * profile.flash.pageBytes) {
        throw new GatewayError('not-allowed', `the model does not fit a slot of ${board}`);
      }
      const at = clock.now();
      const added = keys.add(device, { board, suite, at }, { replace });
      loop.forget(device);
      journal.write('key.added', device, { board, suite, replaced: replace, ...named(by) }, at);
      const sequence = Math.max(1, added.deviceEpoch);
      const image = slotFileImage(profile, added.present, sequence, slot);
      return { ...viewOf(added), image: Buffer.from(image).toString('base64') };
    },
    async rotateKeys(device, by) {
      if (keys.get(device)?.suite === 'mac') {
        throw new GatewayError('not-allowed', `the link of '${device}' is not encrypted (mac)`, {
          hint: `new keys would travel in clear; flash it again: whetstone keys add ${device} --board ${keys.get(device)?.board} --replace --out FILE`,
        });
      }
      const rotating = keys.rotate(device);
      const { generation } = rotating.pending!;
      journal.write('key.rotating', device, { generation, ...named(by) }, clock.now());
      loop.online.get(device)?.rekey();
      return viewOf(keys.get(device) ?? rotating);
    },
    async removeKeys(device, by) {
      const before = keys.get(device);
      const removedAt = clock.now();
      keys.remove(device, removedAt);
      loop.forget(device);
      journal.write('key.removed', device, { ...named(by) }, removedAt);
      return { ...viewOf(before!), generation: null, pending: null, removedAt, connected: false };
    },
  };
}

/** Who wanted it, where that is known. */
const named = (by: string | undefined) => by !== undefined && { who: by };

/** How a device's link is secured, and what was refused on it. */
export function linkViewOf({ store, loop }: Composed, device: string): LinkView {
  const link = loop.linkOf(device);
  const known = store.keys.get(device);
  const stats = loop.online.get(device)?.stats();
  return {
    suite: link?.suite ?? null,
    weak: link?.weak ?? false,
    generation: known?.present.generation ?? null,
    badFrames: stats?.badFrames ?? 0,
    replays: stats?.guard.replays ?? 0,
    waiting: stats?.waiting ?? 0,
    refused: store.refusals.of(device),
  };
}
