// What is computed once of the data, and what is computed of it for a choice of filters. Everything is by number and in
// flat arrays, so that 100,000 containers are filtered in a moment.
//
// A place is a container of a workload; its targets are the containers of its pods. Counts of results are over targets, as in
// the run's summary. Open findings are over places: a control that fails on three replicas is one finding.

import type { Address } from "./address";
import type { PageData } from "./data";
import { FAILED, LETTERS, NOT_APPLICABLE, PASSED, PROFILE_ERROR, NOT_REVIEWED, STATUSES, WAIVED } from "./words";

export const PASS = 0, FAIL = 1, NOT_JUDGED = 2, NOT_SCANNED = 3;
const KINDS = STATUSES.length;
const SEVERITIES = 5;
// What a place is, where its replicas differ: the worst of them.
const WORST_FIRST = [FAILED, PROFILE_ERROR, NOT_REVIEWED, PASSED, WAIVED, NOT_APPLICABLE];
const RESULT_RANK = [3, 0, 2, 1];

export interface Totals {
  places: number;
  targets: number;
  standsFor: number;
  results: number[];
  counts: number[];
  open: number[];
  fresh: number;
  fixed: number;
  overdue: number;
  carried: number;
  /** Targets whose document is not the one that the run wrote: what it says is not known. */
  /** Those whose document is not the run's; they count as not judged, too. */
  unread: number;
  oldest: string;
}

export interface Life {
  readonly place: number;
  readonly control: number;
  readonly opened: string;
  readonly closed: string;
  readonly due: string;
  readonly overdue: boolean;
  readonly reopened: number;
  readonly changes: readonly { readonly at: string; readonly status: string }[];
}

export interface ControlTotals {
  readonly control: number;
  readonly counts: number[];
}

export function noTotals(): Totals {
  return {
    places: 0, targets: 0, standsFor: 0, results: [0, 0, 0, 0], counts: new Array<number>(KINDS).fill(0),
    open: new Array<number>(SEVERITIES).fill(0), fresh: 0, fixed: 0, overdue: 0, carried: 0, unread: 0, oldest: "",
  };
}

