import { describe, expect, it } from 'vitest';
import { dashboardPages } from '../../../gateway/api/pages.ts';

const pages = dashboardPages();
const urls = new Set(pages.map(({ url }) => url));

describe('dashboardPages()', () => {
  it('holds the page, its modules without types, and the plots', () => {
    for (const url of [
      '/',
      '/app.js',
      '/words.js',
      '/pages/label.js',
      '/style/base.css',
      '/uplot.js',
    ]) {
      expect(urls).toContain(url);
    }
    expect([...urls].filter((url) => url.endsWith('.ts') || url.includes('..'))).toEqual([]);
    expect(pages.find(({ url }) => url === '/words.js')!.content).not.toContain('import type');
  });

  it('serves whatever a file of it asks for, and asks nobody else', () => {
    for (const { url, content } of pages) {
      const asked = [
        ...[...content.matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'/gm)].map(
          ([, path]) => path!,
        ),
        ...[...content.matchAll(/(?:href|src)="([^"]+\.(?:js|css))"/g)].map(([, path]) => path!),
      ];
      for (const path of asked) {
        expect(urls, `${url} asks for ${path}`).toContain(
          new URL(path, `http://gateway${url}`).pathname,
        );
      }
    }
  });

  it('has no script and no style inline: the content policy lets none run', () => {
    for (const { url, content } of pages.filter((one) => one.type.startsWith('text/html'))) {
      expect(content, url).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/);
    }
    for (const { url, content } of pages.filter((one) => one.url !== '/uplot.js')) {
      expect(content, url).not.toMatch(/\.innerHTML|insertAdjacentHTML|document\.write/);
    }
  });
});
