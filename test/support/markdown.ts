/** A section of a Markdown text: what stands under one heading, without the sections of the same depth or above that follow. */
export interface Section {
  readonly title: string;
  readonly text: string;
}

/** Sections whose headings have so many `#`. Lines of code that begin with one are not told apart: there are none. */
export function sectionsOf(text: string, depth: number): Section[] {
  const heading = new RegExp(`^#{1,${depth}} `, 'm');
  return text
    .split(new RegExp(`^#{${depth}} `, 'm'))
    .slice(1)
    .map((part) => {
      const [title = '', ...lines] = part.split('\n');
      return { title, text: lines.join('\n').split(heading)[0]! };
    });
}

/** A table: its header, and the cells of its rows, without the backticks of code. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** All tables of a text, in order. */
export function tablesOf(text: string): Table[] {
  const blocks = text.match(/(?:^\|.*\|\n)+/gm) ?? [];
  return blocks.map((block) => {
    const [head, , ...rows] = block.trimEnd().split('\n').map(cellsOf);
    return { head: head!, rows };
  });
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim().replaceAll('`', ''));
}

/** The contents of all code blocks of one language. */
export function codeOf(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code!);
}
