// Programs that do with the client what few do: everything is as with the plain one, and on record.
import { AuditWriteError } from "@ai-audit/core";
import { OpenAI } from "openai";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AuditedOpenAI, auditClient, auditStats } from "../../src/index.ts";
import { chunks, completion } from "../equivalence/payloads.ts";
import { events, json } from "@ai-audit/test-support/wire-server";
import { hello, lifecycleBench, type LifecycleBench } from "./bench.ts";

const answered = completion("Hi.");

function answer(): Response {
  return new Response(JSON.stringify(answered), {
    headers: { "content-type": "application/json" },
  });
}

function clientWith(
  fetch: () => Response,
  { logger }: LifecycleBench,
  Base = AuditedOpenAI,
): OpenAI {
  return new Base({
    apiKey: "sk-test",
    fetch: () => Promise.resolve(fetch()),
    maxRetries: 0,
    audit: logger,
  });
}

async function said(client: OpenAI): Promise<string | null | undefined> {
  return (await client.chat.completions.create(hello)).choices[0]?.message.content;
}

/** The body comes as late as this, also when nobody waits for it any more. */
function late(ms: number): Response {
  const start = (controller: ReadableStreamDefaultController): void => {
    setTimeout(() => {
      controller.enqueue(new TextEncoder().encode(JSON.stringify(answered)));
      controller.close();
    }, ms).unref();
  };
  return new Response(new ReadableStream({ start }), {
    headers: { "content-type": "application/json" },
  });
}

function noText(): never {
  throw new Error("no text");
}

describe("a response that the caller's fetch made", () => {
  const odd: Readonly<Record<string, () => Response>> = {
    "has a json() that cannot be configured": () =>
      Object.defineProperty(answer(), "json", { value: () => answered }),
    "has a body that cannot be configured": () =>
      Object.defineProperty(answer(), "body", { value: null }),
    "has a getter that throws": () =>
      Object.defineProperty(answer(), "trailers", {
        get: () => {
          throw new Error("no trailers");
        },
      }),
    "has a text() by a getter": () => {
      const text = JSON.stringify(answered);
      return Object.defineProperty(answer(), "text", {
        configurable: true,
        get: () => () => Promise.resolve(text),
      });
    },
    "refuses every change": () =>
      new Proxy(answer(), {
        setPrototypeOf: () => false,
        defineProperty: () => false,
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      }),
  };
  it.each(Object.entries(odd))("%s", async (_, make) => {
    const bench = await lifecycleBench([]);
    expect(await said(clientWith(make, bench))).toBe("Hi.");
    expect(await bench.entries()).toMatchObject([{ outcome: "ok", outputContent: "Hi." }]);
  });

  it.each([300, 600_000])(
    "has a body that comes after %d ms, whatever is aborted: the call has timed out",
    async (ms) => {
      const bench = await lifecycleBench([]);
      const call = clientWith(() => late(ms), bench).chat.completions.create(hello, {
        timeout: 80,
      });
      await expect(call).rejects.toThrow("Request timed out.");
      expect(await bench.entries()).toMatchObject([
        { outcome: "timeout", outputContent: "", error: { type: "APIConnectionTimeoutError" } },
      ]);
    },
  );

  it("has a text() that throws: the error is on record when the caller gets it", async () => {
    const bench = await lifecycleBench([]);
    const client = clientWith(
      () => Object.defineProperty(answer(), "text", { configurable: true, value: noText }),
      bench,
    );
    await expect(client.chat.completions.create(hello)).rejects.toThrow("no text");
    expect(auditStats(client)).toEqual({ open: 0, written: 1, lost: 0 });
    expect(await bench.entries()).toMatchObject([{ outcome: "error", error: { type: "Error" } }]);
  });

  it("is not asked for members that nobody reads", async () => {
    const bench = await lifecycleBench([]);
    const get = vi.fn<() => string>(() => "x");
    await said(
      clientWith(() => Object.defineProperty(answer(), "lazy", { configurable: true, get }), bench),
    );
    expect(get).not.toHaveBeenCalled();
  });

  it("answers any number of calls, and does not grow", async () => {
    const bench = await lifecycleBench([]);
    const text = JSON.stringify(answered);
    const { headers, url } = answer();
    const fake = { ok: true, status: 200, headers, url, text: () => Promise.resolve(text) };
    const client = clientWith(() => fake as Response, bench);
    for (let call = 0; call < 50; call += 1) expect(await said(client)).toBe("Hi.");
    let depth = 0;
    for (let at: unknown = fake; at; at = Object.getPrototypeOf(at)) depth += 1;
    expect(depth).toBe(3);
    expect((await bench.entries()).map(({ outputContent }) => outputContent)).toEqual(
      Array(50).fill("Hi."),
    );
  });

  it("has methods that, taken off it, fail as they did", async () => {
    const bench = await lifecycleBench([json(answered)]);
    const response = await bench.client.chat.completions.create(hello).asResponse();
    expect([response.json.name, response.clone.name]).toEqual(["json", "clone"]);
    // oxlint-disable-next-line typescript/unbound-method -- a method apart from its object is the subject
    const { json: detached } = response;
    await expect(Reflect.apply(detached, undefined, [])).rejects.toThrow(TypeError);
    expect(await response.json()).toMatchObject({ id: "chatcmpl-1" });
  });
});

