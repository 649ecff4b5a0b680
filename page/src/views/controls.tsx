// The controls, those that fail worst first; and one control: what it asks, how to fix it, and where it fails.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { NO_FILTER } from "../address";
import { SeverityMark } from "../parts/marks";
import { Table } from "../parts/table";
import type { ControlTotals } from "../model";
import type { Shown } from "../shown";
import { FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR, WAIVED, count } from "../words";
import { About } from "./container";
import { Containers } from "./containers";

export function Controls({ shown }: { shown: Shown }): JSX.Element {
  const { model, places, address } = shown;
  const rows = useMemo(() => {
    const severity = address.severity ? model.data.severities.indexOf(address.severity) : -1;
    return model.controlTotals(places).filter((one) => severity < 0 || model.data.controls.severity[one.control] === severity);
  }, [model, places, address.severity]);
  if (address.control) return <OneControl shown={shown} />;
  const number = (row: ControlTotals, status: number): number => row.counts[status] ?? 0;
  const status = (name: string, head: string, kind: number) => ({
    name, head, number: true, cell: (row: ControlTotals) => count(number(row, kind)), order: (row: ControlTotals) => number(row, kind),
  });
  return (
    <>
      <p class="quiet">Numbers are containers of workloads; replicas that differ count by the worst of them.</p>
      <Table label="Controls" rows={rows} keyOf={(row) => row.control} empty="No control was asked here." columns={[
        { name: "id", head: "Control", wide: true, cell: (row) => <a href={shown.href({ control: model.control(row.control).key })}>{model.control(row.control).id}</a>, order: (row) => model.control(row.control).id },
        { name: "severity", head: "Severity", cell: (row) => <SeverityMark severity={model.data.severities[model.control(row.control).severity] ?? "none"} />, order: (row) => model.control(row.control).severity },
        { name: "title", head: "Title", wide: true, cell: (row) => model.control(row.control).title },
        { name: "profile", head: "Profile", cell: (row) => model.control(row.control).profile, order: (row) => model.control(row.control).profile },
        status("failed", "Failed", FAILED),
        status("passed", "Passed", PASSED),
        status("not_reviewed", "Not Reviewed", NOT_REVIEWED),
        status("not_applicable", "Not Applicable", NOT_APPLICABLE),
        status("waived", "Waived", WAIVED),
        status("error", "Profile Error", PROFILE_ERROR),
      ]} />
    </>
  );
}

function OneControl({ shown }: { shown: Shown }): JSX.Element {
  const { model, address } = shown;
  const numbers = model.controlsOf(address.control);
  const first = numbers[0];
  if (first === undefined) return <p>The page has no control {address.control}. <a href={shown.href({ control: "" })}>All controls</a></p>;
  const about = model.control(first);
  const counts = model.controlTotals(model.chosen({ ...address, control: "", severity: "" })).filter((one) => numbers.includes(one.control));
  const of = (status: number): string => count(counts.reduce((all, one) => all + (one.counts[status] ?? 0), 0));
  return (
    <>
      <p><a href={shown.href({ ...NO_FILTER })}>All controls</a></p>
      <section>
        <h3>{about.id}: {about.title}</h3>
        <p>
          <SeverityMark severity={model.data.severities[about.severity] ?? "none"} /> of the profile {about.profile}. Failed on {of(FAILED)}, passed on {of(PASSED)},
          {" "}not reviewed on {of(NOT_REVIEWED)}, waived on {of(WAIVED)}, not applicable on {of(NOT_APPLICABLE)}, in error on {of(PROFILE_ERROR)} containers of workloads.
        </p>
        <About shown={shown} control={first} />
      </section>
      <section>
        <h3>Where it fails</h3>
        <Containers shown={shown} />
      </section>
    </>
  );
}
