import type { Props, Resource } from "../../policy/resource";
import type { Declared } from "./record";
import { accepted } from "./stacks";
import { plain } from "./whole";

/** What a stack declares, as a rule of the policy pack sees it. */
export const resourcesOf = (stack: string, declared: Declared = accepted(stack)): Resource[] =>
  Object.entries(declared).map(([name, { type, inputs, protect = false }]) => ({
    type,
    name,
    stack,
    props: plain(inputs) as Props,
    protect,
  }));