describe("a request", () => {
  it("whose body is cyclic fails as it did, and is on record", async () => {
    const bench = await lifecycleBench([]);
    const message: Record<string, unknown> = { role: "user", content: "Hello!" };
    message["next"] = message["previous"] = message;
    const call = bench.client.post("/chat/completions", {
      body: { model: "gpt-test", messages: [message] },
    });
    await expect(call).rejects.toThrow(/circular/);
    const input = JSON.stringify([
      { content: "Hello!", next: "[circular]", previous: "[circular]", role: "user" },
    ]);
    expect(await bench.entries()).toMatchObject([{ outcome: "error", inputContent: input }]);
  });

  it("that a toJSON of the caller's fails is serialised once, as it was", async () => {
    const bench = await lifecycleBench([]);
    let asked = 0;
    const tool = {
      toJSON() {
        asked += 1;
        throw new RangeError("not now");
      },
    };
    const call = bench.client.post("/chat/completions", { body: { model: "m", tools: [tool] } });
    await expect(call).rejects.toThrow("not now");
    expect(await bench.entries()).toMatchObject([
      {
        outcome: "error",
        model: "m",
        alerts: ["ai-audit: input not seen whole: the call failed before its request was made"],
      },
    ]);
    expect(asked).toBe(1);
  });

  class WithoutSuper extends AuditedOpenAI {
    protected override async prepareRequest(init: RequestInit): Promise<void> {
      init.body = JSON.stringify(hello).replace("Hello!", "Good day!");
    }
  }
  class WithSuper extends AuditedOpenAI {
    protected override async prepareRequest(
      ...[init, context]: Parameters<AuditedOpenAI["prepareRequest"]>
    ): Promise<void> {
      await super.prepareRequest(init, context);
      init.body = JSON.stringify(hello).replace("Hello!", "Good day!");
    }
  }
  it.each([WithoutSuper, WithSuper])(
    "that $name changes is on record once, as it was sent",
    async (Client) => {
      const bench = await lifecycleBench([]);
      expect(await said(clientWith(answer, bench, Client))).toBe("Hi.");
      expect(await bench.entries()).toMatchObject([
        { outcome: "ok", inputContent: "Good day!", attempts: 1 },
      ]);
    },
  );

  it("of a client that got a hook of its own is on record", async () => {
    const bench = await lifecycleBench([]);
    const client = clientWith(answer, bench);
    Object.assign(client, { prepareRequest: () => Promise.resolve() });
    expect(await said(client)).toBe("Hi.");
    expect(await bench.entries()).toMatchObject([{ outcome: "ok", attempts: 1 }]);
  });

  it("of a frozen client is refused at once", async () => {
    const { logger } = await lifecycleBench([]);
    expect(() => auditClient(Object.freeze(new OpenAI({ apiKey: "sk-test" })), logger)).toThrow(
      expect.objectContaining({ code: "AUDIT_CONFIG_INVALID" }),
    );
  });
});

