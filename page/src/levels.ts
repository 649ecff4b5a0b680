// By what containers are put together, and where one gets by a row: fleet, cluster, namespace, workload, container.

import type { Address } from "./address";
import type { Model } from "./model";
import { NONE } from "./model";

export interface Level {
  readonly by: string;
  readonly head: string;
  readonly keyOf: (model: Model, place: number) => string;
  readonly name: (key: string) => string;
  /** What a row adds to the address. */
  readonly into: (key: string) => Partial<Address>;
}

// In a key that has parts; no name of Kubernetes has it.
const BETWEEN = "\u0001";

const BY_CLUSTER: Level = {
  by: "cluster", head: "Cluster", keyOf: (model, place) => model.cluster(place), name: (key) => key, into: (key) => ({ cluster: key }),
};
const BY_NAMESPACE: Level = {
  by: "namespace", head: "Namespace",
  keyOf: (model, place) => [model.cluster(place), model.part(place, "namespace")].join(BETWEEN),
  name: (key) => key.split(BETWEEN)[1] ?? key,
  into: (key) => ({ cluster: key.split(BETWEEN)[0] ?? "", namespace: key.split(BETWEEN)[1] ?? "" }),
};
const BY_NAMESPACE_OF_CLUSTER: Level = { ...BY_NAMESPACE, name: (key) => key.split(BETWEEN).join(" / ") };
const BY_WORKLOAD: Level = {
  by: "workload", head: "Workload",
  keyOf: (model, place) => [model.cluster(place), model.part(place, "namespace"), model.workload(place)].join(BETWEEN),
  name: (key) => key.split(BETWEEN)[2] ?? key,
  into: (key) => {
    const [cluster = "", namespace = "", workload = ""] = key.split(BETWEEN);
    return { cluster, namespace, workload };
  },
};
const BY_CONTAINER: Level = {
  by: "container", head: "Container", keyOf: (model, place) => model.part(place, "container"), name: (key) => key, into: (key) => ({ container: key }),
};
export const BY_TEAM: Level = {
  by: "team", head: "Team", keyOf: (model, place) => model.part(place, "team") || NONE,
  name: (key) => (key === NONE ? "no team" : key), into: (key) => ({ team: key }),
};
const BY_ENVIRONMENT: Level = {
  by: "environment", head: "Environment", keyOf: (model, place) => model.part(place, "environment") || NONE,
  name: (key) => (key === NONE ? "no environment" : key), into: (key) => ({ environment: key }),
};

export function hasTeams(model: Model): boolean {
  return model.data.places.team.some((team) => team > 0);
}

/** The ways in which what an address shows can be put together, the usual one first. */
export function levelsOf(model: Model, address: Address): Level[] {
  if (address.workload) return [BY_CONTAINER];
  if (address.namespace) return [BY_WORKLOAD];
  const several = model.data.clusters.name.length > 1;
  const levels = address.cluster || !several ? [BY_NAMESPACE] : [BY_CLUSTER, BY_NAMESPACE_OF_CLUSTER];
  if (hasTeams(model) && !address.team) levels.push(BY_TEAM);
  if (model.data.places.environment.some((one) => one > 0) && !address.environment) levels.push(BY_ENVIRONMENT);
  if (several && !address.cluster) levels.push(...groupLevels(model));
  levels.push(BY_WORKLOAD);
  return levels;
}

/** The level that an address names, else the usual one. */
export function levelOf(model: Model, address: Address): Level {
  const levels = levelsOf(model, address);
  return levels.find((level) => level.by === address.by) ?? levels[0] ?? BY_CLUSTER;
}

function groupLevels(model: Model): Level[] {
  const names = new Set(model.data.clusters.name.flatMap((_unused, cluster) => model.groupsOf(cluster).map((group) => group.name)));
  return [...names].slice(0, 6).map((name) => ({
    by: `group ${name}`,
    head: name,
    keyOf: (known: Model, place: number) => known.groupsOf(known.data.places.cluster[place] ?? 0).find((group) => group.name === name)?.value ?? "",
    name: (key: string) => key || `no ${name}`,
    into: (key: string) => ({ group: `${name}=${key}` }),
  }));
}
