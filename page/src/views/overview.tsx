// The first screen: are we fine, what got worse, what is not covered, who must act.

import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import { BY_TEAM, hasTeams, levelOf, levelsOf } from "../levels";
import { NONE, compliance, sum, worst } from "../model";
import type { Totals } from "../model";
import { Chart } from "../parts/chart";
import { HeatMap } from "../parts/heat_map";
import { OpenFindings, SeverityMark, StatusMark } from "../parts/marks";
import type { Shown } from "../shown";
import { FAILED, NOT_REVIEWED, PROFILE_ERROR, STATUSES, count, day, percent, plural, seconds } from "../words";
import { pointsOf } from "./trend";
import { clustersShown, hasResults } from "./coverage";

const MOST_OWNERS = 6;
const MOST_CONTROLS = 8;
// Results that are younger are not called old, in seconds.
const DAY = 86400;

export function Overview({ shown }: { shown: Shown }): JSX.Element {
  const { model, places, address } = shown;
  const totals = useMemo(() => model.total(places), [model, places]);
  const level = levelOf(model, { ...address, by: "" });
  const controls = useMemo(() => model.controlTotals(places).filter((one) => one.counts[FAILED]).slice(0, MOST_CONTROLS), [model, places]);
  const points = useMemo(() => pointsOf(model, address), [model, address.cluster]);
  return (
    <>
      <div class="answers">
        <Fine shown={shown} totals={totals} />
        <Worse shown={shown} totals={totals} />
        <NotCovered shown={shown} totals={totals} />
        <WhoActs shown={shown} />
      </div>
      <section>
        <h3>Where it hurts</h3>
        <HeatMap shown={shown} level={level} />
      </section>
      <section>
        <h3>Controls that fail worst</h3>
        {controls.length ? (
          <ol class="worst">
            {controls.map(({ control, counts }) => {
              const about = model.control(control);
              return (
                <li key={control}>
                  <SeverityMark severity={model.data.severities[about.severity] ?? "none"} />
                  <a href={shown.href({ view: "controls", control: about.key })}>{about.id}</a>
                  <span>{about.title}</span>
                  <span class="number">{plural(counts[FAILED] ?? 0, "container")}</span>
                </li>
              );
            })}
          </ol>
        ) : <p class="quiet">None fails.</p>}
      </section>
      {points.at.length > 1 && (
        <section>
          <h3>Over time</h3>
          <div class="charts">
            <Chart title="Compliance" at={points.at} lines={[points.compliance]} most={100} unit=" %" />
            <Chart title="Open findings by severity" at={points.at} lines={points.open} />
          </div>
        </section>
      )}
    </>
  );
}

function Answer({ question, answer, tone, children }: { question: string; answer: string; tone: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class={`answer tone-${tone}`}>
      <h3>{question}</h3>
      <p class="big">{answer}</p>
      {children}
    </section>
  );
}

function Fine({ shown, totals }: { shown: Shown; totals: Totals }): JSX.Element {
  const { model } = shown;
  const clusters = clustersShown(model, shown.address);
  const gates = clusters.map((cluster) => model.text(model.data.clusters.gate[cluster]));
  const whole = clusters.length === model.data.clusters.name.length;
  const decided = gates.filter(Boolean).length;
  const passed = gates.filter((gate) => gate === "passed").length;
  const failed = gates.includes("failed") || (whole && model.data.gate === "failed");
  const open = sum(totals.open) > 0;
  const gaps = unseen(totals) > 0;
  const isPart = clusters.length > 0 && totals.places < model.placesOf(clusters);
  const [answer, tone] = failed ? ["No", "bad"]
    : !totals.targets ? ["Not known", "warn"]
    : decided && passed === clusters.length
      ? [open ? "Yes, with open findings" : gaps || unknown(totals) ? "Yes, as far as it was seen" : "Yes", gaps || totals.counts[PROFILE_ERROR] ? "warn" : "good"]
    : decided ? ["Not wholly known", "warn"] : ["No gate decided", "warn"];
  const reasons = whole && model.data.gate_reasons.length ? model.data.gate_reasons
    : clusters.length === 1 ? (model.data.clusters.gate_reasons[clusters[0]!] ?? []).map(model.text) : [];
  return (
    <Answer question="Are we fine?" answer={answer} tone={tone}>
      <ul class="facts">
        {decided > 0 && <li>{clusters.length === 1 ? (failed ? "The gate failed" : passed ? "The gate passed" : "The gate did not pass: too little is known") + (isPart ? ", of the whole cluster." : ".") : `${count(passed)} of ${plural(clusters.length, "cluster")} passed the gate.`}</li>}
        <li><a href={shown.href({ view: "where" })}>{percent(compliance(totals.counts))} compliance</a> over {plural(totals.targets, "container")}</li>
        <li>{plural(sum(totals.open), "open finding")}: <OpenFindings open={totals.open} severities={model.data.severities} /></li>
        {sum(totals.counts) > 0 && <li>{plural(sum(totals.counts), "result")} of controls: <span class="findings">{STATUSES.map((name, status) => (totals.counts[status] ?? 0) > 0 && <span key={name}>{count(totals.counts[status] ?? 0)} <StatusMark status={status} /></span>)}</span></li>}
      </ul>
      {reasons.length > 0 && (
        <details><summary>{plural(reasons.length, "reason")}</summary><ul>{reasons.map((reason, index) => <li key={index}>{reason}</li>)}</ul></details>
      )}
    </Answer>
  );
}

