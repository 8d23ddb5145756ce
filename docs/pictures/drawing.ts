// Drawings as SVG: boxes, arrows and labels at given places. White paper in light and dark pages alike.

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** A box with lines of text; `tone` is its fill. */
export function box(
  x: number,
  y: number,
  width: number,
  height: number,
  lines: readonly string[],
  tone = "#eef3fb",
): string {
  const first = y + height / 2 - ((lines.length - 1) * 18) / 2 + 5;
  const texts = lines.map(
    (line, at) =>
      `<text x="${x + width / 2}" y="${first + at * 18}" text-anchor="middle"${at === 0 ? ' font-weight="600"' : ""}>${escape(line)}</text>`,
  );
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${tone}" stroke="#44546a"/>${texts.join("")}`;
}

/** An arrow with an optional label above its middle. */
export function arrow(x1: number, y1: number, x2: number, y2: number, caption = ""): string {
  const text = `<text x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2 - 8}" text-anchor="middle" font-size="12">${escape(caption)}</text>`;
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#44546a" stroke-width="1.5" marker-end="url(#head)"/>${caption === "" ? "" : text}`;
}

/** A label. */
export function label(x: number, y: number, text: string, weight = 400): string {
  return `<text x="${x}" y="${y}" font-weight="${weight}">${escape(text)}</text>`;
}

/** The whole picture. `title` is what a screen reader says. */
export function picture(
  width: number,
  height: number,
  title: string,
  parts: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="14" fill="#1b2430"><title>${escape(title)}</title><defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="#44546a"/></marker></defs><rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

/** A terminal with lines of text. Lines that begin with one of `marks` have its colour. */
export function terminal(
  lines: readonly string[],
  marks: readonly (readonly [start: string, colour: string])[],
): string {
  const height = lines.length * 20 + 56;
  const width = Math.max(...lines.map((line) => line.length)) * 8.43 + 40;
  const texts = lines.map((line, at) => {
    const [, colour] = marks.find(([start]) => line.includes(start)) ?? ["", "#d5dbe3"];
    return `<text x="20" y="${at * 20 + 54}" fill="${colour}" xml:space="preserve">${escape(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${height}" role="img" font-family="ui-monospace, monospace" font-size="14"><title>The demo in a terminal</title><rect width="100%" height="100%" rx="8" fill="#161b22"/><circle cx="20" cy="18" r="6" fill="#ff5f56"/><circle cx="40" cy="18" r="6" fill="#ffbd2e"/><circle cx="60" cy="18" r="6" fill="#27c93f"/>
${texts.join("\n")}
</svg>
`;
}
