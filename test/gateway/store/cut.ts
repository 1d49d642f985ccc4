import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

/**
 * Runs every statement of SQLite one by one from now on, and does something before the n-th of those
 * that change or may change something.
 *
 * @param at 1 for the first; Infinity only counts
 * @param cut what is done: throws, or ends the process
 * @param every again and again, behind so many more
 * @returns how many there were so far, and a function that ends it
 */
export function cutStatements(
  at: number,
  cut: () => void,
  every = Infinity,
): { count(): number; end(): void } {
  const { exec, prepare } = DatabaseSync.prototype;
  let n = 0;
  const note = (): void => {
    n++;
    if (n === at || (n > at && (n - at) % every === 0)) cut();
  };
  DatabaseSync.prototype.exec = function (sql: string) {
    let statement = '';
    for (const piece of sql.split(';')) {
      statement += `${piece};`;
      if (/^[\s;]*$/.test(statement)) statement = '';
      // the body of a trigger holds semicolons of its own
      else if (isWhole.call(this, statement)) {
        note();
        exec.call(this, statement);
        statement = '';
      }
    }
  };
  function isWhole(this: DatabaseSync, sql: string): boolean {
    try {
      prepare.call(this, sql);
      return true;
    } catch (error) {
      return (error as Error).message !== 'incomplete input';
    }
  }
  DatabaseSync.prototype.prepare = function (sql: string, ...options) {
    const statement = prepare.call(this, sql, ...options);
    const { run } = statement;
    statement.run = (...values: unknown[]) => {
      note();
      return run.apply(statement, values as never);
    };
    return statement;
  };
  return {
    count: () => n,
    end() {
      DatabaseSync.prototype.exec = exec;
      DatabaseSync.prototype.prepare = prepare;
    },
  };
}

/**
 * Ends this process by SIGKILL before the n-th change of a file or, where `statements`, of a store.
 * For processes of their own: nothing is put back. Import what is to be tested afterwards.
 */
export function killAt(at: number, { statements }: { statements: boolean }): void {
  let left = at;
  const cut = (): void => {
    if (--left === 0) process.kill(process.pid, 'SIGKILL');
  };
  const files = ['renameSync', 'writeFileSync', 'rmSync', 'linkSync', 'mkdirSync', 'writeSync'];
  for (const name of [...files, 'fsyncSync'] as 'renameSync'[]) {
    const before = fs[name] as (...args: unknown[]) => never;
    fs[name] = (...args: unknown[]) => {
      cut();
      return before(...args);
    };
  }
  syncBuiltinESMExports();
  if (!statements) return;
  cutStatements(1, cut, 1);
}
