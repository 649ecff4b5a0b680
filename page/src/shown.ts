// What a view gets: the model, where one is, what is chosen there, and how an address is made from it.

import type { Address } from "./address";
import type { Model } from "./model";

export interface Shown {
  readonly model: Model;
  readonly address: Address;
  readonly places: readonly number[];
  readonly href: (change: Partial<Address>) => string;
  readonly go: (change: Partial<Address>, replace?: boolean) => void;
}
