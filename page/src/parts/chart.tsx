// Lines over time, as SVG with a table of the same numbers. Nothing is drawn that the table does not say.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Table } from "./table";
import { count, day, moment } from "../words";

export interface Line {
  readonly name: string;
  readonly style: string;
  readonly values: readonly (number | null)[];
}

const WIDTH = 560, HEIGHT = 210, LEFT = 44, RIGHT = 122, TOP = 12, BOTTOM = 28;
const MOST_POINTS = 200;

/** With `most` the axis ends there, and begins at a ten below the least value. */
export function Chart({ title, at, lines, most, unit = "" }: {
  title: string; at: readonly string[]; lines: readonly Line[]; most?: number; unit?: string;
}): JSX.Element {
  const [near, setNear] = useState<number | null>(null);
  const drawn = useMemo(() => thin(at, lines), [at, lines]);
  const times = drawn.at.map((one) => Date.parse(one));
  const first = times[0] ?? 0, last = times[times.length - 1] ?? 1;
  const top = most ?? ceiling(Math.max(1, ...drawn.lines.flatMap((line) => line.values.map((value) => value ?? 0))));
  const values = drawn.lines.flatMap((line) => line.values.filter((value): value is number => value !== null));
  const low = most === undefined || !values.length ? 0 : Math.max(0, Math.floor((Math.min(...values) - 2) / 10) * 10);
  const x = (time: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * (time - first)) / Math.max(1, last - first);
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / Math.max(1, top - low));
  const ends = labels(drawn.lines, y);
  const steps = [low, (low + top) / 2, top];
  const summary = drawn.lines.map((line) => `${line.name} from ${shownValue(line.values.find((one) => one !== null), unit)} to ${shownValue(lastOf(line.values), unit)}`).join("; ");
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}, ${day(at[0] ?? "")} to ${day(at[at.length - 1] ?? "")}: ${summary}`}
        onMouseMove={(event) => setNear(nearest(event, times, x))} onMouseLeave={() => setNear(null)}>
        {steps.map((step) => (
          <g key={step} class="grid">
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(step)} y2={y(step)} />
            <text x={LEFT - 6} y={y(step) + 4} text-anchor="end">{count(Math.round(step))}{unit}</text>
          </g>
        ))}
        <text class="axis" x={LEFT} y={HEIGHT - 8}>{day(at[0] ?? "")}</text>
        <text class="axis" x={WIDTH - RIGHT} y={HEIGHT - 8} text-anchor="end">{day(at[at.length - 1] ?? "")}</text>
        {drawn.lines.map((line, index) => (
          <g key={line.name} class={`line ${line.style}`}>
            <path d={path(line.values, times, x, y)} />
            <text x={WIDTH - RIGHT + 8} y={ends[index]}>{line.name} {shownValue(lastOf(line.values), unit)}</text>
          </g>
        ))}
        {near !== null && (
          <g class="near">
            <line x1={x(times[near]!)} x2={x(times[near]!)} y1={TOP} y2={HEIGHT - BOTTOM} />
            <text x={Math.min(x(times[near]!) + 6, WIDTH - RIGHT - 170)} y={TOP + 10}>
              {moment(drawn.at[near]!)}: {drawn.lines.map((line) => shownValue(line.values[near], unit)).join(", ")}
            </text>
          </g>
        )}
      </svg>
      <details>
        <summary>The numbers as a table</summary>
        <Table label={title} rows={at.map((time, index) => ({ time, index }))} keyOf={(row) => row.index} columns={[
          { name: "at", head: "Time", cell: (row) => moment(row.time), order: (row) => row.time },
          ...lines.map((line) => ({
            name: line.name, head: line.name, number: true, cell: (row: { index: number }) => shownValue(line.values[row.index], unit),
            order: (row: { index: number }) => line.values[row.index] ?? -1,
          })),
        ]} />
      </details>
    </figure>
  );
}

function thin(at: readonly string[], lines: readonly Line[]): { at: readonly string[]; lines: readonly Line[] } {
  if (at.length <= MOST_POINTS) return { at, lines };
  const step = (at.length - 1) / (MOST_POINTS - 1);
  const kept = Array.from({ length: MOST_POINTS }, (_unused, index) => Math.round(index * step));
  return { at: kept.map((index) => at[index]!), lines: lines.map((line) => ({ ...line, values: kept.map((index) => line.values[index] ?? null) })) };
}

function path(values: readonly (number | null)[], times: readonly number[], x: (time: number) => number, y: (value: number) => number): string {
  let drawing = false;
  return values.map((value, index) => {
    if (value === null) {
      drawing = false;
      return "";
    }
    const step = `${drawing ? "L" : "M"}${x(times[index]!).toFixed(1)} ${y(value).toFixed(1)}`;
    drawing = true;
    return step;
  }).join("");
}

/** Where the lines' names stand, so that none covers another. */
function labels(lines: readonly Line[], y: (value: number) => number): number[] {
  const wanted = lines.map((line, index) => ({ index, at: y(lastOf(line.values) ?? 0) + 4 })).sort((one, other) => one.at - other.at);
  const places = new Array<number>(lines.length).fill(0);
  let lowest = -Infinity;
  for (const one of wanted) {
    lowest = Math.max(one.at, lowest + 14);
    places[one.index] = lowest;
  }
  const over = lowest - (HEIGHT - 4);
  return over > 0 ? places.map((place) => place - over) : places;
}

function lastOf(values: readonly (number | null)[]): number | null {
  for (let index = values.length - 1; index >= 0; index--) if (values[index] !== null) return values[index]!;
  return null;
}

function shownValue(value: number | null | undefined, unit: string): string {
  return value === null || value === undefined ? "–" : unit ? `${Math.floor(value * 10) / 10}${unit}` : count(Math.round(value));
}

function ceiling(value: number): number {
  const step = 10 ** Math.floor(Math.log10(value));
  return Math.max(2, [1, 2, 4, 5, 10].map((one) => one * step).find((one) => one >= value) ?? value);
}

function nearest(event: MouseEvent, times: readonly number[], x: (time: number) => number): number | null {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  const at = ((event.clientX - box.left) / box.width) * WIDTH;
  let best = 0;
  times.forEach((time, index) => {
    if (Math.abs(x(time) - at) < Math.abs(x(times[best]!) - at)) best = index;
  });
  return times.length ? best : null;
}
