export interface LedgerOptions {
  /** How many funded accounts; 10. */
  accounts?: number
  /** What each of them has, in drops. */
  fundDrops?: number | string
  /** The text from which their seeds follow. */
  seed?: string
  keyType?: 'ed25519' | 'secp256k1'
  /** What the ledger's clock shows at the start. */
  startTime?: Date | string | number
  networkId?: number
  /** When ledgers close; 'on-submit'. */
  close?: 'interval' | 'manual' | 'on-submit'
  /** Such as '1s', for 'interval'. */
  ledgerInterval?: string
  /** 'all', 'mainnet', 'none', '+Name', '-Name'. */
  amendments?: string | string[]
  /** What the faucet gives, in drops. */
  faucetDrops?: number | string
  /** File in which the ledger is kept. */
  state?: string
  /** JSON of a ledger to begin with. */
  import?: string
  /** The program, if it is not to be looked for. */
  binary?: string
  /** More flags of `xrpl-workload standalone`. */
  args?: string[]
}

export interface LedgerAccount {
  address: string
  seed: string
  keyType: 'ed25519' | 'secp256k1'
  drops: string
}

export class Ledger {
  /** JSON-RPC. */
  readonly rpc: string
  /** WebSocket; `url` is the same. */
  readonly ws: string
  readonly url: string
  /** Where the faucet is. */
  readonly faucet: string
  /** What xrpl.js's fundWallet takes. */
  readonly faucetOptions: { faucetHost: string; faucetProtocol: 'http' }
  readonly networkId: number
  readonly accounts: LedgerAccount[]
  request(method: string, params?: object): Promise<any>
  snapshot(name?: string): Promise<string>
  revert(snapshot: string): Promise<void>
  dropSnapshot(snapshot: string): Promise<void>
  advanceTime(seconds: number, options?: { close?: boolean }): Promise<any>
  close(count?: number): Promise<any>
  setClosing(mode: 'interval' | 'manual' | 'on-submit', intervalMs?: number): Promise<void>
  stop(): Promise<void>
}

export class LedgerError extends Error {
  readonly error: string
  readonly result: any
}

export interface Hooks {
  beforeAll(work: () => Promise<void>): void
  afterEach(work: () => Promise<void>): void
  afterAll(work: () => Promise<void>): void
}

export function startLedger(options?: LedgerOptions): Promise<Ledger>
export function useLedger(options?: LedgerOptions, hooks?: Hooks): Ledger
export function binaryPath(): string
