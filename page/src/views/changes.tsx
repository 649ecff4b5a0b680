// What is new, what was fixed, what is overdue.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Address } from "../address";
import type { Model } from "../model";
import { SeverityMark } from "../parts/marks";
import { Table } from "../parts/table";
import type { Shown } from "../shown";
import { count, day, moment } from "../words";

interface Row {
  readonly place: number;
  readonly control: number;
}
const KINDS = [["new", "New"], ["fixed", "Fixed"], ["overdue", "Overdue"]] as const;

export function Changes({ shown }: { shown: Shown }): JSX.Element {
  const { model, address } = shown;
  const kind = KINDS.some(([name]) => name === address.change) ? address.change : "new";
  const found = useMemo(() => Object.fromEntries(KINDS.map(([name]) => [name, rowsOf(model, address, name)])), [model, address]);
  const rows = found[kind] ?? [];
  if (!model.hasComparison && !model.hasHistory) return <p>Nothing was compared: this page has neither an earlier run (a baseline of the gate) nor a store.</p>;
  const since = model.data.since ? `since ${moment(model.data.since)}` : "since the earlier run that the gate compared with";
  return (
    <>
      <nav class="choices" aria-label="Which changes">
        {KINDS.map(([name, word]) => (
          <a key={name} href={shown.href({ change: name })} aria-current={kind === name ? "true" : undefined}>{word} {count((found[name] ?? []).length)}</a>
        ))}
      </nav>
      <p class="quiet">
        {kind !== "overdue" && !model.hasComparison && "Nothing was compared: there is neither an earlier run nor a store."}
        {kind === "new" && model.hasComparison && `Controls that fail, and did not before: ${since}.`}
        {kind === "fixed" && model.hasComparison && `Controls that failed, and no longer do: ${since}.`}
        {kind === "overdue" && (model.hasHistory ? "Controls that fail for longer than the policy allows." : "This page does not know how long a control has failed: neither a store nor deadlines were given.")}
      </p>
      <Table label={`${kind} findings`} rows={rows} keyOf={(row) => `${row.place} ${row.control}`} empty="None." columns={[
        { name: "control", head: "Control", wide: true, cell: (row) => <a href={shown.href({ view: "controls", control: model.control(row.control).key, change: "" })}>{model.control(row.control).id}</a>, order: (row) => model.control(row.control).id },
        { name: "severity", head: "Severity", cell: (row) => <SeverityMark severity={model.data.severities[model.control(row.control).severity] ?? "none"} />, order: (row) => model.control(row.control).severity },
        { name: "where", head: "Where", wide: true, order: (row) => placeName(model, row.place),
          cell: (row) => <a href={shown.href({ view: "where", change: "", q: "", control: model.control(row.control).key, cluster: model.cluster(row.place), namespace: model.part(row.place, "namespace"), workload: model.workload(row.place), container: model.part(row.place, "container") })}>{placeName(model, row.place)}</a> },
        { name: "team", head: "Team", cell: (row) => model.part(row.place, "team") || <span class="quiet">–</span>, order: (row) => model.part(row.place, "team") },
        ...(model.hasHistory ? [
          { name: "opened", head: "Open since", cell: (row: Row) => day(model.life(row.place, row.control)?.opened ?? ""), order: (row: Row) => model.life(row.place, row.control)?.opened ?? "" },
          { name: "due", head: kind === "fixed" ? "Fixed" : "Due", cell: (row: Row) => day((kind === "fixed" ? model.life(row.place, row.control)?.closed : model.life(row.place, row.control)?.due) ?? "") || "–", order: (row: Row) => model.life(row.place, row.control)?.due ?? "" },
        ] : []),
      ]} />
    </>
  );
}

function placeName(model: Model, place: number): string {
  return [model.cluster(place), model.part(place, "namespace"), model.part(place, "workload"), model.part(place, "container")].join(" / ");
}

function rowsOf(model: Model, address: Address, kind: string): Row[] {
  const tests = model.scope(address);
  const control = address.control ? model.controlsOf(address.control) : null;
  const severity = address.severity ? model.data.severities.indexOf(address.severity) : -1;
  const words = address.q.toLowerCase().split(/\s+/).filter(Boolean);
  const rows: Row[] = [];
  const take = (place: number, number: number): void => {
    if (control && !control.includes(number)) return;
    if (severity >= 0 && model.control(number).severity !== severity) return;
    if (words.length) {
      const text = `${placeName(model, place)} ${model.control(number).id} ${model.control(number).title} ${model.part(place, "team")}`.toLowerCase();
      if (!words.every((word) => text.includes(word))) return;
    }
    if (tests.every((test) => test(place))) rows.push({ place, control: number });
  };
  if (kind === "overdue") model.lives.forEach((life) => life.overdue && !life.closed && take(life.place, life.control));
  else for (const [place, controls] of kind === "new" ? model.freshOf : model.fixedOf) for (const number of controls) take(place, number);
  const order = model.data.controls.severity;
  return rows.sort((one, other) => order[one.control]! - order[other.control]! || one.place - other.place);
}
