// What is not covered and why: clusters without results, containers that were not scanned, results that were carried over.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Address } from "../address";
import { NOT_JUDGED, NOT_SCANNED } from "../model";
import type { Model } from "../model";
import { Table } from "../parts/table";
import type { Shown } from "../shown";
import { CARRIED_WORDS, GATE_WORDS, STATE_WORDS, count, moment, plural, seconds, wordOf } from "../words";
import { ErrorText } from "./container";

const MOST_NAMED = 8;

export function clustersShown(model: Model, address: Address): number[] {
  return model.data.clusters.name
    .map((_unused, cluster) => cluster)
    .filter((cluster) => !address.cluster || model.text(model.data.clusters.name[cluster]) === address.cluster)
    .filter((cluster) => !address.group || model.groupsOf(cluster).some((group) => `${group.name}=${group.value}` === address.group));
}

export function Coverage({ shown }: { shown: Shown }): JSX.Element {
  const { model, address, places } = shown;
  const clusters = useMemo(() => clustersShown(model, address).sort((one, other) => rank(model, one) - rank(model, other) || one - other), [model, address]);
  const causes = useMemo(() => causesOf(model, places), [model, places]);
  const carried = useMemo(() => carriedOf(model, places), [model, places]);
  const gaps = clusters.flatMap((cluster) => (model.data.clusters.unmatched[cluster] ?? []).map((error) => ({ cluster, error })));
  const totals = useMemo(() => model.total(places), [model, places]);
  const state = (cluster: number): string => model.text(model.data.clusters.state[cluster]);
  const gate = (cluster: number): string => model.text(model.data.clusters.gate[cluster]);
  return (
    <>
      <p>
        {count(totals.targets - (totals.results[NOT_SCANNED] ?? 0) - totals.unread)} of {plural(totals.targets, "container")} have results
        {totals.carried > 0 && `, ${count(totals.carried)} of them carried over`}.
        {(totals.results[NOT_JUDGED] ?? 0) > totals.unread && ` Of ${plural((totals.results[NOT_JUDGED] ?? 0) - totals.unread, "container")} too little is known to judge.`}
        {totals.unread > 0 && ` The results of ${plural(totals.unread, "container")} could not be read: their documents are not those that the run wrote.`}
        {totals.standsFor > totals.targets && ` They stand for ${plural(totals.standsFor, "container")}: replicas that are alike were scanned once.`}
      </p>
      <section>
        <h3>Clusters</h3>
        <Table label="Clusters" rows={clusters} keyOf={(cluster) => cluster} columns={[
          { name: "cluster", head: "Cluster", wide: true, cell: (cluster) => <a href={shown.href({ view: "where", cluster: model.text(model.data.clusters.name[cluster]) })}>{model.text(model.data.clusters.name[cluster])}</a>, order: (cluster) => model.text(model.data.clusters.name[cluster]) },
          { name: "state", head: "State", cell: (cluster) => <span class={`mark state-${state(cluster)}`}>{wordOf(STATE_WORDS, state(cluster))}</span>, order: state },
          { name: "gate", head: "Gate", cell: (cluster) => <span class={`mark gate-${gate(cluster)}`}>{wordOf(GATE_WORDS, gate(cluster))}</span>, order: gate },
          { name: "finished", head: "Finished", cell: (cluster) => <time>{moment(model.text(model.data.clusters.finished[cluster])) || "–"}</time>, order: (cluster) => model.text(model.data.clusters.finished[cluster]) },
          { name: "why", head: "Why", wide: true, cell: (cluster) => whyOf(model, cluster) },
        ]} />
      </section>
      <section>
        <h3>Not scanned, and why</h3>
        {causes.length === 0 && gaps.length === 0 && <p class="quiet">{totals.targets ? "Every container that was chosen was scanned." : "There is no container here."}</p>}
        <ul class="causes">
          {causes.map(({ error, places: found, targets }) => (
            <li key={error}>
              <strong>{plural(targets, "container")}</strong>
              <ErrorText model={model} error={error} who="" />
              <p class="quiet">
                {found.slice(0, MOST_NAMED).map((place, index) => (
                  <span key={place}>{index > 0 && ", "}<a href={shown.href({ view: "where", cluster: model.cluster(place), namespace: model.part(place, "namespace"), workload: model.workload(place), container: model.part(place, "container") })}>{model.part(place, "namespace")}/{model.part(place, "workload")}/{model.part(place, "container")}</a></span>
                ))}
                {found.length > MOST_NAMED && <> and <a href={shown.href({ view: "containers", result: "not_scanned" })}>{count(found.length - MOST_NAMED)} more</a></>}
              </p>
            </li>
          ))}
          {gaps.map(({ cluster, error }) => (
            <li key={`${cluster} ${error}`}><ErrorText model={model} error={error} who={clusters.length > 1 ? model.text(model.data.clusters.name[cluster]) : ""} /></li>
          ))}
        </ul>
      </section>
      {carried.length > 0 && (
        <section>
          <h3>Carried over</h3>
          <ul>{carried.map((one) => <li key={one.why}><a href={shown.href({ view: "containers", change: "carried" })}>{plural(one.number, "container")}</a> {wordOf(CARRIED_WORDS, one.why)}; the oldest is {seconds(one.oldest)} old</li>)}</ul>
        </section>
      )}
    </>
  );
}

export function hasResults(model: Model, cluster: number): boolean {
  return ["scanned", "partly_scanned"].includes(model.text(model.data.clusters.state[cluster]));
}

/** Clusters without results first, then those of which some are missing. */
function rank(model: Model, cluster: number): number {
  const state = model.text(model.data.clusters.state[cluster]);
  return state === "scanned" ? 2 : state === "partly_scanned" ? 1 : 0;
}

function whyOf(model: Model, cluster: number): JSX.Element {
  const error = model.data.clusters.error[cluster] ?? -1;
  if (error >= 0) return <ErrorText model={model} error={error} who="" />;
  const reason = model.text(model.data.clusters.reason[cluster]);
  return reason ? <>{reason}</> : <span class="quiet">–</span>;
}

/** Why containers were not scanned; what differs in the message alone is one cause. */
function causesOf(model: Model, places: readonly number[]): { error: number; places: number[]; targets: number }[] {
  const table = model.data.errors;
  const found = new Map<string, { error: number; places: number[]; targets: number }>();
  for (const place of places) {
    for (const target of model.targetsOf[place] ?? []) {
      const error = model.data.targets.error[target] ?? -1;
      if (error < 0) continue;
      const key = [table.reason[error], table.cause[error], table.advice[error]].join(" ");
      let cause = found.get(key);
      if (!cause) found.set(key, (cause = { error, places: [], targets: 0 }));
      cause.targets++;
      if (cause.places[cause.places.length - 1] !== place) cause.places.push(place);
    }
  }
  return [...found.values()].sort((one, other) => other.targets - one.targets);
}

function carriedOf(model: Model, places: readonly number[]): { why: string; number: number; oldest: number }[] {
  const found = new Map<string, { why: string; number: number; oldest: number }>();
  for (const place of places) {
    for (const target of model.targetsOf[place] ?? []) {
      const why = model.text(model.data.targets.carried[target]);
      if (!why) continue;
      let one = found.get(why);
      if (!one) found.set(why, (one = { why, number: 0, oldest: 0 }));
      one.number++;
      one.oldest = Math.max(one.oldest, model.data.targets.carried_age[target] ?? 0);
    }
  }
  return [...found.values()];
}
