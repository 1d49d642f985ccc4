import { optionsOf } from '../device/build.ts';
import { type BoardProfile, boardNames, loadBoard } from './board.ts';
import { modelBytes, OFFER_BYTES } from './heal.ts';
import type { Task } from './task.ts';
import type { ModelParts, QuantModel } from './train/model.ts';
import { needsOf, summarise } from './train/model-summary.ts';

/** Whether a board runs a model. */
export interface BoardFit {
  board: string;
  fits: boolean;
  /** what is missing, one phrase each */
  why: string[];
}

/** Share of a board's RAM that a model may take; the rest is the interpreter, runtime and ring. */
const RAM_SHARE = 0.25;

/**
 * Judges each board of hardware/boards: room in a slot, RAM for activations (and for the parts, where
 * flash is not mapped), and whether the task's bundle holds the layers.
 *
 * @param parts of the model, as encodeModel gives them
 * @param task whose bundle the boards have
 * @returns a row for each board, by name
 */
export function fitBoards(model: QuantModel, parts: ModelParts, task: Task): BoardFit[] {
  const bytes = modelBytes(parts);
  const { ram } = summarise(model.layers);
  const needs = needsOf(model.layers);
  return boardNames().map((name) => {
    const board = loadBoard(name);
    const why = [roomIn(board, bytes + OFFER_BYTES), ramOf(board, ram, bytes)];
    const bundle = optionsOf(board, task);
    const missing = needs.filter((part) => bundle[part] === false);
    if (missing.length > 0) {
      why.push(
        `the bundle of task '${task.name}' lacks ${missing.join(', ')}: build it with --model FILE`,
      );
    }
    const problems = why.filter((problem) => problem !== undefined);
    return { board: name, fits: problems.length === 0, why: problems };
  });
}

function roomIn({ slotPages, flash }: BoardProfile, bytes: number): string | undefined {
  const slot = slotPages * flash.pageBytes;
  return bytes <= slot ? undefined : `${bytes} bytes, a slot has ${slot}`;
}

function ramOf({ ram, flash }: BoardProfile, live: number, bytes: number): string | undefined {
  const needed = live + (flash.mapped ? 0 : bytes);
  const limit = Math.floor(ram * RAM_SHARE);
  return ram === 0 || needed <= limit ? undefined : `${needed} bytes of RAM, ${limit} are for it`;
}
