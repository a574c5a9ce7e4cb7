// How a metric is drawn with uPlot: lines or a band over time since the job's start, with the metric's marks.
import type uPlot from 'uplot';
import type { Limits, MetricData } from './api';
import { clock, number, type Scale } from './format';
import { bandOf, ceiling, largest, mostLines, slotsOf } from './series';

export interface Legend {
  label: string;
  token: string; // colour
}

export interface Drawing {
  data: uPlot.AlignedData;
  legend: Legend[];
  isBand: boolean;
}

/** drawingOf arranges samples in columns: time, then one column a line, or maximum, median and minimum of many. */
export function drawingOf(m: MetricData): Drawing {
  const x = Array.from({ length: slotsOf(m) }, (_, i) => i * m.timestep);
  if (m.series.length <= mostLines) {
    const legend = m.series.map((s, i) => ({
      label: s.id === undefined || s.id === '' ? s.hostname : `${s.hostname}:${s.id}`,
      token: `--plot-${(i % 8) + 1}`,
    }));
    return { data: [x, ...m.series.map((s) => padded(s.data, x.length))], legend, isBand: false };
  }
  const band = bandOf(m);
  const legend = ['max', 'median', 'min'].map((label) => ({ label, token: '--plot-1' }));
  return { data: [x, band.max, band.median, band.min] as uPlot.AlignedData, legend, isBand: true };
}

function padded(data: (number | null)[], length: number): (number | null)[] {
  return data.length === length ? data : [...data, ...Array<null>(length - data.length).fill(null)];
}

/** shapeOf changes when a plot has to be built anew and not just filled with newer samples. */
export function shapeOf(d: Drawing): string {
  return d.isBand + d.legend.map((l) => l.label).join();
}

export interface Look {
  drawing: Drawing;
  metric: MetricData;
  limits: Limits;
  scale: Scale;
  fit: boolean;
  width: number;
  height: number;
  sync: string;
  color: (token: string) => string;
  onCursor: (index: number | null) => void;
}

const steps = [1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];

/** optionsFor returns what uPlot needs to know. */
export function optionsFor(l: Look): uPlot.Options {
  const axis = { stroke: l.color('--plot-axis'), font: '11px system-ui, sans-serif', ticks: { show: false }, gap: 5 };
  const grid = { stroke: l.color('--plot-grid'), width: 1 };
  return {
    width: l.width,
    height: l.height,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: l.sync, setSeries: false },
      drag: { x: true, y: false, setScale: true },
      points: { size: 6, width: 0 },
      y: false,
    },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: false },
      y: { range: (): [number, number] => [0, ceiling(largest(l.metric), l.limits, l.fit)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 24, incrs: steps, space: 64, values: (_u, splits) => splits.map(clock) },
      { ...axis, grid, size: 44, space: 28, values: (_u, splits) => splits.map((v) => number(v * l.scale.factor)) },
    ],
    series: [{}, ...l.drawing.legend.map((entry, i) => lineLook(l, entry, i))],
    bands: l.drawing.isBand ? [{ series: [1, 3], fill: l.color('--plot-fill') }] : [],
    hooks: {
      // Before the lines, so that no mark hides a sample.
      drawAxes: [(u) => drawLimits(u, l)],
      setCursor: [(u) => l.onCursor(u.cursor.idx ?? null)],
    },
  };
}

function lineLook(l: Look, entry: Legend, index: number): uPlot.Series {
  const edge = l.drawing.isBand && index !== 1;
  return {
    label: entry.label,
    stroke: l.color(entry.token),
    width: edge ? 0.5 : 1.5,
    alpha: edge ? 0.6 : 1,
    points: { show: onlyDots(l.drawing.data[index + 1] as (number | null)[]), size: 4 },
    ...(l.drawing.legend.length === 1 ? { fill: l.color('--plot-fill') } : {}),
  };
}

// A sample without neighbours makes no line; then it is shown as a dot.
function onlyDots(line: readonly (number | null)[]): boolean {
  return line.filter((v) => v !== null).length < 3;
}

function drawLimits(u: uPlot, l: Look): void {
  const marks: [string, number | undefined, string][] = [
    ['peak', l.limits.peak, '--plot-good'],
    ['caution', l.limits.caution, '--plot-caution'],
    ['alert', l.limits.alert, '--plot-alert'],
  ];
  const top = u.scales.y?.max ?? 0;
  const { left, width } = u.bbox;
  const ratio = devicePixelRatio || 1;
  const pen = u.ctx;
  pen.save();
  pen.lineWidth = ratio;
  pen.font = `${10 * ratio}px system-ui, sans-serif`;
  pen.textAlign = 'right';
  let above = -Infinity;
  for (const [name, value, token] of marks) {
    if (!value || value > top) continue;
    const y = Math.round(u.valToPos(value, 'y', true)) + 0.5;
    pen.strokeStyle = pen.fillStyle = l.color(token);
    pen.setLineDash([4 * ratio, 4 * ratio]);
    pen.beginPath();
    pen.moveTo(left, y);
    pen.lineTo(left + width, y);
    pen.stroke();
    // Marks that lie close together share the room for one word.
    if (y - above > 12 * ratio) label(pen, name, left + width - 4 * ratio, y - 4 * ratio);
    above = y;
  }
  pen.restore();

  // Words keep readable over marks by a rim in the colour of the background.
  function label(on: CanvasRenderingContext2D, text: string, x: number, y: number): void {
    on.setLineDash([]);
    on.strokeStyle = l.color('--plot-back');
    on.lineWidth = 3 * ratio;
    on.strokeText(text, x, y);
    on.lineWidth = ratio;
    on.fillText(text, x, y);
  }
}
