// The words of results: HDF's, and a symbol beside each, so that colour never says something alone.

export const STATUSES = ["passed", "failed", "not_reviewed", "not_applicable", "waived", "profile_error"] as const;
export type Status = (typeof STATUSES)[number];
export const PASSED = 0, FAILED = 1, NOT_REVIEWED = 2, NOT_APPLICABLE = 3, WAIVED = 4, PROFILE_ERROR = 5;
export const LETTERS = "PFRAWE";

export const STATUS_WORDS: Record<Status, string> = {
  passed: "Passed",
  failed: "Failed",
  not_reviewed: "Not Reviewed",
  not_applicable: "Not Applicable",
  waived: "Not Applicable (waived)",
  profile_error: "Profile Error",
};

export const STATUS_SYMBOLS: Record<Status, string> = {
  passed: "✓",
  failed: "✗",
  not_reviewed: "?",
  not_applicable: "–",
  waived: "≈",
  profile_error: "!",
};

/** A result of a target: pass, fail, not_judged, not_scanned. */
export const RESULT_WORDS: Record<string, string> = {
  pass: "Pass",
  fail: "Fail",
  not_judged: "Not judged",
  not_scanned: "Not scanned",
};
export const RESULT_SYMBOLS: Record<string, string> = { pass: "✓", fail: "✗", not_judged: "?", not_scanned: "∅" };

export const SEVERITY_SYMBOLS: Record<string, string> = { critical: "◆", high: "▲", medium: "■", low: "●", none: "○" };

export const STATE_WORDS: Record<string, string> = {
  scanned: "Scanned",
  partly_scanned: "Partly scanned",
  not_scanned: "Not scanned",
  unreachable: "Unreachable",
  refused: "Refused",
  broken: "Broken",
  out_of_time: "Out of time",
  not_reached: "Not reached",
};

export const GATE_WORDS: Record<string, string> = {
  passed: "Passed",
  failed: "Failed",
  not_scanned: "Not scanned",
  not_judged: "Not judged",
  "": "No gate",
};

export const GRADE_WORDS: Record<string, string> = {
  target: "target: the container's own shell and tools answered",
  beside: "beside: another shell answered, beside the container's processes",
  image: "image: the container could not touch what answered",
};

export const CARRIED_WORDS: Record<string, string> = {
  resumed: "carried over from the interrupted run",
  fresh: "carried over: still young enough",
};

export function plural(number: number, word: string, many = `${word}s`): string {
  return `${count(number)} ${number === 1 ? word : many}`;
}

export function count(number: number): string {
  return number.toLocaleString("en");
}

/** A percentage that is never rounded up: 99.9 stays below 100. */
export function percent(value: number | null): string {
  return value === null ? "–" : `${Math.floor(value * 10) / 10} %`;
}

export function seconds(value: number): string {
  if (value < 90) return plural(Math.round(value), "second");
  if (value < 5400) return plural(Math.round(value / 60), "minute");
  if (value < 172800) return plural(Math.round(value / 3600), "hour");
  return plural(Math.round(value / 86400), "day");
}

/** A time of RFC 3339 as people read it, in UTC; another text as it is. */
export function moment(text: string): string {
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)$/.exec(text);
  return found ? `${found[1]} ${found[2]} UTC` : text;
}

export function day(text: string): string {
  return text.slice(0, 10);
}

/** A word for a name that came with the data; the name itself where there is none. Names of JavaScript's own are none. */
export function wordOf(words: Record<string, string>, name: string): string {
  return Object.hasOwn(words, name) ? words[name]! : name;
}
