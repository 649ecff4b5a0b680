// Small parts that say a status, a result or a severity: a word and a symbol, and a colour beside them.

import type { JSX } from "preact";
import type { Totals } from "../model";
import { compliance, sum } from "../model";
import { count, percent, RESULT_SYMBOLS, RESULT_WORDS, SEVERITY_SYMBOLS, STATUS_SYMBOLS, STATUS_WORDS, STATUSES } from "../words";

export function StatusMark({ status }: { status: number }): JSX.Element {
  const name = STATUSES[status] ?? "passed";
  return <span class={`mark status-${name}`}><span aria-hidden="true">{STATUS_SYMBOLS[name]}</span> {STATUS_WORDS[name]}</span>;
}

export function ResultMark({ result }: { result: string }): JSX.Element {
  return <span class={`mark result-${result}`}><span aria-hidden="true">{RESULT_SYMBOLS[result]}</span> {RESULT_WORDS[result]}</span>;
}

export function SeverityMark({ severity }: { severity: string }): JSX.Element {
  return <span class={`mark severity-${severity}`}><span aria-hidden="true">{SEVERITY_SYMBOLS[severity]}</span> {severity}</span>;
}

/** Open findings by severity, without those that there are none of. */
export function OpenFindings({ open, severities }: { open: readonly number[]; severities: readonly string[] }): JSX.Element {
  if (!sum(open)) return <span class="quiet">none</span>;
  return (
    <span class="findings">
      {severities.map((severity, index) => (open[index] ?? 0) > 0 && (
        <span key={severity} class={`mark severity-${severity}`}>
          <span aria-hidden="true">{SEVERITY_SYMBOLS[severity]}</span> {count(open[index] ?? 0)} {severity}
        </span>
      ))}
    </span>
  );
}

/** The same where there is little room: the words are in the head of the column, and said to who listens. */
export function ShortFindings({ open, severities }: { open: readonly number[]; severities: readonly string[] }): JSX.Element {
  if (!sum(open)) return <span class="quiet">none</span>;
  return (
    <span class="findings short">
      {severities.map((severity, index) => (open[index] ?? 0) > 0 && (
        <span key={severity} class={`mark severity-${severity}`} title={severity}>
          <span aria-hidden="true">{SEVERITY_SYMBOLS[severity]}</span> {count(open[index] ?? 0)}<span class="unseen"> {severity}</span>
        </span>
      ))}
    </span>
  );
}

export function SeverityLegend({ severities }: { severities: readonly string[] }): JSX.Element {
  return (
    <p class="legend">Open findings: {severities.map((severity) => <span key={severity} class={`mark severity-${severity}`}><span aria-hidden="true">{SEVERITY_SYMBOLS[severity]}</span> {severity} </span>)}</p>
  );
}

/** How the targets ended, as a bar; the words are beside it in the table. */
export function ResultBar({ totals }: { totals: Totals }): JSX.Element {
  const names = ["pass", "fail", "not_judged", "not_scanned"];
  const said = names.map((name, index) => `${RESULT_WORDS[name]}: ${totals.results[index]}`).join(", ");
  return (
    <span class="bar" role="img" aria-label={said}>
      {[1, 3, 2, 0].map((index) => (totals.results[index] ?? 0) > 0 && (
        <span key={index} class={`piece result-${names[index]}`} style={{ flexGrow: totals.results[index] ?? 0 }} />
      ))}
    </span>
  );
}

export function Compliance({ totals }: { totals: Totals }): JSX.Element {
  return <span class="number">{percent(compliance(totals.counts))}</span>;
}
