// What the words mean, and what the page was made of.

import type { JSX } from "preact";
import { StatusMark } from "../parts/marks";
import { Table } from "../parts/table";
import type { Shown } from "../shown";
import { moment } from "../words";

const MEANINGS = [
  "Every test of the control passed.",
  "At least one test of the control did not pass.",
  "What the control needs to know could not be had, so nothing is claimed. The cause stands beside it.",
  "The control has no impact on this container.",
  "A waiver that is in force sets the control aside. Who waived it, why and until when stands beside it.",
  "A test of the control ended with an error, or the control has no tests.",
];

export function AboutPage({ shown }: { shown: Shown }): JSX.Element {
  const { model } = shown;
  const { data, text } = model;
  const clusters = data.clusters.name.map((_unused, cluster) => cluster);
  return (
    <>
      <section>
        <h3>The words</h3>
        <dl class="words">
          {MEANINGS.map((meaning, status) => <div key={status}><dt><StatusMark status={status} /></dt><dd>{meaning}</dd></div>)}
          <div><dt>Compliance</dt><dd>Passed controls as a percentage of all but those that are not applicable. It is never rounded up; a terminal and summary.md round it to a whole number, as SAF does.</dd></div>
          <div><dt>Not judged</dt><dd>Nothing was found against the container, but too few of its controls were reviewed to say that it passed, or no profile fits it.</dd></div>
          <div><dt>Not scanned</dt><dd>There are no results of the container. It never counts as passed.</dd></div>
          <div><dt>Open finding</dt><dd>A control that fails on a container of a workload. Three replicas on which it fails are one finding.</dd></div>
          <div><dt>Carried over</dt><dd>The result is of an earlier run, and still young enough or of the run that was interrupted. Its age stands beside it.</dd></div>
          <div><dt>Evidence</dt><dd>How far the container could have deceived the scan: <em>target</em>, its own shell and tools answered; <em>beside</em>, another shell answered; <em>image</em>, the container could not touch what answered.</dd></div>
        </dl>
      </section>
      <section>
        <h3>What this page was made of</h3>
        <p>Written by {data.writer} from a {data.kind}, as of {moment(data.made)}. The page asks for nothing over a network, and shows what containers and servers said as text only.</p>
        {data.notes_on_data.length > 0 && <ul>{data.notes_on_data.map((note) => <li key={note}>{note}</li>)}</ul>}
        <Table label="Runs" rows={clusters} keyOf={(cluster) => cluster} columns={[
          { name: "cluster", head: "Cluster", wide: true, cell: (cluster) => text(data.clusters.name[cluster]), order: (cluster) => text(data.clusters.name[cluster]) },
          { name: "run", head: "Run", cell: (cluster) => <code>{text(data.clusters.run[cluster]) || "–"}</code> },
          { name: "started", head: "Started", cell: (cluster) => moment(text(data.clusters.started[cluster])), order: (cluster) => text(data.clusters.started[cluster]) },
          { name: "duration", head: "Seconds", number: true, cell: (cluster) => (data.clusters.duration[cluster] ?? 0).toFixed(1), order: (cluster) => data.clusters.duration[cluster] ?? 0 },
          { name: "profiles", head: "Profiles", wide: true, cell: (cluster) => (data.clusters.profiles[cluster] ?? []).map((one) => `${text(data.profiles.name[one])} ${text(data.profiles.version[one])}`).join(", ") },
        ]} />
        <Table label="Profiles" rows={data.profiles.name.map((_unused, profile) => profile)} keyOf={(profile) => profile} empty="No profile." columns={[
          { name: "name", head: "Profile", cell: (profile) => text(data.profiles.name[profile]) },
          { name: "version", head: "Version", cell: (profile) => text(data.profiles.version[profile]) },
          { name: "sha256", head: "SHA-256", wide: true, cell: (profile) => <code>{text(data.profiles.sha256[profile])}</code> },
        ]} />
      </section>
    </>
  );
}
