// The table of attacks in docs/security.md names tests that exist.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../../', import.meta.url);

/** What a cell of the table names: [{ file, names }], from `hooks/a_test.go` TestA, or from: file "name", "name". */
function references(cell) {
  return cell.split(';').map((part) => {
    const [, goFile, goTest] = /^`([\w/]+_test\.go)`(?: (Test\w+))?$/.exec(part.trim()) ?? [];
    if (goFile) return { file: goFile, names: goTest ? [`func ${goTest}(`] : [] };
    const [, name, rest] = /^([\w-]+)(?: (.*))?$/.exec(part.trim()) ?? [];
    assert.ok(name, `not to be read: ${part}`);
    return { file: `e2e/js/test/${name}.test.mjs`, names: [...(rest ?? '').matchAll(/"([^"]+)"/g)].flatMap(([, text]) => text.split('…')).map((text) => text.trim()).filter(Boolean) };
  });
}

const rows = readFileSync(new URL('docs/security.md', root), 'utf8').split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| attack |'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

test('the table is there', () => { assert.ok(rows.length >= 25, String(rows.length)); });

for (const [, attack, , tests] of rows) {
  test(attack, () => {
    for (const { file, names } of references(tests)) {
      const path = new URL(file, root);
      assert.ok(existsSync(path), file);
      const source = readFileSync(path, 'utf8').replaceAll("\\'", "'");
      for (const name of names) assert.ok(source.includes(name), `${file} has no ${name}`);
    }
  });
}
