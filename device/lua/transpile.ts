import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import * as tstl from 'typescript-to-lua';
import { visitors } from './visitors.ts';

/** A module as typescript-to-lua made it: `____exports` and `require`, nothing linked yet. */
export interface LuaModule {
  /** as `require` names it: device.core.kernel */
  name: string;
  /** path from the repository's root, of the TypeScript */
  path: string;
  code: string;
}

const root = join(import.meta.dirname, '..', '..');
const language = join(import.meta.dirname, 'language.d.ts');

const options: tstl.CompilerOptions = {
  target: ts.ScriptTarget.ES2020,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  rewriteRelativeImportExtensions: true,
  strict: true,
  types: [],
  rootDir: root,
  outDir: root,
  luaTarget: tstl.LuaTarget.Universal,
  luaLibImport: tstl.LuaLibImportKind.None,
  noHeader: true,
};

/**
 * Transpiles modules of the shared subset to Lua, one Lua module each.
 *
 * @param entry path from the repository's root of the first module
 * @param sources modules that are not on disk, or stand for those that are, by the same paths
 * @returns the modules that it needs, itself last
 * @throws SyntaxError that names what the subset for Lua does not have: file, line, and why
 */
export function transpile(entry: string, sources: Record<string, string>): LuaModule[] {
  const texts = new Map(Object.entries(sources).map(([path, text]) => [resolve(root, path), text]));
  texts.set(language, readFileSync(join(import.meta.dirname, 'language.txt'), 'utf8'));
  const host = ts.createCompilerHost(options);
  const read = (path: string): string | undefined => texts.get(path) ?? ts.sys.readFile(path);
  host.getDefaultLibFileName = () => language;
  host.fileExists = (path) => texts.has(path) || ts.sys.fileExists(path);
  host.readFile = read;
  host.getSourceFile = (path, target) => {
    const text = read(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, target, true);
  };
  const program = ts.createProgram([resolve(root, entry)], options, host);
  refuse(ts.getPreEmitDiagnostics(program));
  const found = new Map<string, string>();
  const { diagnostics } = new tstl.Transpiler().emit({
    program,
    plugins: [{ visitors }],
    writeFile: (path, text) => found.set(relative(root, path), text),
  });
  refuse(diagnostics);
  return program
    .getSourceFiles()
    .map(({ fileName }) => relative(root, fileName))
    .filter((path) => found.has(path.replace(/\.ts$/, '.lua')))
    .map((path) => ({
      name: path.replace(/\.ts$/, '').replaceAll('/', '.'),
      path,
      code: found.get(path.replace(/\.ts$/, '.lua')) as string,
    }));
}

function refuse(diagnostics: readonly ts.Diagnostic[]): void {
  const bad = diagnostics.find(({ category }) => category === ts.DiagnosticCategory.Error);
  if (bad === undefined) return;
  const text = ts.flattenDiagnosticMessageText(bad.messageText, ' ');
  const at = bad.file?.getLineAndCharacterOfPosition(bad.start ?? 0);
  const where = bad.file
    ? `${relative(root, bad.file.fileName)}, line ${(at?.line ?? 0) + 1}: `
    : '';
  throw new SyntaxError(`not for Lua: ${where}${text}`);
}
