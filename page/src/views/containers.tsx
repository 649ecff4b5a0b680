// All containers that are chosen, those that need somebody first.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { ResultMark, SeverityLegend, ShortFindings } from "../parts/marks";
import { Table } from "../parts/table";
import type { Column } from "../parts/table";
import type { Shown } from "../shown";
import { compliance } from "../model";
import { FAILED, count, percent } from "../words";
import { severityOrder } from "./where";
import { hasTeams } from "../levels";

export function Containers({ shown }: { shown: Shown }): JSX.Element {
  const { model, places, address } = shown;
  const controls = useMemo(() => (address.control ? model.controlsOf(address.control) : []), [model, address.control]);
  const columns = useMemo<Column<number>[]>(() => {
    const found = (place: number): string => {
      const control = controls.find((one) => model.status(place, one) === FAILED);
      const target = model.targetsOf[place]?.find((one) => control !== undefined && model.remark(one, control));
      return control === undefined || target === undefined ? "" : model.remark(target, control);
    };
    return [
      { name: "container", head: "Container", wide: true, order: (place) => `${model.part(place, "workload")}/${model.part(place, "container")}`,
        cell: (place) => <a href={shown.href({ view: "where", cluster: model.cluster(place), namespace: model.part(place, "namespace"), workload: model.workload(place), container: model.part(place, "container") })}>{model.part(place, "workload")} / {model.part(place, "container")}</a> },
      { name: "namespace", head: "Namespace", cell: (place) => model.part(place, "namespace"), order: (place) => model.part(place, "namespace") },
      ...(model.data.clusters.name.length > 1 ? [{ name: "cluster", head: "Cluster", cell: (place: number) => model.cluster(place), order: (place: number) => model.cluster(place) }] : []),
      ...(hasTeams(model) ? [{ name: "team", head: "Team", cell: (place: number) => model.part(place, "team"), order: (place: number) => model.part(place, "team") }] : []),
      { name: "result", head: "Result", cell: (place) => <ResultMark result={model.data.results[model.resultOf[place] ?? 3] ?? ""} />, order: (place) => model.resultOf[place] ?? 0 },
      { name: "pods", head: "Pods", number: true, cell: (place) => count(model.totalsOf[place]!.targets), order: (place) => model.totalsOf[place]!.targets },
      { name: "compliance", head: "Compliance", number: true, cell: (place) => percent(compliance(model.totalsOf[place]!.counts)), order: (place) => compliance(model.totalsOf[place]!.counts) ?? -1 },
      { name: "open", head: "Open findings", wide: true, cell: (place) => <ShortFindings open={model.totalsOf[place]!.open} severities={model.data.severities} />, order: (place) => severityOrder(model.totalsOf[place]!) },
      ...(controls.length ? [{ name: "found", head: "Found", wide: true, cell: (place: number) => <code>{found(place)}</code> }] : []),
    ];
  }, [model, shown.href, controls]);
  return (
    <>
      <SeverityLegend severities={model.data.severities} />
      <Table label="Containers" rows={places} columns={columns} keyOf={(place) => place} empty="No container is chosen." />
    </>
  );
}
