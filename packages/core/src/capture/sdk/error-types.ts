// The SDK's error classes by their public names: bundlers change the names of constructors.
import type { ErrorTypeOf } from "../payload/errors.ts";
import type { SdkHost } from "./host.ts";

type Known = readonly (readonly [name: string, type: object])[];

const known = new WeakMap<object, Known>();

/** Distinguishes the SDK's errors by the classes that the client's own class has as statics. */
export function errorTypesOf(
  client: object,
  { errorTypes, baseError }: Pick<SdkHost, "errorTypes" | "baseError">,
): ErrorTypeOf {
  const { constructor } = client;
  let classes = known.get(constructor);
  if (!classes) {
    classes = [...errorTypes, baseError].flatMap((name) => {
      const type: unknown = Reflect.get(constructor, name);
      return typeof type === "function" ? [[name, type] as const] : [];
    });
    known.set(constructor, classes);
  }
  return typeIn(classes);
}

function typeIn(classes: Known): ErrorTypeOf {
  return (error) => {
    // An error with a name of its own, such as a subclass of the caller's, keeps it.
    if (!(error instanceof Error) || error.name !== "Error") return undefined;
    return classes.find(([, type]) => isInstance(error, type))?.[0];
  };
}

function isInstance(error: Error, type: object): boolean {
  return typeof type === "function" && error instanceof type;
}
