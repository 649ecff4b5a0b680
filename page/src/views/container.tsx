// One container of a workload: its pods, and each control with what was found, its fix and its history.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Life, Model } from "../model";
import { ResultMark, SeverityMark, StatusMark } from "../parts/marks";
import { Table } from "../parts/table";
import type { Shown } from "../shown";
import { CARRIED_WORDS, FAILED, GRADE_WORDS, NOT_REVIEWED, PASSED, PROFILE_ERROR, STATUSES, STATUS_WORDS, day, moment, plural, seconds, wordOf } from "../words";

// Failed ones first.
const ORDER = [3, 0, 2, 5, 4, 1];

export function ContainerView({ shown, place }: { shown: Shown; place: number }): JSX.Element {
  const { model } = shown;
  const targets = model.targetsOf[place] ?? [];
  const [kinds, setKinds] = useState<string>("");
  const controls = useMemo(() => {
    const letters = model.vectors.letters[model.vectorOf[place] ?? -1] ?? "";
    const severity = model.data.controls.severity;
    return Array.from({ length: letters.length }, (_unused, control) => ({ control, status: model.status(place, control) }))
      .filter((one) => one.status >= 0)
      .sort((one, other) => ORDER[one.status]! - ORDER[other.status]! || severity[one.control]! - severity[other.control]!);
  }, [model, place]);
  const found = STATUSES.map((_unused, status) => controls.filter((one) => one.status === status).length);
  const listed = controls.filter((one) => kinds === "" ? one.status !== PASSED : kinds === "all" || STATUSES[one.status] === kinds);
  return (
    <>
      <section>
        <h3>{targets.length === 1 ? "The container" : `The ${targets.length} containers of its pods`}</h3>
        <Table label="Pods" rows={targets} keyOf={(target) => target} columns={[
          { name: "pod", head: "Pod", wide: true, cell: (target) => model.text(model.data.targets.pod[target]), order: (target) => model.text(model.data.targets.pod[target]) },
          { name: "result", head: "Result", cell: (target) => <ResultMark result={model.data.results[model.data.targets.result[target] ?? 3] ?? ""} /> },
          { name: "image", head: "Image", wide: true, cell: (target) => <span title={model.text(model.data.targets.digest[target])}>{model.text(model.data.targets.image[target])}</span> },
          { name: "node", head: "Node", cell: (target) => model.text(model.data.targets.node[target]) },
          { name: "approach", head: "Seen by", cell: (target) => <Seen model={model} target={target} /> },
          { name: "document", head: "Document", cell: (target) => <Document model={model} target={target} /> },
        ]} />
        {targets.map((target) => <Doubts key={target} model={model} target={target} />)}
      </section>
      <section>
        <h3>Controls</h3>
        {controls.length === 0 ? <p>There are no results: the container was not scanned.</p> : (
          <>
            <div class="choices" role="group" aria-label="Which controls">
              <button type="button" aria-pressed={kinds === ""} onClick={() => setKinds("")}>all that did not pass</button>
              {STATUSES.map((name, status) => (found[status] ?? 0) > 0 && (
                <button key={name} type="button" aria-pressed={kinds === name} onClick={() => setKinds(name)}>{found[status]} {STATUS_WORDS[name]}</button>
              ))}
              <button type="button" aria-pressed={kinds === "all"} onClick={() => setKinds("all")}>all {controls.length}</button>
            </div>
            {listed.length === 0 && <p class="quiet">None.</p>}
            <ul class="controls">
              {listed.map(({ control, status }) => (
                <li key={control}><ControlOfPlace shown={shown} place={place} control={control} status={status} /></li>
              ))}
            </ul>
          </>
        )}
      </section>
    </>
  );
}

function ControlOfPlace({ shown, place, control, status }: { shown: Shown; place: number; control: number; status: number }): JSX.Element {
  const { model } = shown;
  const about = model.control(control);
  const life = model.life(place, control);
  const isNew = model.freshOf.get(place)?.has(control) === true;
  return (
    <details open={shown.address.control === about.key}>
      <summary>
        <StatusMark status={status} />
        <SeverityMark severity={model.data.severities[about.severity] ?? "none"} />
        <span class="id">{about.id}</span> <span class="title">{about.title}</span>
        {isNew && <span class="mark new"><span aria-hidden="true">＋</span> new</span>}
        {life?.overdue && !life.closed && <span class="mark overdue"><span aria-hidden="true">⚠</span> overdue</span>}
      </summary>
      <div class="detail">
        <Evidence model={model} place={place} control={control} status={status} />
        <About shown={shown} control={control} />
        <History life={life} model={model} />
        <p><a href={shown.href({ view: "controls", control: about.key, cluster: "", namespace: "", workload: "", container: "" })}>{about.id} everywhere</a></p>
      </div>
    </details>
  );
}

