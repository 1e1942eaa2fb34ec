// The tour of the README: its marked blocks, as one script, and what it says they print.

const MARK = /^<!--\s*tour:(\d+)(\s+output)?\s*-->\s*$/;
const LANGUAGES = { bash: 'bash', sh: 'bash', js: 'js', javascript: 'js', text: 'text' };

/**
 * Reads the blocks that follow `<!-- tour:N -->` (bash or js) and `<!-- tour:N output -->` (text).
 * → [{ number, language, code, expected: [line, …] }], in the order of the text. A mark without its block is an error.
 */
export function readTour(markdown) {
  const lines = markdown.split(/\r?\n/);
  const steps = [];
  for (let i = 0; i < lines.length; i++) {
    const mark = MARK.exec(lines[i].trim());
    if (!mark) continue;
    const number = Number(mark[1]);
    const where = `README line ${i + 1}, ${lines[i].trim()}`;
    let open = i + 1;
    while (open < lines.length && lines[open].trim() === '') open++;
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\w+)/.exec(lines[open] ?? '');
    const language = LANGUAGES[fence?.[3]];
    if (!language) throw new Error(`${where}: no bash, js or text block follows`);
    const close = lines.findIndex((line, at) => at > open && line.trim() === fence[2]);
    if (close < 0) throw new Error(`${where}: the block has no end`);
    const body = lines.slice(open + 1, close).map((line) => (line.startsWith(fence[1]) ? line.slice(fence[1].length) : line));

    if (mark[2]) {
      const step = steps.find((each) => each.number === number);
      if (!step || language !== 'text') throw new Error(`${where}: needs a text block, after the step it belongs to`);
      step.expected.push(...body.map((line) => line.trim()).filter(Boolean));
    } else {
      if (language === 'text') throw new Error(`${where}: a step is bash or js`);
      if (number !== steps.length + 1) throw new Error(`${where}: step ${steps.length + 1} was due`);
      steps.push({ number, language, code: body.join('\n'), expected: [] });
    }
    i = close;
  }
  return steps;
}

const heading = (step) => `---- tour step ${step.number} ----`;

/** One bash script of all steps; `runJs(step)` gives the shell command for a js step. */
export function tourScript(steps, runJs) {
  return steps.map((step) => `printf '\\n%s\\n' '${heading(step)}'\n${step.language === 'js' ? runJs(step) : step.code}\n`).join('\n');
}

/** The lines that a step printed. */
export function printedBy(step, output) {
  const lines = output.split(/\r?\n/).map((line) => line.trim());
  const start = lines.indexOf(heading(step));
  const end = lines.findIndex((line, at) => at > start && /^---- tour step \d+ ----$/.test(line));
  return start < 0 ? [] : lines.slice(start + 1, end < 0 ? undefined : end);
}

/**
 * The expected lines that were not printed in this order; `…` in one stands for any text. A line counts as whole
 * after the end of a JSON answer too: curl prints no line break there.
 */
export function missingLines(expected, printed) {
  let at = 0;
  return expected.filter((line) => {
    const pattern = new RegExp(`(?:^|\\})${line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
    const found = printed.findIndex((text, index) => index >= at && pattern.test(text));
    if (found >= 0) at = found + 1;
    return found < 0;
  });
}
