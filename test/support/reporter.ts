import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Ends a run with what was skipped and why, then the one line that scripts read:
 * `N passed, N failed, N skipped`.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    const skipped: string[] = [];
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === 'passed') count.passed++;
        else if (state === 'failed') count.failed++;
        else {
          count.skipped++;
          skipped.push(`  ${test.fullName}${reason(test)}`);
        }
      }
    }
    count.failed += errors.length;
    if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.join('\n')}`);
    console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}

function reason(test: TestCase): string {
  const result = test.result();
  return result.state === 'skipped' && result.note !== undefined ? `: ${result.note}` : '';
}
