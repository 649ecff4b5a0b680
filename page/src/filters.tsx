// The choice that applies to every view: search, and lists to choose from. It stands in the address.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Address } from "./address";
import { NO_FILTER } from "./address";
import { NONE } from "./model";
import type { Model } from "./model";
import type { Shown } from "./shown";
import { RESULT_WORDS, count, plural, wordOf } from "./words";

const TYPING = 120;

export function Filters({ shown }: { shown: Shown }): JSX.Element {
  const { model, address, go } = shown;
  const options = useMemo(() => optionsOf(model), [model]);
  const pods = useMemo(() => shown.places.reduce((number, place) => number + model.targetsOf[place]!.length, 0), [model, shown.places]);
  const chosen = Object.entries(NO_FILTER).some(([key]) => address[key as keyof Address] !== "");
  return (
    <search class="filters">
      <form onSubmit={(event) => event.preventDefault()} aria-label="Filters">
        <Search value={address.q} onChange={(q) => go({ q }, true)} />
        {options.clusters.length > 1 && <Choice label="Cluster" value={address.cluster} options={options.clusters} onChange={(cluster) => go({ cluster, namespace: "", workload: "", container: "" })} />}
        {options.teams.length > 0 && <Choice label="Team" value={address.team} options={options.teams} onChange={(team) => go({ team })} />}
        {options.environments.length > 0 && <Choice label="Environment" value={address.environment} options={options.environments} onChange={(environment) => go({ environment })} />}
        <Choice label="Result" value={address.result} options={model.data.results} words={RESULT_WORDS} onChange={(result) => go({ result })} />
        <Choice label="Failed severity" value={address.severity} options={model.data.severities} onChange={(severity) => go({ severity })} />
        <button type="button" disabled={!chosen} onClick={() => go(NO_FILTER)}>Clear</button>
      </form>
      <p class="chosen" role="status" aria-live="polite">
        {plural(shown.places.length, "container")} of workloads{chosen && ` of ${count(model.all.length)}`}, {plural(pods, "container")} of pods
        {address.control && <> with {address.control} failed <button type="button" onClick={() => go({ control: "" })}>any control</button></>}
        {address.change && address.change !== "" && <>, {address.change} <button type="button" onClick={() => go({ change: "" })}>any change</button></>}
        {address.group && <>, {address.group} <button type="button" onClick={() => go({ group: "" })}>any group</button></>}
      </p>
    </search>
  );
}

function Search({ value, onChange }: { value: string; onChange: (text: string) => void }): JSX.Element {
  const [text, setText] = useState(value);
  const timer = useRef(0);
  useEffect(() => setText(value), [value]);
  return (
    <label>
      Search
      <input type="search" value={text} placeholder="name, image, node, control" autocomplete="off" spellcheck={false}
        onInput={(event) => {
          const typed = event.currentTarget.value;
          setText(typed);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => onChange(typed), TYPING);
        }} />
    </label>
  );
}

function Choice({ label, value, options, words = {}, onChange }: {
  label: string; value: string; options: readonly string[]; words?: Record<string, string>; onChange: (value: string) => void;
}): JSX.Element {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">all</option>
        {value && !options.includes(value) && <option value={value}>{value}</option>}
        {options.map((option) => <option key={option} value={option}>{wordOf(words, option)}</option>)}
      </select>
    </label>
  );
}

function optionsOf(model: Model): { clusters: string[]; teams: string[]; environments: string[] } {
  const { places, clusters } = model.data;
  const names = (column: readonly number[]): string[] => {
    const found = new Set(column);
    const texts = [...found].filter((one) => one > 0).map((one) => model.text(one)).sort();
    return texts.length && found.has(0) ? [...texts, NONE] : texts;
  };
  return { clusters: clusters.name.map((name) => model.text(name)).sort(), teams: names(places.team), environments: names(places.environment) };
}