function Worse({ shown, totals }: { shown: Shown; totals: Totals }): JSX.Element {
  const { model } = shown;
  const clusters = clustersShown(model, shown.address);
  const baseline = (cluster: number): string => model.text(model.data.clusters.baseline[cluster]);
  const baselines = [...new Set(clusters.map(baseline).filter(Boolean))];
  // a cluster without results now has nothing to compare, whatever it had before
  const compared = clusters.filter((cluster) => hasResults(model, cluster) && (model.data.since || baseline(cluster))).length;
  const than = model.data.since ? `since ${day(model.data.since)}` : baselines.length === 1 ? `since ${baselines[0]}` : "since each cluster's earlier run";
  const { fresh, fixed, overdue } = totals;
  if (!fresh && !fixed && (!compared || !totals.targets)) {
    return (
      <Answer question="What got worse?" answer={overdue ? `${count(overdue)} overdue` : "Not known"} tone={overdue ? "bad" : "warn"}>
        <p>Nothing was compared: {model.hasComparison ? "there are no results with earlier ones." : "this page has neither an earlier run nor a store."}</p>
        {totals.overdue > 0 && <p><a href={shown.href({ view: "changes", change: "overdue" })}>{plural(totals.overdue, "finding")}</a> overdue</p>}
      </Answer>
    );
  }
  return (
    <Answer question="What got worse?" answer={fresh ? `${count(fresh)} new` : overdue ? `${count(overdue)} overdue` : compared < clusters.length ? "Not wholly known" : "Nothing new"} tone={fresh || overdue ? "bad" : compared < clusters.length ? "warn" : "good"}>
      <ul class="facts">
        {compared < clusters.length && <li>{count(compared)} of {plural(clusters.length, "cluster")} could be compared</li>}
        <li><a href={shown.href({ view: "changes", change: "new" })}>{plural(totals.fresh, "finding")}</a> opened {than}</li>
        <li><a href={shown.href({ view: "changes", change: "fixed" })}>{plural(totals.fixed, "finding")}</a> fixed</li>
        {model.hasHistory && <li><a href={shown.href({ view: "changes", change: "overdue" })}>{plural(totals.overdue, "finding")}</a> overdue</li>}
      </ul>
    </Answer>
  );
}

