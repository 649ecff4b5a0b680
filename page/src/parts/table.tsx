// A table that can be sorted, and that draws only the rows that are seen when it has many.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { count } from "../words";

export interface Column<Row> {
  readonly name: string;
  /** What stands in its head. */
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** What the column is sorted by; without it the table cannot be sorted by it. */
  readonly order?: (row: Row) => number | string;
  readonly number?: boolean;
  readonly wide?: boolean;
}

interface TableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string | number;
  readonly empty?: string;
}

const ROW_HEIGHT = 41;
const MOST_WHOLE = 120;
const MARGIN = 12;
// A printed table ends somewhere.
const MOST_PRINTED = 1000;

export function Table<Row>({ label, rows, columns, keyOf, empty }: TableProps<Row>): JSX.Element {
  const [sort, setSort] = useState<{ name: string; down: boolean } | null>(null);
  const sorted = useMemo(() => inOrder(rows, columns.find((column) => column.name === sort?.name), sort?.down ?? false), [rows, sort, columns]);
  const many = sorted.length > MOST_WHOLE;
  const box = useRef<HTMLDivElement>(null);
  const [first, height] = useScroll(box, many);
  const printing = usePrinting();
  const shown = printing ? Math.min(sorted.length, MOST_PRINTED) : Math.ceil(height / ROW_HEIGHT) + 2 * MARGIN;
  const start = many && !printing ? Math.max(0, Math.min(Math.floor(first / ROW_HEIGHT) - MARGIN, sorted.length - shown)) : 0;
  const end = many ? Math.min(sorted.length, start + shown) : sorted.length;
  if (!rows.length) return <p class="quiet">{empty ?? "Nothing."}</p>;
  return (
    <>
      <div ref={box} class={many ? "scroll long" : "scroll"} tabIndex={0} role="region" aria-label={label}>
        <table aria-rowcount={sorted.length + 1} class={many ? "fixed-rows" : ""}>
          <caption class="unseen">{label}</caption>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map((column) => (
                <th key={column.name} scope="col" class={classOf(column)} {...sortState(column, sort)}>
                  {column.order ? (
                    <button type="button" onClick={() => setSort(next(column, sort))}>
                      {column.head}
                      <span aria-hidden="true">{sort?.name === column.name ? (sort.down ? " ↓" : " ↑") : " ↕"}</span>
                    </button>
                  ) : column.head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {start > 0 && <tr aria-hidden="true" class="space"><td colSpan={columns.length} style={{ height: start * ROW_HEIGHT }} /></tr>}
            {sorted.slice(start, end).map((row, index) => (
              <tr key={keyOf(row)} aria-rowindex={start + index + 2}>
                {columns.map((column, place) => place === 0
                  ? <th key={column.name} scope="row" class={classOf(column)}>{column.cell(row)}</th>
                  : <td key={column.name} class={classOf(column)} data-head={column.head}>{column.cell(row)}</td>)}
              </tr>
            ))}
            {end < sorted.length && !printing && (
              <tr aria-hidden="true" class="space"><td colSpan={columns.length} style={{ height: (sorted.length - end) * ROW_HEIGHT }} /></tr>
            )}
          </tbody>
        </table>
      </div>
      {printing && end < sorted.length && <p>The first {count(end)} of {count(sorted.length)} rows are printed.</p>}
    </>
  );
}

function classOf<Row>(column: Column<Row>): string {
  return [column.number ? "number" : "", column.wide ? "wide" : ""].join(" ").trim();
}

function sortState<Row>(column: Column<Row>, sort: { name: string; down: boolean } | null): { "aria-sort"?: "ascending" | "descending" | "none" } {
  if (!column.order) return {};
  return { "aria-sort": sort?.name !== column.name ? "none" : sort.down ? "descending" : "ascending" };
}

function next<Row>(column: Column<Row>, sort: { name: string; down: boolean } | null): { name: string; down: boolean } | null {
  if (sort?.name !== column.name) return { name: column.name, down: column.number === true };
  return sort.down === (column.number === true) ? { name: column.name, down: !sort.down } : null;
}

function inOrder<Row>(rows: readonly Row[], column: Column<Row> | undefined, down: boolean): readonly Row[] {
  const order = column?.order;
  if (!order) return rows;
  const sign = down ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: order(row) }));
  keyed.sort((one, other) => sign * (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  return keyed.map(({ row }) => row);
}

/** How far the box is scrolled, and how high it is. */
function useScroll(box: { current: HTMLDivElement | null }, many: boolean): [number, number] {
  const [seen, setSeen] = useState<[number, number]>([0, 800]);
  useEffect(() => {
    const element = box.current;
    if (!element || !many) return;
    const look = (): void => setSeen([element.scrollTop, element.clientHeight]);
    look();
    element.addEventListener("scroll", look, { passive: true });
    const watch = new ResizeObserver(look);
    watch.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      watch.disconnect();
    };
  }, [many, box]);
  return seen;
}

export function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const media = matchMedia("print");
    const look = (): void => setPrinting(media.matches);
    look();
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, []);
  return printing;
}