export function compliance(counts: readonly number[]): number | null {
  const passed = counts[PASSED] ?? 0;
  const asked = passed + (counts[FAILED] ?? 0) + (counts[NOT_REVIEWED] ?? 0) + (counts[PROFILE_ERROR] ?? 0);
  return asked ? (100 * passed) / asked : null;
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** The worst severity with an open finding, as a number of severities; -1 without one. */
export function worst(open: readonly number[]): number {
  return open.findIndex((number) => number > 0);
}

class Vectors {
  readonly letters: string[];
  readonly counts: number[][] = [];
  readonly open: number[][] = [];
  readonly failed: number[][] = [];
  private readonly numbers = new Map<string, number>();

  constructor(letters: readonly string[], private readonly severity: readonly number[]) {
    this.letters = [];
    for (const one of letters) this.number(one);
  }

  number(letters: string): number {
    const known = this.numbers.get(letters);
    if (known !== undefined) return known;
    const number = this.letters.length;
    const counts = new Array<number>(KINDS).fill(0);
    const open = new Array<number>(SEVERITIES).fill(0);
    const failed: number[] = [];
    for (let control = 0; control < letters.length; control++) {
      const status = LETTERS.indexOf(letters[control] ?? "-");
      if (status < 0) continue;
      counts[status]!++;
      if (status === FAILED) {
        failed.push(control);
        open[this.severity[control] ?? SEVERITIES - 1]!++;
      }
    }
    this.numbers.set(letters, number);
    this.letters.push(letters);
    this.counts.push(counts);
    this.open.push(open);
    this.failed.push(failed);
    return number;
  }

  /** The vector with the worst status of each control. */
  merge(numbers: readonly number[]): number {
    const texts = numbers.map((number) => this.letters[number] ?? "");
    const length = Math.max(...texts.map((text) => text.length));
    let merged = "";
    for (let control = 0; control < length; control++) {
      const found = texts.map((text) => LETTERS.indexOf(text[control] ?? "-"));
      const status = WORST_FIRST.find((one) => found.includes(one));
      merged += status === undefined ? "-" : LETTERS[status];
    }
    return this.number(merged);
  }
}

export class Model {
  readonly text: (number: number | undefined) => string;
  readonly vectors: Vectors;
  /** By place. */
  readonly targetsOf: number[][];
  readonly vectorOf: Int32Array;
  readonly resultOf: Int8Array;
  readonly livesOf = new Map<number, Life[]>();
  readonly freshOf = new Map<number, Set<number>>();
  readonly fixedOf = new Map<number, Set<number>>();
  readonly lives: readonly Life[];
  readonly totalsOf: Totals[];
  /** Places that have a target, those that need somebody first. */
  readonly all: readonly number[];
  readonly clusterNumbers = new Map<string, number>();
  readonly hasHistory: boolean;
  readonly hasComparison: boolean;

  constructor(readonly data: PageData) {
    const strings = data.strings;
    this.text = (number) => strings[number ?? 0] ?? "";
    this.vectors = new Vectors(data.vectors, data.controls.severity);
    const places = data.places.cluster.length;
    this.targetsOf = Array.from({ length: places }, () => []);
    data.targets.place.forEach((place, target) => this.targetsOf[place]?.push(target));
    this.vectorOf = new Int32Array(places).fill(-1);
    this.resultOf = new Int8Array(places).fill(-1);
    for (let place = 0; place < places; place++) this.judge(place);
    data.clusters.name.forEach((name, cluster) => this.clusterNumbers.set(this.text(name), cluster));
    this.lives = this.readLives();
    this.hasHistory = this.lives.length > 0 || data.trend.at.length > 0;
    this.hasComparison = data.since !== "" || data.clusters.baseline.some((name) => name > 0);
    this.readChanges();
    this.totalsOf = Array.from({ length: places }, (_unused, place) => this.totalsOfPlace(place));
    this.all = this.inOrder();
  }

  private judge(place: number): void {
    const targets = this.targetsOf[place] ?? [];
    const found = new Set<number>();
    let result = -1;
    for (const target of targets) {
      const one = this.data.targets.result[target] ?? NOT_SCANNED;
      if (result < 0 || RESULT_RANK[one]! < RESULT_RANK[result]!) result = one;
      const vector = this.data.targets.vector[target] ?? -1;
      if (vector >= 0) found.add(vector);
    }
    this.resultOf[place] = result;
    const [first, ...others] = [...found];
    if (first !== undefined) this.vectorOf[place] = others.length ? this.vectors.merge([first, ...others]) : first;
  }

  private readLives(): Life[] {
    const table = this.data.lives;
    return table.place.map((place, index) => {
      const texts = table.changes[index] ?? [];
      const changes = [];
      for (let at = 0; at + 1 < texts.length; at += 2) changes.push({ at: this.text(texts[at]), status: this.text(texts[at + 1]) });
      const life = {
        place, control: table.control[index] ?? 0, opened: this.text(table.opened[index]), closed: this.text(table.closed[index]),
        due: this.text(table.due[index]), overdue: table.overdue[index] === 1, reopened: table.reopened[index] ?? 0, changes,
      };
      const known = this.livesOf.get(place);
      if (known) known.push(life);
      else this.livesOf.set(place, [life]);
      return life;
    });
  }

  private readChanges(): void {
    const since = this.data.since ? Date.parse(this.data.since) : NaN;
    if (this.lives.length && !Number.isNaN(since)) {
      for (const life of this.lives) {
        if (life.closed && Date.parse(life.closed) >= since) add(this.fixedOf, life.place, life.control);
        else if (!life.closed && Date.parse(life.opened) >= since) add(this.freshOf, life.place, life.control);
      }
      return;
    }
    for (const [table, found] of [[this.data.fresh, this.freshOf], [this.data.fixed, this.fixedOf]] as const)
      table.place.forEach((place, index) => add(found, place, table.control[index] ?? 0));
  }

  private totalsOfPlace(place: number): Totals {
    const totals = noTotals();
    const columns = this.data.targets;
    for (const target of this.targetsOf[place] ?? []) {
      totals.targets++;
      totals.standsFor += columns.replicas[target] ?? 1;
      totals.results[columns.result[target] ?? NOT_SCANNED]!++;
      if (columns.carried[target]) totals.carried++;
      if (columns.unread[target]) totals.unread++;
      const seen = this.text(columns.seen[target]);
      if (seen && (!totals.oldest || seen < totals.oldest)) totals.oldest = seen;
      const counts = this.vectors.counts[columns.vector[target] ?? -1];
      if (counts) for (let status = 0; status < KINDS; status++) totals.counts[status]! += counts[status]!;
    }
    totals.places = totals.targets ? 1 : 0;
    const open = this.vectors.open[this.vectorOf[place] ?? -1];
    if (open) totals.open = open;
    totals.fresh = this.freshOf.get(place)?.size ?? 0;
    totals.fixed = this.fixedOf.get(place)?.size ?? 0;
    totals.overdue = (this.livesOf.get(place) ?? []).filter((life) => life.overdue && !life.closed).length;
    return totals;
  }

  private inOrder(): number[] {
    const places = [];
    const need = new Float64Array(this.targetsOf.length);
    for (let place = 0; place < need.length; place++) {
      if (!this.targetsOf[place]!.length) continue;
      places.push(place);
      const open = this.totalsOf[place]!.open;
      const severity = worst(open);
      const rank = RESULT_RANK[this.resultOf[place]!]!;
      need[place] = rank * 1e7 + (severity < 0 ? SEVERITIES : severity) * 1e6 - Math.min(sum(open), 1e5);
    }
    return places.sort((one, other) => need[one]! - need[other]! || one - other);
  }

  // names

  cluster(place: number): string {
    return this.text(this.data.clusters.name[this.data.places.cluster[place] ?? 0]);
  }

  part(place: number, name: "namespace" | "kind" | "workload" | "container" | "team" | "environment"): string {
    return this.text(this.data.places[name][place]);
  }

  workload(place: number): string {
    return `${this.part(place, "kind")}/${this.part(place, "workload")}`;
  }

  control(number: number): { profile: string; id: string; title: string; severity: number; key: string } {
    const table = this.data.controls;
    const profile = this.text(table.profile[number]);
    const id = this.text(table.id[number]);
    return { profile, id, title: this.text(table.title[number]), severity: table.severity[number] ?? 4, key: `${profile}/${id}` };
  }

  /** All numbers of a control: it has one for each severity that it has somewhere. */
  controlsOf(key: string): number[] {
    const found = [];
    for (let number = 0; number < this.data.controls.id.length; number++) if (this.control(number).key === key) found.push(number);
    return found;
  }

  groupsOf(cluster: number): { name: string; value: string }[] {
    return (this.data.clusters.groups[cluster] ?? []).map((pair) => ({ name: this.text(pair[0]), value: this.text(pair[1]) }));
  }

  status(place: number, control: number): number {
    const letters = this.vectors.letters[this.vectorOf[place] ?? -1];
    return LETTERS.indexOf(letters?.[control] ?? "-");
  }

  remark(target: number, control: number): string {
    const remark = this.data.remarks[this.data.targets.remark[target] ?? -1];
    if (!remark) return "";
    for (let at = 0; at < remark.length; at += 2) if (remark[at] === control) return this.text(remark[at + 1]);
    return "";
  }

  life(place: number, control: number): Life | undefined {
    return this.livesOf.get(place)?.find((life) => life.control === control);
  }

  /** Where the documents of a target are, seen from the page; empty where there are none. */
  document(target: number): string {
    const columns = this.data.targets;
    const place = columns.place[target] ?? 0;
    const cluster = this.data.places.cluster[place] ?? 0;
    const folder = this.data.clusters.folder[cluster] ?? -1;
    if (folder < 0 || (columns.vector[target] ?? -1) < 0) return "";
    const usual = `hdf/${this.cluster(place)}_${this.part(place, "namespace")}_${this.text(columns.pod[target])}_${this.part(place, "container")}.json`;
    const path = this.text(columns.hdf[target]) || usual;
    return [this.text(folder), path].filter(Boolean).join("/").split("/").map(encodeURIComponent).join("/");
  }

  // choice

  /** The places that an address chooses, those that need somebody first. */
  chosen(address: Address): readonly number[] {
    const tests = this.tests(address);
    if (!tests.length) return this.all;
    return this.all.filter((place) => tests.every((test) => test(place)));
  }

  /** Whether a place lies where an address looks, whatever its results. */
  scope(address: Address): ((place: number) => boolean)[] {
    const places = this.data.places;
    const tests: ((place: number) => boolean)[] = [];
    if (address.cluster) {
      const cluster = this.clusterNumbers.get(address.cluster) ?? -1;
      tests.push((place) => places.cluster[place] === cluster);
    }
    for (const name of ["namespace", "container", "team", "environment"] as const) {
      const wanted = address[name];
      if (!wanted) continue;
      const number = wanted === NONE ? 0 : this.data.strings.indexOf(wanted);
      tests.push((place) => places[name][place] === number);
    }
    if (address.workload) tests.push((place) => this.workload(place) === address.workload);
    if (address.group) {
      const clusters = this.data.clusters.name.map((_unused, cluster) =>
        this.groupsOf(cluster).some((group) => `${group.name}=${group.value}` === address.group));
      tests.push((place) => clusters[places.cluster[place] ?? 0] === true);
    }
    return tests;
  }

  private tests(address: Address): ((place: number) => boolean)[] {
    const tests = this.scope(address);
    if (address.result) {
      const result = this.data.results.indexOf(address.result);
      tests.push((place) => (this.totalsOf[place]?.results[result] ?? 0) > 0);
    }
    const severity = address.severity ? this.data.severities.indexOf(address.severity) : -1;
    const controls = address.control ? this.controlsOf(address.control) : [];
    if (address.control)
      tests.push((place) => controls.some((one) => this.status(place, one) === FAILED && (severity < 0 || this.control(one).severity === severity)));
    else if (severity >= 0) tests.push((place) => (this.totalsOf[place]?.open[severity] ?? 0) > 0);
    if (address.change === "new") tests.push((place) => this.freshOf.has(place));
    if (address.change === "fixed") tests.push((place) => this.fixedOf.has(place));
    if (address.change === "overdue") tests.push((place) => (this.totalsOf[place]?.overdue ?? 0) > 0);
    if (address.change === "carried") tests.push((place) => (this.totalsOf[place]?.carried ?? 0) > 0);
    const words = address.q.toLowerCase().split(/\s+/).filter(Boolean);
    for (const word of words) tests.push(this.search(word));
    return tests;
  }

  /** Each text is looked at once, whatever the number of places that have it. */
  private search(word: string): (place: number) => boolean {
    const hits = this.data.strings.map((text) => text.toLowerCase().includes(word));
    const controls = this.data.controls.id.map((id, number) => hits[id] === true || hits[this.data.controls.title[number] ?? 0] === true);
    const vectors = this.vectors.failed.map((failed) => failed.some((control) => controls[control]));
    const { places, targets } = this.data;
    return (place) => {
      const row = [places.namespace, places.kind, places.workload, places.container, places.team, places.environment];
      if (row.some((column) => hits[column[place] ?? 0])) return true;
      if (hits[this.data.clusters.name[places.cluster[place] ?? 0] ?? 0] || vectors[this.vectorOf[place] ?? -1]) return true;
      return (this.targetsOf[place] ?? []).some((target) =>
        hits[targets.pod[target] ?? 0] || hits[targets.image[target] ?? 0] || hits[targets.digest[target] ?? 0] || hits[targets.node[target] ?? 0]);
    };
  }

  // sums

  /** How many places with targets clusters have, whatever is chosen. */
  placesOf(clusters: readonly number[]): number {
    const wanted = new Set(clusters);
    return this.all.reduce((number, place) => number + Number(wanted.has(this.data.places.cluster[place] ?? -1)), 0);
  }

  total(places: readonly number[]): Totals {
    const totals = noTotals();
    for (const place of places) this.addTo(totals, place);
    return totals;
  }

  grouped(places: readonly number[], keyOf: (place: number) => string): Map<string, Totals> {
    const groups = new Map<string, Totals>();
    for (const place of places) {
      const key = keyOf(place);
      let totals = groups.get(key);
      if (!totals) groups.set(key, (totals = noTotals()));
      this.addTo(totals, place);
    }
    return groups;
  }

  private addTo(totals: Totals, place: number): void {
    const one = this.totalsOf[place]!;
    totals.places += one.places;
    totals.targets += one.targets;
    totals.standsFor += one.standsFor;
    totals.fresh += one.fresh;
    totals.fixed += one.fixed;
    totals.overdue += one.overdue;
    totals.carried += one.carried;
    totals.unread += one.unread;
    if (one.oldest && (!totals.oldest || one.oldest < totals.oldest)) totals.oldest = one.oldest;
    for (let index = 0; index < 4; index++) totals.results[index]! += one.results[index]!;
    for (let index = 0; index < KINDS; index++) totals.counts[index]! += one.counts[index]!;
    for (let index = 0; index < SEVERITIES; index++) totals.open[index]! += one.open[index]!;
  }

  /** For each control that was asked of one of the places: on how many of them it has which status; the worst first. */
  controlTotals(places: readonly number[]): ControlTotals[] {
    const uses = new Int32Array(this.vectors.letters.length);
    for (const place of places) {
      const vector = this.vectorOf[place]!;
      if (vector >= 0) uses[vector]!++;
    }
    const totals = this.data.controls.id.map((_unused, control) => ({ control, counts: new Array<number>(KINDS).fill(0) }));
    uses.forEach((number, vector) => {
      if (!number) return;
      const letters = this.vectors.letters[vector]!;
      for (let control = 0; control < letters.length; control++) {
        const status = LETTERS.indexOf(letters[control]!);
        if (status >= 0) totals[control]!.counts[status]! += number;
      }
    });
    const severity = this.data.controls.severity;
    return totals
      .filter((one) => sum(one.counts))
      .sort((one, other) =>
        Number(other.counts[FAILED]! > 0) - Number(one.counts[FAILED]! > 0) ||
        severity[one.control]! - severity[other.control]! ||
        other.counts[FAILED]! - one.counts[FAILED]!);
  }
}

/** In an address: what has no team, no environment. */
export const NONE = "(none)";

function add(sets: Map<number, Set<number>>, key: number, value: number): void {
  const known = sets.get(key);
  if (known) known.add(value);
  else sets.set(key, new Set([value]));
}
