// How it went over time, of the fleet or of one cluster, as the store remembers it.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Address } from "../address";
import type { Model } from "../model";
import { Chart } from "../parts/chart";
import type { Line } from "../parts/chart";
import type { Shown } from "../shown";

export interface Points {
  readonly at: readonly string[];
  readonly compliance: Line;
  readonly open: readonly Line[];
  readonly coverage: readonly Line[];
  readonly overdue: Line;
}

/** The points of the cluster that is chosen, else of the fleet; where a store gives none of the fleet, of the only cluster. */
export function pointsOf(model: Model, address: Address): Points {
  const table = model.data.trend;
  const wanted = address.cluster ? model.clusterNumbers.get(address.cluster) ?? -2 : table.cluster.includes(-1) ? -1 : model.data.clusters.name.length === 1 ? 0 : -1;
  const rows = table.at.map((_unused, row) => row).filter((row) => table.cluster[row] === wanted);
  const column = (name: Exclude<keyof typeof table, "at">): number[] => rows.map((row) => table[name][row] ?? 0);
  const [passed, failed, unread, errors] = [column("passed"), column("failed"), column("not_reviewed"), column("profile_error")];
  const share = (parts: readonly number[], all: readonly number[]): (number | null)[] => parts.map((part, row) => (all[row] ? (100 * part) / all[row]! : null));
  const asked = passed.map((number, row) => number + failed[row]! + unread[row]! + errors[row]!);
  return {
    at: rows.map((row) => model.text(table.at[row])),
    compliance: { name: "Compliance", style: "line-a", values: share(passed, asked) },
    open: [
      { name: "critical", style: "line-critical", values: column("open_critical") },
      { name: "high", style: "line-high", values: column("open_high") },
      { name: "medium", style: "line-medium", values: column("open_medium") },
      { name: "low", style: "line-low", values: column("open_low") },
    ],
    coverage: [
      { name: "scanned", style: "line-a", values: share(column("scanned"), column("expected")) },
      { name: "judged", style: "line-b", values: share(column("judged"), column("expected")) },
    ],
    overdue: { name: "overdue", style: "line-critical", values: column("overdue") },
  };
}

export function Trend({ shown }: { shown: Shown }): JSX.Element {
  const { model, address } = shown;
  const points = useMemo(() => pointsOf(model, address), [model, address.cluster]);
  if (points.at.length < 2) {
    return <p>There is nothing to draw: this page speaks of one moment{model.hasHistory ? " of this cluster" : ""}. Trends come from a store; the option <code>store</code> of <code>scan_report</code> names it.</p>;
  }
  return (
    <>
      <p class="quiet">{address.cluster ? `Of the cluster ${address.cluster}.` : "Of all clusters."} Filters other than the cluster do not change these lines.</p>
      <div class="charts">
      <Chart title="Compliance" at={points.at} lines={[points.compliance]} most={100} unit=" %" />
      <Chart title="Open findings by severity" at={points.at} lines={points.open} />
      <Chart title="Coverage: targets scanned and judged, of those that were expected" at={points.at} lines={points.coverage} most={100} unit=" %" />
      {points.overdue.values.some((value) => value) && <Chart title="Overdue findings" at={points.at} lines={[points.overdue]} />}
      </div>
    </>
  );
}
