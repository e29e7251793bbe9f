// Time against size, both logarithmic, as an SVG without a background: its colours stand on white
// and on black. Drawn by Apache ECharts, which needs no browser for it.
import { init } from "echarts";
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
const kServers = [
  { server: "product", suffix: "", line: { type: "solid", width: 2.5 } },
  { server: "baseline", suffix: ", JS", line: { type: "dashed", width: 1.5 } },
] as const;
const kCaption =
  "solid: Sync Manager, dashed: the same work in a plain JavaScript Worker (JS); " +
  "both scales logarithmic";
const kTitle = "Time against number of properties, Sync Manager and JavaScript";
const kInk = "#7d8590";
const kFont = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";
const kSize = { width: 880, height: 440 } as const;
const kPanel = { width: 270, height: 310, top: 62 } as const;
const kLefts = [62, 492] as const;

export function plot(results: Results): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, ...kSize });
  try {
    chart.setOption({
      animation: false,
      textStyle: { color: kInk, fontFamily: kFont },
      title: [
        { text: kCaption, left: kLefts[0], top: 4, textStyle: textStyle(12, "normal") },
        ...kPanels.map(({ title }, at) => ({
          text: title,
          left: kLefts[at],
          top: kPanel.top - 30,
          textStyle: textStyle(15, 600),
        })),
      ],
      grid: kLefts.map((left) => ({ left, ...kPanel })),
      xAxis: kPanels.map((_, gridIndex) => ({
        gridIndex,
        ...axis(decadesAround(Object.keys(results.sizes).map(Number))),
        name: "properties of 1 KB",
        nameLocation: "middle",
        nameGap: 28,
        nameTextStyle: { color: kInk },
        axisLabel: { color: kInk, formatter: (size: number) => size.toLocaleString("en") },
      })),
      yAxis: kPanels.map((_, gridIndex) => ({
        gridIndex,
        ...axis(decadesAround(timesOf(results))),
        axisLabel: { color: kInk, formatter: duration },
      })),
      series: kPanels.flatMap(({ steps }, at) =>
        steps.flatMap((step) => linesOf(results, step, at)),
      ),
    });
    return `${chart.renderToSVGString().replace(">", `>\n<title>${kTitle}</title>`)}\n`;
  } finally {
    chart.dispose();
  }
}

type Point = readonly [size: number, ms: number];

function pointsOf(results: Results, server: string, step: Step): Point[] {
  return Object.entries(results.sizes).flatMap(([size, { steps }]): Point[] => {
    const measured = steps[server]?.[step];
    return measured === undefined ? [] : [[Number(size), measured.median]];
  });
}

function timesOf(results: Results): number[] {
  return kPanels.flatMap(({ steps }) =>
    steps.flatMap((step) =>
      kServers.flatMap(({ server }) => pointsOf(results, server, step).map(([, ms]) => ms)),
    ),
  );
}

/** A line for each server, with its name at its end; names that would cover each other move apart. */
function linesOf(results: Results, step: Step, panel: number) {
  const [color, label] = kStyles[step] ?? [kInk, step];
  return kServers.flatMap(({ server, suffix, line }) => {
    const data = pointsOf(results, server, step);
    if (data.length === 0) return [];
    return {
      type: "line" as const,
      xAxisIndex: panel,
      yAxisIndex: panel,
      data: data.map((point) => [...point]),
      lineStyle: { color, ...line },
      itemStyle: { color },
      symbol: "circle",
      symbolSize: 2 * line.width + 1.4,
      endLabel: { show: true, formatter: label + suffix, color, distance: 8 },
      labelLayout: { moveOverlap: "shiftY" as const },
    };
  });
}

/** Whole decades around what is shown, the same for both panels. */
function decadesAround(values: readonly number[]): readonly [min: number, max: number] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  return [10 ** first, 10 ** last];
}

function axis([min, max]: readonly [number, number]) {
  const splitLine = { show: true, lineStyle: { color: kInk, opacity: 0.25 } };
  return { type: "log" as const, min, max, splitLine, axisLine: { show: false } };
}

function textStyle(fontSize: number, fontWeight: "normal" | 600) {
  return { fontSize, fontWeight, color: kInk };
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}
