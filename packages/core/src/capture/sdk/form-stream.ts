// A form that the SDK sends as a stream, as it does for files of fs.createReadStream(): its content
// is read while it passes. Only bytes that the request takes are read.
import type { JsonValue } from "../../format/canonical.ts";
import { describeForm } from "../payload/binary.ts";
import { boundaryOf, MultipartReader } from "../stream/multipart.ts";

type Described = Promise<Readonly<Record<string, JsonValue>>>;

/** The form in a request's body, with its files; undefined for a body that is not a form. */
export function formIn(body: unknown, init: unknown): Described | undefined {
  if (body instanceof FormData) return describeForm(body);
  if (!isByteStream(body) || !isRequest(init) || init.body !== body) return undefined;
  const boundary = boundaryOf(contentTypeOf(init));
  if (boundary === undefined) return undefined;
  const tap = new StreamTap(body, new MultipartReader(boundary));
  init.body = tap.stream;
  return tap.described;
}

/** The SDK's streams of forms hold bytes. */
function isByteStream(body: unknown): body is ReadableStream<Uint8Array> {
  return body instanceof ReadableStream;
}

/**
 * The request that is about to be sent. Its body may be replaced by one that passes the same bytes.
 */
function isRequest(init: unknown): init is { body: unknown; headers?: unknown } {
  return typeof init === "object" && init !== null && "body" in init;
}

function contentTypeOf(init: unknown): string {
  if (typeof init !== "object" || init === null || !("headers" in init)) return "";
  return init.headers instanceof Headers ? (init.headers.get("content-type") ?? "") : "";
}

/** Passes a stream on, piece by piece, as its reader asks for them. */
class StreamTap {
  readonly stream: ReadableStream<Uint8Array>;
  readonly described: Described;

  constructor(source: ReadableStream<Uint8Array>, form: MultipartReader) {
    const reader = source.getReader();
    const ended = Promise.withResolvers<Readonly<Record<string, JsonValue>>>();
    this.described = ended.promise;
    const end = (): void => ended.resolve(form.value());
    this.stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (done) {
              end();
              controller.close();
            } else {
              form.push(value);
              controller.enqueue(value);
            }
          } catch (error) {
            end();
            controller.error(error);
          }
        },
        cancel(reason) {
          end();
          return reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
  }
}
