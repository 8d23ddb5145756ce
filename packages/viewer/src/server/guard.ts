// Who may ask: requests of this machine, from this page, with a session. Attackers: other web sites
// in the same browser (DNS rebinding, cross-site requests), and other users of the machine.
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { RequestError } from "./answers.ts";

/** The one session of a server: a token that is used once, and the cookie that it is exchanged for. */
export class Guard {
  readonly #cookie = randomBytes(32).toString("base64url");
  #token: string | undefined = randomBytes(32).toString("base64url");
  #port = 0;

  /** The token of the address that is printed. */
  get token(): string | undefined {
    return this.#token;
  }

  /** The port is known once the server listens. */
  set port(port: number) {
    this.#port = port;
  }

  /**
   * Refuses requests that do not come from the page itself.
   * @throws {RequestError}
   */
  check(request: IncomingMessage): void {
    const { host = "", origin, "sec-fetch-site": site } = request.headers;
    if (!this.#hosts.includes(host)) throw new RequestError(421, "this host is not served here");
    if (request.method !== "GET") throw new RequestError(405, "only GET is answered");
    if (origin !== undefined && origin !== `http://${host}`)
      throw new RequestError(403, "requests of other sites are refused");
    if (site !== undefined && site !== "same-origin" && site !== "none")
      throw new RequestError(403, "requests of other sites are refused");
  }

  get #hosts(): readonly string[] {
    return [`127.0.0.1:${this.#port}`, `localhost:${this.#port}`];
  }

  /** The cookie for a token; undefined for a wrong one and for one that was used. */
  exchange(token: string): string | undefined {
    if (this.#token === undefined || !isEqual(token, this.#token)) return undefined;
    this.#token = undefined;
    return `${this.#name}=${this.#cookie}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /** Whether a request has the session's cookie. */
  isKnown({ headers }: IncomingMessage): boolean {
    const cookies = (headers.cookie ?? "").split(/;\s*/);
    const own = cookies.find((cookie) => cookie.startsWith(`${this.#name}=`));
    return own !== undefined && isEqual(own.slice(this.#name.length + 1), this.#cookie);
  }

  /** Cookies are shared by all ports of a host: each server has a name of its own. */
  get #name(): string {
    return `ai-audit-${this.#port}`;
  }
}

function isEqual(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
