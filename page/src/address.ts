// What the page shows is in its address, behind the #, so that it can be sent to somebody.

export const VIEWS = ["overview", "where", "containers", "controls", "changes", "coverage", "trend", "about"] as const;
export type View = (typeof VIEWS)[number];

/** Empty texts choose nothing. `control` is "profile/id", `workload` "kind/name", `group` "name=value". */
export interface Address {
  readonly view: View;
  readonly q: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly workload: string;
  readonly container: string;
  readonly team: string;
  readonly environment: string;
  readonly group: string;
  readonly result: string;
  readonly severity: string;
  readonly control: string;
  readonly change: string;
  readonly by: string;
}

const START: Address = {
  view: "overview",
  q: "",
  cluster: "",
  namespace: "",
  workload: "",
  container: "",
  team: "",
  environment: "",
  group: "",
  result: "",
  severity: "",
  control: "",
  change: "",
  by: "",
};
const KEYS = Object.keys(START) as (keyof Address)[];

/** The scope is where one looks; the rest of the choice stays when one goes elsewhere. */
export const NO_SCOPE = { cluster: "", namespace: "", workload: "", container: "", control: "" } as const;
export const NO_FILTER = {
  ...NO_SCOPE, q: "", team: "", environment: "", group: "", result: "", severity: "", change: "",
} as const;

export function readAddress(hash: string): Address {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const found: Record<string, string> = {};
  for (const key of KEYS) found[key] = given.get(key) ?? "";
  const view = VIEWS.find((one) => one === found["view"]) ?? "overview";
  return { ...START, ...found, view };
}

export function writeAddress(address: Address): string {
  const written = new URLSearchParams();
  for (const key of KEYS) if (address[key] && !(key === "view" && address.view === "overview")) written.set(key, address[key]);
  return `#${written.toString()}`;
}

export function hrefOf(address: Address, change: Partial<Address>): string {
  return writeAddress({ ...address, ...change });
}