function NotCovered({ shown, totals }: { shown: Shown; totals: Totals }): JSX.Element {
  const { model, address } = shown;
  const clusters = clustersShown(model, address);
  const without = clusters.filter((cluster) => !hasResults(model, cluster));
  const [, , notJudged = 0, notScanned = 0] = totals.results;
  const gaps = clusters.reduce((number, cluster) => number + (model.data.clusters.unmatched[cluster]?.length ?? 0), 0);
  const missing = unseen(totals) + gaps;
  const open = unknown(totals);
  const whole = totals.targets > 0 && !missing && !without.length && !open;
  const age = totals.oldest ? (Date.parse(model.data.made) - Date.parse(totals.oldest)) / 1000 : NaN;
  return (
    <Answer question="What is not covered?" answer={whole ? "All is covered" : without.length ? plural(without.length, "cluster") : missing ? plural(missing, "container") : totals.targets ? plural(open, "result") : "Nothing was seen"} tone={whole ? "good" : "warn"}>
      <ul class="facts">
        {without.length > 0 && <li><a href={shown.href({ view: "coverage" })}>{plural(without.length, "cluster")}</a> of {count(clusters.length)} without results</li>}
        {notScanned > 0 && <li><a href={shown.href({ view: "coverage" })}>{plural(notScanned, "container")}</a> not scanned</li>}
        {notJudged > totals.unread && <li><a href={shown.href({ view: "containers", result: "not_judged" })}>{plural(notJudged - totals.unread, "container")}</a> scanned, but not judged</li>}
        {totals.unread > 0 && <li>{plural(totals.unread, "container")} whose results could not be read</li>}
        {(totals.counts[NOT_REVIEWED] ?? 0) > 0 && <li><a href={shown.href({ view: "controls" })}>{plural(totals.counts[NOT_REVIEWED] ?? 0, "result")}</a> of controls not reviewed</li>}
        {(totals.counts[PROFILE_ERROR] ?? 0) > 0 && <li><a href={shown.href({ view: "controls" })}>{plural(totals.counts[PROFILE_ERROR] ?? 0, "result")}</a> of controls ended in an error</li>}
        {!totals.targets && <li>There is no container here: nothing was scanned.</li>}
        {whole && <li>{plural(totals.targets, "container")} scanned and judged</li>}
        {gaps > 0 && <li><a href={shown.href({ view: "coverage" })}>{plural(gaps, "name")}</a> without containers</li>}
        {totals.carried > 0 && <li><a href={shown.href({ view: "containers", change: "carried" })}>{plural(totals.carried, "container")}</a> carried over</li>}
        {age > (totals.carried ? 0 : DAY) && <li>the oldest result is {seconds(age)} old</li>}
      </ul>
    </Answer>
  );
}

function WhoActs({ shown }: { shown: Shown }): JSX.Element {
  const { model, places, address } = shown;
  const levels = levelsOf(model, address);
  const level = hasTeams(model) && !address.team ? BY_TEAM : levels.find((one) => one.by === "namespace") ?? levels[0]!;
  const owners = useMemo(() => [...model.grouped(places, (place) => level.keyOf(model, place))]
    .filter(([, totals]) => sum(totals.open))
    .sort(([, one], [, other]) => other.overdue - one.overdue || compare(one.open, other.open)), [model, places, level]);
  const named = owners.filter(([key]) => key !== NONE).length;
  return (
    <Answer question="Who must act?" answer={named ? plural(named, level.head.toLowerCase()) : owners.length ? "No team is known" : sum(model.total(places).counts) ? "Nobody" : "Not known"} tone={owners.length || !sum(model.total(places).counts) ? "plain" : "good"}>
      <ul class="facts owners">
        {owners.slice(0, MOST_OWNERS).map(([key, totals]) => (
          <li key={key}>
            <a href={shown.href({ view: "where", ...level.into(key) })}>{level.name(key)}</a>{" "}
            <OpenFindings open={important(totals.open)} severities={model.data.severities} />
            {totals.overdue > 0 && <span class="mark overdue"> <span aria-hidden="true">⚠</span> {count(totals.overdue)} overdue</span>}
          </li>
        ))}
        {owners.length > MOST_OWNERS && <li><a href={shown.href({ view: "where", by: level.by })}>{count(owners.length - MOST_OWNERS)} more</a></li>}
      </ul>
    </Answer>
  );
}

/** Targets of which nothing is known, or too little. */
function unseen(totals: Totals): number {
  const [, , notJudged = 0, notScanned = 0] = totals.results;
  return notJudged + notScanned;
}

/** Results of controls that claim nothing. */
function unknown(totals: Totals): number {
  return (totals.counts[NOT_REVIEWED] ?? 0) + (totals.counts[PROFILE_ERROR] ?? 0);
}

/** The two worst severities that there are findings of. */
function important(open: readonly number[]): number[] {
  const first = worst(open);
  let left = 2;
  return open.map((number, severity) => (severity >= first && number > 0 && left-- > 0 ? number : 0));
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (let severity = 0; severity < one.length; severity++) if (one[severity] !== other[severity]) return other[severity]! - one[severity]!;
  return 0;
}

