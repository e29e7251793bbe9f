// Time against size, both logarithmic, as an SVG without a background: its colours stand on white
// and on black.
import type { Results } from "./report.ts";
import type { Step } from "./steps.ts";

const kPanels = [
  { title: "Import", steps: ["import_new", "import_unchanged"] },
  { title: "Sync", steps: ["sync_new", "sync_unchanged", "sync_few"] },
] as const satisfies readonly { title: string; steps: readonly Step[] }[];
const kStyles: Partial<Record<Step, readonly [colour: string, label: string]>> = {
  import_new: ["#2f81f7", "new"],
  import_unchanged: ["#c2740a", "unchanged"],
  sync_new: ["#2f81f7", "new"],
  sync_unchanged: ["#c2740a", "unchanged"],
  sync_few: ["#1f9d55", "100 changed"],
};
const kCaption =
  "solid: Sync Manager, dashed: the same work in a plain JavaScript Worker (JS); " +
  "both scales logarithmic";
const kFonts = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";
const kInk = "#7d8590";
const kGrid = `stroke="${kInk}" stroke-opacity="0.25"`;
const kWidth = 880;
const kHeight = 440;
const kPanel = { width: 270, height: 310, top: 62 } as const;
const kLefts = [62, 492] as const;
const kLabelGap = 15;

type Point = readonly [size: number, ms: number];

export function plot(results: Results): string {
  const sizes = Object.keys(results.sizes).map(Number);
  const times = kPanels.flatMap(({ steps }) =>
    steps.flatMap((step) =>
      ["product", "baseline"].flatMap((server) =>
        pointsOf(results, server, step).map(([, ms]) => ms),
      ),
    ),
  );
  const scale = new Scale(sizes, times);
  const panels = kPanels.map((panel, i) => drawPanel(results, scale, panel, kLefts[i] ?? 0));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${kWidth} ${kHeight}"`,
    `  width="${kWidth}" height="${kHeight}" font-family="${kFonts}" font-size="12" fill="${kInk}">`,
    "<title>Time against number of properties, Sync Manager and JavaScript</title>",
    `<text x="${kLefts[0]}" y="18">${kCaption}</text>`,
    ...panels.flat(),
    "</svg>",
    "",
  ].join("\n");
}

function pointsOf(results: Results, server: string, step: Step): Point[] {
  return Object.entries(results.sizes).flatMap(([size, { steps }]): Point[] => {
    const measured = steps[server]?.[step];
    return measured === undefined ? [] : [[Number(size), measured.median]];
  });
}

/** Whole decades around what is shown. */
class Scale {
  readonly decades: { readonly size: readonly number[]; readonly ms: readonly number[] };

  constructor(sizes: readonly number[], times: readonly number[]) {
    this.decades = { size: decadesAround(sizes), ms: decadesAround(times) };
  }

  x(left: number, size: number): number {
    return left + share(this.decades.size, size) * kPanel.width;
  }

  y(ms: number): number {
    return kPanel.top + (1 - share(this.decades.ms, ms)) * kPanel.height;
  }
}

function decadesAround(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

function share(decades: readonly number[], value: number): number {
  const [first, last] = [Math.log10(decades[0] ?? 1), Math.log10(decades.at(-1) ?? 10)];
  return (Math.log10(value) - first) / (last - first);
}

function drawPanel(
  results: Results,
  scale: Scale,
  { title, steps }: { readonly title: string; readonly steps: readonly Step[] },
  left: number,
): string[] {
  const bottom = kPanel.top + kPanel.height;
  const right = left + kPanel.width;
  const lines = [
    `<text x="${left}" y="${kPanel.top - 14}" font-size="15" font-weight="600">${title}</text>`,
  ];
  for (const ms of scale.decades.ms) {
    const y = scale.y(ms).toFixed(1);
    lines.push(`<path d="M${left} ${y}H${right}" ${kGrid}/>`);
    lines.push(`<text x="${left - 8}" y="${y}" dy="4" text-anchor="end">${duration(ms)}</text>`);
  }
  for (const size of scale.decades.size) {
    const x = scale.x(left, size).toFixed(1);
    lines.push(`<path d="M${x} ${kPanel.top}V${bottom}" ${kGrid}/>`);
    lines.push(
      `<text x="${x}" y="${bottom + 18}" text-anchor="middle">${size.toLocaleString("en")}</text>`,
    );
  }
  lines.push(
    `<text x="${left + kPanel.width / 2}" y="${bottom + 38}" text-anchor="middle">properties of 1 KB</text>`,
  );
  const labels: Label[] = [];
  for (const step of steps) {
    const [colour, label] = kStyles[step] ?? [kInk, step];
    const baseline = pointsOf(results, "baseline", step);
    const product = pointsOf(results, "product", step);
    lines.push(...drawLine(scale, left, baseline, colour, "dashed"));
    lines.push(...drawLine(scale, left, product, colour, "solid"));
    const [lastBaseline, lastProduct] = [baseline.at(-1), product.at(-1)];
    if (lastProduct !== undefined) {
      labels.push({ y: scale.y(lastProduct[1]), colour, text: label, weight: 600 });
    }
    if (lastBaseline !== undefined) {
      labels.push({
        y: scale.y(lastBaseline[1]),
        colour,
        text: `${label}, JS`,
        weight: 400,
      });
    }
  }
  return [...lines, ...drawLabels(labels, right)];
}

function drawLine(
  scale: Scale,
  left: number,
  points: readonly Point[],
  colour: string,
  style: "solid" | "dashed",
): string[] {
  if (points.length === 0) return [];
  const places = points.map(([size, ms]) => [scale.x(left, size), scale.y(ms)] as const);
  const path = places.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
  const dashes = style === "dashed" ? ' stroke-dasharray="5 4" stroke-opacity="0.8"' : "";
  const width = style === "dashed" ? 1.5 : 2.5;
  const dots = places.map(
    ([x, y]) =>
      `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${width + 0.7}" fill="${colour}"/>`,
  );
  return [
    `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"${dashes}/>`,
    ...dots,
  ];
}

interface Label {
  y: number;
  readonly colour: string;
  readonly text: string;
  readonly weight: number;
}

/** Beside the ends of the lines, moved apart where they would cover each other. */
function drawLabels(labels: Label[], right: number): string[] {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  for (const [i, label] of sorted.entries()) {
    const above = sorted[i - 1];
    if (above !== undefined) label.y = Math.max(label.y, above.y + kLabelGap);
  }
  const overhang = (sorted.at(-1)?.y ?? 0) - (kPanel.top + kPanel.height);
  for (const [i, label] of [...sorted].reverse().entries()) {
    label.y = Math.min(label.y, kPanel.top + kPanel.height - i * kLabelGap);
    if (overhang <= 0) break;
  }
  return sorted.map(
    ({ y, colour, text, weight }) =>
      `<text x="${right + 10}" y="${y.toFixed(1)}" dy="4" fill="${colour}" font-weight="${weight}">${text}</text>`,
  );
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}
