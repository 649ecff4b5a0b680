// Where it hurts: places by the controls that fail most. Each cell is a number and a link; the shade repeats the number.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Shown } from "../shown";
import { FAILED, SEVERITY_SYMBOLS, count } from "../words";
import type { Level } from "../levels";

const MOST_ROWS = 15;
const MOST_COLUMNS = 10;

export function HeatMap({ shown, level }: { shown: Shown; level: Level }): JSX.Element {
  const { model, places } = shown;
  const map = useMemo(() => {
    const controls = model.controlTotals(places).filter((one) => one.counts[FAILED]).slice(0, MOST_COLUMNS).map((one) => one.control);
    const rows = new Map<string, { key: string; places: number; failed: number[] }>();
    for (const place of places) {
      const key = level.keyOf(model, place);
      let row = rows.get(key);
      if (!row) rows.set(key, (row = { key, places: 0, failed: controls.map(() => 0) }));
      row.places++;
      for (let index = 0; index < controls.length; index++) if (model.status(place, controls[index]!) === FAILED) row.failed[index]!++;
    }
    const all = [...rows.values()].map((row) => ({ ...row, worst: row.failed.reduce((one, number) => one + number, 0) }));
    all.sort((one, other) => other.worst - one.worst);
    const hurt = all.filter((row) => row.worst);
    const most = Math.max(0, ...hurt.flatMap((row) => row.failed.map((number) => number / row.places)));
    return { controls, rows: hurt.slice(0, MOST_ROWS), more: hurt.length - MOST_ROWS, most };
  }, [model, places, level]);
  if (!map.rows.length) return <p class="quiet">No control fails here.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Heat map">
      <table class="heat">
        <caption>
          Containers on which a control fails, of all in the row. Columns: the {map.controls.length === 1 ? "control" : `${map.controls.length} controls`} that
          {" "}fail worst. The darker, the larger the share of the row. {map.more > 0 && `${count(map.more)} more rows have failures.`}
        </caption>
        <thead>
          <tr>
            <th scope="col">{level.head}</th>
            {map.controls.map((number) => {
              const control = model.control(number);
              const severity = model.data.severities[control.severity] ?? "none";
              return (
                <th key={number} scope="col">
                  <a href={shown.href({ view: "controls", control: control.key })} title={control.title}>
                    <span class={`mark severity-${severity}`} title={severity}><span aria-hidden="true">{SEVERITY_SYMBOLS[severity]}</span><span class="unseen">{severity}</span></span> {control.id}
                  </a>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {map.rows.map((row) => (
            <tr key={row.key}>
              <th scope="row"><a href={shown.href({ view: "where", ...level.into(row.key) })}>{level.name(row.key)}</a> <span class="quiet">{count(row.places)}</span></th>
              {row.failed.map((number, index) => {
                const control = model.control(map.controls[index]!);
                const shade = number ? Math.max(1, Math.ceil((5 * number) / row.places / map.most)) : 0;
                return (
                  <td key={index} class={`heat-${Math.min(shade, 5)}`}>
                    {number ? (
                      <a href={shown.href({ view: "containers", ...level.into(row.key), control: control.key })} aria-label={`${number} of ${row.places}: ${control.id} in ${level.name(row.key)}`}>{count(number)}</a>
                    ) : <span class="quiet">0</span>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
