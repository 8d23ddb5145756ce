// A real Chromium for the tests of pages: Debian's.
import { type Browser, chromium } from "playwright-core";

/** Starts the browser. It asks nobody on the network. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
