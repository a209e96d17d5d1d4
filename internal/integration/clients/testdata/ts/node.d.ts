// What the program uses of Node.js, so that it needs no package with all of it.

declare const process: { argv: string[] };

declare module "node:crypto" {
  export const webcrypto: Crypto;
}