describe("a raw body", () => {
  it("of a stream that was parsed is seen when the caller reads it instead", async () => {
    const bench = await lifecycleBench([events(chunks)]);
    const { response } = await bench.client.chat.completions
      .create({ ...hello, stream: true })
      .withResponse();
    let bytes = 0;
    for await (const piece of response.body ?? []) bytes += piece.byteLength;
    expect(bytes).toBeGreaterThan(500);
    expect(await bench.entries()).toMatchObject([{ outcome: "ok", outputContent: "Hello, world" }]);
  });

  it.each<[string, (body: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>]>([
    ["pipeThrough()", (body) => body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>())],
    ["tee()", (body) => body.tee()[0]],
  ])("is on record with its output when it is read through %s", async (_, through) => {
    const bench = await lifecycleBench([json(answered)]);
    const { body } = await bench.client.chat.completions.create(hello).asResponse();
    const text = body && (await new Response(through(body)).text());
    expect(JSON.parse(text ?? "")).toMatchObject({ id: answered["id"] });
    expect(await bench.entries()).toMatchObject([
      { outcome: "ok", alerts: [], responseId: answered["id"] },
    ]);
  });

  it("is not piped to its end before that is on record", async () => {
    const bench = await lifecycleBench([json(answered)]);
    const response = await bench.client.chat.completions.create(hello).asResponse();
    bench.storage.fault = "fail";
    let closed = false;
    const piped = response.body?.pipeTo(new WritableStream({ close: () => void (closed = true) }));
    await expect(piped).rejects.toThrow(AuditWriteError);
    expect(closed).toBe(false);
  });

  it("can be cancelled by who does not wait for it, also when the log fails", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      const bench = await lifecycleBench([json(answered), json(answered)]);
      bench.storage.fault = "fail";
      const [first, second] = [
        await bench.client.chat.completions.create(hello).asResponse(),
        await bench.client.chat.completions.create(hello).asResponse(),
      ];
      void first.body?.cancel();
      void second.body?.getReader().cancel();
      await vi.waitFor(() => expect(auditStats(bench.client)).toMatchObject({ open: 0, lost: 2 }));
      await new Promise((resolve) => setTimeout(resolve, 50)); // unhandled rejections are told after the turn
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });
});

describe("a program's test", () => {
  afterEach(() => void vi.useRealTimers());

  it("that stops the clock does not stop a call", async () => {
    const bench = await lifecycleBench([]);
    vi.useFakeTimers();
    expect(await said(clientWith(answer, bench))).toBe("Hi.");
    const notJson = new Response("no", { headers: { "content-type": "application/json" } });
    await expect(said(clientWith(() => notJson, bench))).rejects.toThrow(SyntaxError);
    vi.useRealTimers();
    expect(await bench.entries()).toMatchObject([{ outcome: "ok" }, { outcome: "error" }]);
  });

  it("that closes the logger right after a call finds the call's own outcome", async () => {
    const bench = await lifecycleBench([json({ text: "Good day." })], { failureMode: "open" });
    const file = new File(["RIFF".repeat(2000)], "day.wav", { type: "audio/wav" });
    await bench.client.audio.transcriptions.create({ model: "whisper-1", file });
    await bench.logger.close();
    expect(await bench.entries()).toMatchObject([{ outcome: "ok", outputContent: "Good day." }]);
  });
});
