// The frame of the page: its head, the views, where one is.

import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Address, View } from "./address";
import { NO_SCOPE, hrefOf, readAddress, writeAddress } from "./address";
import { Filters } from "./filters";
import type { Model } from "./model";
import type { Shown } from "./shown";
import { moment } from "./words";
import { AboutPage } from "./views/about";
import { Changes } from "./views/changes";
import { Containers } from "./views/containers";
import { Controls } from "./views/controls";
import { Coverage } from "./views/coverage";
import { Overview } from "./views/overview";
import { Trend } from "./views/trend";
import { Where } from "./views/where";

const VIEWS: Record<View, { name: string; view: (props: { shown: Shown }) => JSX.Element }> = {
  overview: { name: "At a glance", view: Overview },
  where: { name: "Where", view: Where },
  containers: { name: "Containers", view: Containers },
  controls: { name: "Controls", view: Controls },
  changes: { name: "Changes", view: Changes },
  coverage: { name: "Coverage", view: Coverage },
  trend: { name: "Trend", view: Trend },
  about: { name: "How to read this", view: AboutPage },
};

export function Page({ model }: { model: Model }): JSX.Element {
  const [hash, setHash] = useState(location.hash);
  const address = useMemo(() => readAddress(hash), [hash]);
  useEffect(() => {
    const look = (): void => setHash(location.hash);
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  const go = useCallback((change: Partial<Address>, replace = false) => {
    const wanted = writeAddress({ ...readAddress(location.hash), ...change });
    if (replace) {
      history.replaceState(null, "", wanted);
      setHash(location.hash);
    } else location.hash = wanted;
  }, []);
  const href = useCallback((change: Partial<Address>) => hrefOf(address, change), [address]);
  const places = useMemo(() => model.chosen(address), [model, address]);
  const shown = useMemo<Shown>(() => ({ model, address, places, href, go }), [model, address, places, href, go]);
  const heading = useRef<HTMLHeadingElement>(null);
  const where = [address.view, address.cluster, address.namespace, address.workload, address.container].join("\n");
  const before = useRef(where);
  const steps = stepsOf(address);
  const title = steps.length && address.view !== "about" ? `${VIEWS[address.view].name}: ${steps[steps.length - 1]!.name}` : VIEWS[address.view].name;
  useEffect(() => {
    document.title = `${title}, ${model.data.title}`;
    if (before.current === where) return;
    before.current = where;
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [where, title, model]);
  const View = VIEWS[address.view].view;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); heading.current?.focus(); }}>To the content</a>
      <Head model={model} />
      <nav class="views" aria-label="Views">
        {Object.entries(VIEWS).map(([view, { name }]) => (
          <a key={view} href={href({ view: view as View, by: "", ...(view === "overview" || view === address.view ? {} : { change: "" }), ...(view === "controls" || address.view === "controls" ? { control: "" } : {}) })}
            aria-current={view === address.view ? "page" : undefined}>{name}</a>
        ))}
      </nav>
      <Filters shown={shown} />
      <main id="main" data-address={hash}>
        {steps.length > 0 && (
          <nav class="steps" aria-label="Where you are">
            <ol>
              <li><a href={href({ ...NO_SCOPE })}>{model.data.clusters.name.length > 1 ? "Fleet" : model.data.title}</a></li>
              {steps.map((step, index) => (
                <li key={step.kind}><span class="quiet">{step.kind}</span> {index === steps.length - 1 ? <span aria-current="location">{step.name}</span> : <a href={href(step.to)}>{step.name}</a>}</li>
              ))}
            </ol>
          </nav>
        )}
        <h2 ref={heading} tabIndex={-1}>{title}</h2>
        <View shown={shown} />
      </main>
      <footer>
        <p>{model.data.writer}. {model.data.notes_on_data.length > 0 && <a href={href({ view: "about" })}>Not everything is on this page.</a>}</p>
      </footer>
    </>
  );
}

function stepsOf(address: Address): { kind: string; name: string; to: Partial<Address> }[] {
  const steps: { kind: string; name: string; to: Partial<Address> }[] = [];
  if (address.cluster) steps.push({ kind: "cluster", name: address.cluster, to: { namespace: "", workload: "", container: "", control: "" } });
  if (address.namespace) steps.push({ kind: "namespace", name: address.namespace, to: { workload: "", container: "", control: "" } });
  if (address.workload) steps.push({ kind: "workload", name: address.workload, to: { container: "", control: "" } });
  if (address.container) steps.push({ kind: "container", name: address.container, to: {} });
  return steps;
}

function Head({ model }: { model: Model }): JSX.Element {
  const [theme, setTheme] = useState("");
  const [copied, setCopied] = useState("");
  useEffect(() => {
    if (theme) document.documentElement.dataset["theme"] = theme;
    else delete document.documentElement.dataset["theme"];
  }, [theme]);
  const copy = (): void => {
    const failed = (): void => setCopied("Copy it from the browser's address line.");
    // not there where the page comes from a server without TLS
    if (navigator.clipboard as Clipboard | undefined) navigator.clipboard.writeText(location.href).then(() => setCopied("Copied."), failed);
    else failed();
  };
  return (
    <header class="head">
      <div>
        <h1>Compliance of {model.data.title}</h1>
        <p>{model.data.kind === "store" ? "As the store knows it" : `A ${model.data.kind}`}, {moment(model.data.made)}</p>
      </div>
      <div class="tools">
        <label>Colours <select value={theme} onChange={(event) => setTheme(event.currentTarget.value)}>
          <option value="">of the system</option><option value="light">light</option><option value="dark">dark</option>
        </select></label>
        <button type="button" onClick={() => print()}>Print</button>
        <button type="button" onClick={copy}>Copy address</button>
        <span role="status" aria-live="polite">{copied}</span>
      </div>
    </header>
  );
}
