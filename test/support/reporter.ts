import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/**
 * Ends a run with what was skipped and why, what passed only when tried again and what
 * failed (whoever sees only the end of a log sees that), then the one line that scripts read: `N passed, N failed, N skipped`.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    let passed = 0;
    const skipped: string[] = [];
    const again: string[] = [];
    const failed: string[] = [];
    for (const module of modules) {
      const file = module.relativeModuleId;
      const suites = [module, ...module.children.allSuites()].filter((one) => one.errors().length);
      for (const suite of suites) {
        const name = suite.type === 'module' ? 'the file itself, or its hooks' : suite.fullName;
        failed.push(`  ${file} > ${name}${reasons(suite.errors())}`);
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') {
          passed++;
          if (test.diagnostic()?.flaky)
            again.push(`  ${file} > ${test.fullName}${reasons(result.errors ?? [])}`);
        } else if (result.state === 'failed')
          failed.push(`  ${file} > ${test.fullName}${reasons(result.errors)}`);
        else skipped.push(`  ${test.fullName}${whySkipped(test)}`);
      }
    }
    for (const error of errors) failed.push(`  outside of any test${reasons([error])}`);
    if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.join('\n')}`);
    if (again.length > 0) console.log(`\nPassed when tried again:\n${again.join('\n')}`);
    if (failed.length > 0) console.log(`\nFailed:\n${failed.join('\n')}`);
    console.log(`\n${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  }
}

/** Messages of errors and where they were thrown, in at most 20 lines, each indented. */
function reasons(errors: readonly SerializedError[]): string {
  const texts = errors.map(({ message, stack }) =>
    stack?.includes(message) ? stack : `${message}\n${stack ?? ''}`,
  );
  return texts
    .flatMap((text) => text.trimEnd().split('\n'))
    .filter((line) => !line.includes('node_modules/vitest/'))
    .slice(0, 20)
    .map((line) => `\n    ${line}`)
    .join('');
}

function whySkipped(test: TestCase): string {
  const result = test.result();
  return result.state === 'skipped' && result.note !== undefined ? `: ${result.note}` : '';
}
