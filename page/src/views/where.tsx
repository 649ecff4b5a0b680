// From the fleet down to one container: each row is a step further.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { levelOf, levelsOf } from "../levels";
import { compliance, sum, worst } from "../model";
import type { Totals } from "../model";
import { HeatMap } from "../parts/heat_map";
import { Compliance, ResultBar, SeverityLegend, ShortFindings } from "../parts/marks";
import { Table } from "../parts/table";
import type { Column } from "../parts/table";
import type { Shown } from "../shown";
import { GATE_WORDS, STATE_WORDS, count, plural, wordOf } from "../words";
import { ContainerView } from "./container";
import { clustersShown } from "./coverage";

interface Row {
  readonly key: string;
  readonly totals: Totals;
}

export function Where({ shown }: { shown: Shown }): JSX.Element {
  const { model, places, address } = shown;
  const level = levelOf(model, address);
  const rows = useMemo(() => {
    const groups = model.grouped(places, (place) => level.keyOf(model, place));
    if (level.by === "cluster" && !address.q && !address.result && !address.severity && !address.control && !address.change)
      for (const cluster of clustersShown(model, address)) {
        const name = model.text(model.data.clusters.name[cluster]);
        if (!groups.has(name)) groups.set(name, model.total([]));
      }
    return [...groups].map(([key, totals]) => ({ key, totals })).sort(byNeed);
  }, [model, places, level, address]);
  if (address.container && address.workload && places.length === 1) return <ContainerView shown={shown} place={places[0]!} />;
  const levels = levelsOf(model, address);
  const columns: Column<Row>[] = [
    { name: "name", head: level.head, wide: true, cell: (row) => <a href={shown.href({ ...level.into(row.key), by: "" })}>{level.name(row.key)}</a>, order: (row) => level.name(row.key) },
    ...(level.by === "cluster" ? [clusterState(shown), clusterGate(shown)] : []),
    { name: "targets", head: "Containers", number: true, cell: (row) => count(row.totals.targets), order: (row) => row.totals.targets },
    { name: "results", head: "Results", cell: (row) => <ResultBar totals={row.totals} /> },
    { name: "failed", head: "Fail", number: true, cell: (row) => count(row.totals.results[1] ?? 0), order: (row) => row.totals.results[1] ?? 0 },
    { name: "not_scanned", head: "Not scanned", number: true, cell: (row) => count(row.totals.results[3] ?? 0), order: (row) => row.totals.results[3] ?? 0 },
    { name: "not_judged", head: "Not judged", number: true, cell: (row) => count(row.totals.results[2] ?? 0), order: (row) => row.totals.results[2] ?? 0 },
    { name: "compliance", head: "Compliance", number: true, cell: (row) => <Compliance totals={row.totals} />, order: (row) => compliance(row.totals.counts) ?? -1 },
    { name: "open", head: "Open findings", cell: (row) => <ShortFindings open={row.totals.open} severities={model.data.severities} />, order: (row) => severityOrder(row.totals) },
    ...(model.hasComparison ? [
      { name: "new", head: "New", number: true, cell: (row: Row) => count(row.totals.fresh), order: (row: Row) => row.totals.fresh },
    ] : []),
    ...(model.hasHistory ? [
      { name: "overdue", head: "Overdue", number: true, cell: (row: Row) => count(row.totals.overdue), order: (row: Row) => row.totals.overdue },
    ] : []),
  ];
  return (
    <>
      {levels.length > 1 && (
        <nav class="choices" aria-label="Put together by">
          <span id="by">By</span>
          {levels.map((one) => (
            <a key={one.by} href={shown.href({ by: one.by })} aria-current={one.by === level.by ? "true" : undefined}>{one.head.toLowerCase()}</a>
          ))}
        </nav>
      )}
      <SeverityLegend severities={model.data.severities} />
      <Table label={`By ${level.head.toLowerCase()}`} rows={rows} columns={columns} keyOf={(row) => row.key} empty="No container is chosen." />
      <section>
        <h3>Where it hurts</h3>
        <HeatMap shown={shown} level={level} />
      </section>
      <p><a href={shown.href({ view: "containers" })}>All {plural(places.length, "container")} of workloads as one list</a></p>
    </>
  );
}

function clusterState(shown: Shown): Column<Row> {
  const { model } = shown;
  const state = (row: Row): string => model.text(model.data.clusters.state[model.clusterNumbers.get(row.key) ?? -1]);
  return { name: "state", head: "State", cell: (row) => <span class={`mark state-${state(row)}`}>{wordOf(STATE_WORDS, state(row))}</span>, order: state };
}

function clusterGate(shown: Shown): Column<Row> {
  const { model } = shown;
  const gate = (row: Row): string => model.text(model.data.clusters.gate[model.clusterNumbers.get(row.key) ?? -1]);
  return { name: "gate", head: "Gate", cell: (row) => <span class={`mark gate-${gate(row)}`}>{wordOf(GATE_WORDS, gate(row))}</span>, order: gate };
}

export function severityOrder(totals: Totals): string {
  return totals.open.map((number) => String(number).padStart(9, "0")).join("");
}

function byNeed(one: Row, other: Row): number {
  const order = (row: Row): number => {
    const severity = worst(row.totals.open);
    return row.totals.targets ? (severity < 0 ? 9 : severity) : -1;
  };
  return order(one) - order(other) || sum(other.totals.open) - sum(one.totals.open) || (one.key < other.key ? -1 : 1);
}
