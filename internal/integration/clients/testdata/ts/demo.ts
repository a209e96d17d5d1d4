// What the demonstration has beside the API: a password, an outbox and a clock.

import { webcrypto } from "node:crypto"; // a global in newer versions

export const [base, username, password, email] = process.argv.slice(2) as [
  string, string, string, string,
];

// Browser keeps cookies, as a browser does by itself.
export class Browser {
  private cookies = new Map<string, string>();

  fetch = async (input: Request): Promise<Response> => {
    const headers = new Headers(input.headers);
    headers.set("Cookie", [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(new Request(input, { headers }));
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split("; ");
      const at = pair.indexOf("=");
      const over = attributes.some((a) => /^max-age=(0|-\d+)$/i.test(a));
      if (over) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  };

  // call calls a route of the application itself.
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.headers = { "Content-Type": "application/json" };
      init.body = JSON.stringify(body);
    }
    const response = await this.fetch(new Request(base + path, init));
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    return response.json();
  }

  // login passes the first factor.
  login = () => this.call("POST", "/api/login", { username, password });
}

const demo = new Browser();

// mail finds a pattern in the latest mail that has it; a notice may have come after it.
async function mail(pattern: RegExp): Promise<string> {
  const list = (await demo.call("GET", "/demo/outbox")) as { to: string; text: string }[];
  for (const m of list) {
    const found = m.to === email && pattern.exec(m.text)?.[1];
    if (found) return found;
  }
  throw new Error(`no mail has ${pattern}`);
}

export const mailedCode = () => mail(/\b(\d{6})\b/);
export const mailedToken = async () => decodeURIComponent(await mail(/token=(\S+)/));

export async function advance(seconds: number): Promise<void> {
  await demo.call("POST", "/demo/clock", { advance: `${seconds}s` });
}

// appCode is what an authenticator app shows now (RFC 6238).
export async function appCode(secret: string): Promise<string> {
  const { now } = (await demo.call("GET", "/demo/clock")) as { now: string };
  const bits = [...secret].map((c) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(Date.parse(now) / 30000)));
  const hmac = await webcrypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-1" }, false,
    ["sign"]);
  const sum = new DataView(await webcrypto.subtle.sign("HMAC", hmac, counter.buffer));
  const code = (sum.getUint32(sum.getUint8(19) & 15) & 0x7fffffff) % 1000000;
  return String(code).padStart(6, "0");
}