/** What was expected and found; replicas that say the same are told together. */
function Evidence({ model, place, control, status }: { model: Model; place: number; control: number; status: number }): JSX.Element {
  const said = new Map<string, string[]>();
  for (const target of model.targetsOf[place] ?? []) {
    const letters = model.vectors.letters[model.data.targets.vector[target] ?? -1];
    if (!letters || (letters[control] ?? "-") === "-") continue;
    const text = model.remark(target, control);
    said.set(text, [...(said.get(text) ?? []), model.text(model.data.targets.pod[target])]);
  }
  const entries = [...said].filter(([text]) => text);
  const asks = status === FAILED || status === NOT_REVIEWED || status === PROFILE_ERROR;
  if (!entries.length) return asks ? <p class="quiet">What was found is in the document.</p> : <></>;
  return (
    <>
      <h4>{status === NOT_REVIEWED ? "Why it was not reviewed" : status === FAILED || status === PROFILE_ERROR ? "What was found" : "Why"}</h4>
      {entries.map(([text, pods]) => (
        <p key={text} class="evidence"><code>{text}</code>{said.size > 1 && <span class="quiet"> on {pods.length > 3 ? plural(pods.length, "pod") : pods.join(", ")}</span>}</p>
      ))}
    </>
  );
}

export function About({ shown, control }: { shown: Shown; control: number }): JSX.Element {
  const { model } = shown;
  const table = model.data.controls;
  const [desc, why, fix] = [model.text(table.desc[control]), model.text(table.why[control]), model.text(table.fix[control])];
  const tags = table.tags[control] ?? [];
  return (
    <>
      {fix && <><h4>How to fix it</h4><p class="text">{fix}</p></>}
      {why && <><h4>Why it matters</h4><p class="text">{why}</p></>}
      {desc && <><h4>What it asks</h4><p class="text">{desc}</p></>}
      {tags.length > 0 && (
        <dl class="tags">{tags.map((pair, index) => <div key={index}><dt>{model.text(pair[0])}</dt><dd>{model.text(pair[1])}</dd></div>)}</dl>
      )}
    </>
  );
}

function History({ life, model }: { life: Life | undefined; model: Model }): JSX.Element {
  if (!life) return model.hasHistory ? <></> : <></>;
  return (
    <>
      <h4>History</h4>
      <p>
        Open since {moment(life.opened)}{life.closed && `, fixed ${moment(life.closed)}`}{life.reopened > 0 && `, opened again ${plural(life.reopened, "time")}`}.
        {life.due && !life.closed && ` Due ${day(life.due)}${life.overdue ? ": overdue" : ""}.`}
      </p>
      {life.changes.length > 0 && (
        <ol class="history">
          {life.changes.map((change, index) => {
            const status = STATUSES.findIndex((one) => one === change.status);
            return <li key={index}><time>{moment(change.at)}</time> {status < 0 ? change.status : <StatusMark status={status} />}</li>;
          })}
        </ol>
      )}
    </>
  );
}

function Seen({ model, target }: { model: Model; target: number }): JSX.Element {
  const columns = model.data.targets;
  const grade = model.data.grades[columns.grade[target] ?? -1];
  const carried = model.text(columns.carried[target]);
  const stands = columns.replicas[target] ?? 1;
  return (
    <>
      {model.text(columns.approach[target]) || "–"}
      {grade && <span class="quiet" title={wordOf(GRADE_WORDS, grade)}>, evidence {grade}</span>}
      {carried && <span class="mark carried"> <span aria-hidden="true">↻</span> {wordOf(CARRIED_WORDS, carried)}, {seconds(columns.carried_age[target] ?? 0)} old</span>}
      {stands > 1 && <span class="quiet">, stands for {plural(stands, "container")}</span>}
    </>
  );
}

function Document({ model, target }: { model: Model; target: number }): JSX.Element {
  const path = model.document(target);
  return path ? <a href={path}>HDF<span class="unseen"> document of {model.text(model.data.targets.pod[target])}</span></a> : <span class="quiet">–</span>;
}

function Doubts({ model, target }: { model: Model; target: number }): JSX.Element {
  const columns = model.data.targets;
  const error = columns.error[target] ?? -1;
  const unread = model.text(columns.unread[target]);
  const doubts = columns.doubts[target] ?? [];
  const pod = model.text(columns.pod[target]);
  return (
    <>
      {error >= 0 && <ErrorText model={model} error={error} who={pod} />}
      {unread && <p class="evidence">{pod}: {unread}</p>}
      {doubts.map((doubt) => <p key={doubt} class="quiet">{pod}: {model.text(doubt)}</p>)}
    </>
  );
}

export function ErrorText({ model, error, who }: { model: Model; error: number; who: string }): JSX.Element {
  const table = model.data.errors;
  const [cause, advice] = [model.text(table.cause[error]), model.text(table.advice[error])];
  return (
    <p class="evidence">
      {who && <strong>{who}: </strong>}<code>{model.text(table.code[error])}</code> {model.text(table.message[error])}
      {cause && <><br />Cause: {cause}</>}{advice && <><br /><em>{advice}</em></>}
    </p>
  );
}
