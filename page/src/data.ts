// The data of the page, as plugins/module_utils/reports/page_data.py writes it; that file says what each column is.

export type Numbers = readonly number[];
export type Table<Columns extends string> = Readonly<Record<Columns, Numbers>>;

export interface PageData {
  readonly version: number;
  readonly title: string;
  readonly kind: "run" | "fleet run" | "store";
  readonly made: string;
  readonly since: string;
  readonly writer: string;
  readonly gate: string;
  readonly gate_reasons: readonly string[];
  readonly notes_on_data: readonly string[];
  readonly severities: readonly string[];
  readonly results: readonly string[];
  readonly grades: readonly string[];
  readonly strings: readonly string[];
  readonly vectors: readonly string[];
  readonly remarks: readonly Numbers[];
  readonly profiles: Table<"name" | "version" | "sha256">;
  readonly errors: Table<"code" | "reason" | "message" | "tried" | "cause" | "advice">;
  readonly controls: Table<"profile" | "id" | "title" | "severity" | "desc" | "why" | "fix"> & {
    readonly tags: readonly (readonly Numbers[])[];
  };
  readonly clusters: Table<
    "name" | "state" | "gate" | "reason" | "run" | "started" | "finished" | "baseline" | "error" | "duration" | "folder"
  > & {
    readonly groups: readonly (readonly Numbers[])[];
    readonly profiles: readonly Numbers[];
    readonly gate_reasons: readonly Numbers[];
    readonly unmatched: readonly Numbers[];
  };
  readonly places: Table<"cluster" | "namespace" | "kind" | "workload" | "container" | "team" | "environment">;
  readonly targets: Table<
    | "place" | "pod" | "image" | "digest" | "node" | "approach" | "seen" | "hdf" | "unread" | "result" | "grade"
    | "error" | "vector" | "remark" | "replicas" | "carried" | "carried_age"
  > & { readonly doubts: readonly Numbers[] };
  readonly fresh: Table<"place" | "control">;
  readonly fixed: Table<"place" | "control">;
  readonly lives: Table<"place" | "control" | "opened" | "closed" | "due" | "overdue" | "reopened"> & {
    readonly changes: readonly Numbers[];
  };
  readonly trend: Table<
    | "at" | "cluster" | "expected" | "scanned" | "judged" | "overdue" | "passed" | "failed" | "not_reviewed"
    | "not_applicable" | "profile_error" | "open_critical" | "open_high" | "open_medium" | "open_low" | "open_none"
  >;
}

const VERSION = 1;

/** Unpacks base64 of gzip of JSON. Nothing is fetched: the bytes are in the page. */
export async function unpack(base64: string): Promise<PageData> {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = (await new Response(stream).json()) as PageData;
  if (data.version !== VERSION) throw new Error(`the data is of version ${data.version}, the page of version ${VERSION}`);
  return data;
}
