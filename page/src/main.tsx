// Unpacks the data and shows the page.

import { render } from "preact";
import { unpack } from "./data";
import { Model } from "./model";
import { Page } from "./page";
import "./style.css";

async function open(): Promise<void> {
  const root = document.getElementById("page")!;
  try {
    const data = await unpack(document.getElementById("page-data")?.textContent ?? "");
    document.getElementById("page-data")?.remove();
    const model = new Model(data);
    root.replaceChildren();
    render(<Page model={model} />, root);
    document.documentElement.dataset["opened"] = "yes";
  } catch (error) {
    root.textContent = `The report cannot be opened: ${error instanceof Error ? error.message : String(error)}. A browser of 2023 or newer is needed.`;
    document.documentElement.dataset["opened"] = "failed";
  }
}

void open();
