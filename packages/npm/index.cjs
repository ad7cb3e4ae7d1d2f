// Starts a ledger to develop on and speaks with it. Nothing but Node.js is needed.
'use strict'

const { spawn } = require('node:child_process')
const { accessSync, constants, statSync } = require('node:fs')
const path = require('node:path')

const PROGRAM = process.platform === 'win32' ? 'xrpl-workload.exe' : 'xrpl-workload'
// A ledger answers within milliseconds; a machine under load may take longer to start a program.
const START_TIMEOUT_MS = 30_000

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** Where the program is: $XRPL_STANDALONE_BIN, this package's bin/, or on the PATH. */
function binaryPath() {
  const given = process.env.XRPL_STANDALONE_BIN
  if (given) {
    if (isProgram(given)) return given
    throw new Error(`XRPL_STANDALONE_BIN is ${given}, which is no program that can be run`)
  }
  const folders = [path.join(__dirname, 'bin'), ...(process.env.PATH ?? '').split(path.delimiter)]
  const found = folders.filter(Boolean).map((folder) => path.join(folder, PROGRAM)).find(isProgram)
  if (found) return found
  throw new Error(
    `${PROGRAM} was not found: set XRPL_STANDALONE_BIN to it, put it on the PATH, or install a package that carries it`,
  )
}

const FLAGS = {
  accounts: '--accounts', fundDrops: '--fund-drops', seed: '--seed', keyType: '--key-type', startTime: '--start-time',
  networkId: '--network-id', close: '--close', ledgerInterval: '--ledger-interval', state: '--state', import: '--import',
  faucetDrops: '--faucet-drops',
}

function argumentsOf(options) {
  const { binary, args = [], amendments, ...settings } = options
  const all = [
    'standalone', '--json', '--exit-on-stdin-eof', '--rpc-bind', '127.0.0.1:0', '--ws-bind', '127.0.0.1:0',
  ]
  for (const [name, value] of Object.entries({ close: 'on-submit', ...settings })) {
    if (value === undefined) continue
    const flag = FLAGS[name]
    if (!flag) throw new TypeError(`startLedger: there is no option ${name}; args takes flags of the program`)
    all.push(flag, value instanceof Date ? value.toISOString().replace(/\.\d+Z$/, 'Z') : String(value))
  }
  if (amendments !== undefined) all.push(`--amendments=${[].concat(amendments).join(',')}`)
  return [...all, ...args]
}

/** A request that the ledger refused; `error` is its token. */
class LedgerError extends Error {
  constructor(method, result) {
    super(`${method}: ${result.error}${result.error_message ? `: ${result.error_message}` : ''}`)
    this.name = 'LedgerError'
    this.error = result.error
    this.result = result
  }
}

/** A ledger that runs in a process of its own. */
class Ledger {
  #child
  #ended

  constructor(child, ended, told) {
    this.#child = child
    this.#ended = ended
    this.rpc = told.rpc
    this.ws = told.ws
    this.url = told.ws
    this.faucet = told.faucet
    this.networkId = told.network_id
    this.accounts = told.accounts.map(({ address, seed, key_type: keyType, drops }) => ({ address, seed, keyType, drops }))
  }

  /** What xrpl.js's fundWallet takes. */
  get faucetOptions() {
    return { faucetHost: new URL(this.faucet).host, faucetProtocol: 'http' }
  }

  /** Asks a method; its result, or a LedgerError. */
  async request(method, params = {}) {
    const response = await fetch(this.rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ method, params: [params] }),
    })
    if (!response.ok) throw new Error(`${method}: HTTP ${response.status}: ${(await response.text()).trim()}`)
    const { result } = await response.json()
    if (result.status !== 'success') throw new LedgerError(method, result)
    return result
  }

  /** Keeps the ledger as it is; the snapshot's name. */
  async snapshot(name) {
    return (await this.request('standalone_snapshot', name === undefined ? {} : { snapshot: name })).snapshot
  }

  /** Goes back to a snapshot, which stays. */
  async revert(snapshot) {
    await this.request('standalone_revert', { snapshot })
  }

  async dropSnapshot(snapshot) {
    await this.request('standalone_drop_snapshot', { snapshot })
  }

  /** Puts the clock forward and closes a ledger, unless told not to. */
  async advanceTime(seconds, { close = true } = {}) {
    return this.request('standalone_advance_time', { seconds, close })
  }

  /** Closes ledgers. */
  async close(count = 1) {
    return this.request('standalone_close', { count })
  }

  /** 'manual', 'on-submit', or 'interval' with milliseconds. */
  async setClosing(mode, intervalMs) {
    await this.request('standalone_set_closing', { mode, ...(intervalMs === undefined ? {} : { interval_ms: intervalMs }) })
  }

  /** Ends the ledger and waits until its process is gone. */
  async stop() {
    this.#child.ref()
    this.#child.stdin.end()
    await this.#ended
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.stop()
  }
}

/** Starts a ledger on free ports of this machine. It ends with this process, whatever happens to it. */
function startLedger(options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(options.binary ?? binaryPath(), argumentsOf(options), { stdio: ['pipe', 'pipe', 'pipe'] })
    let [said, complained, settled] = ['', '', false]
    const fail = (error) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      child.kill()
      reject(error)
    }
    const timer = setTimeout(() => fail(new Error('the ledger did not answer in time')), START_TIMEOUT_MS)
    const ended = new Promise((gone) => {
      child.once('exit', (code) => {
        gone()
        fail(new Error(`the ledger did not start (exit code ${code}): ${complained.trim()}`))
      })
    })
    child.once('error', fail)
    child.stdin.on('error', () => {})
    child.stderr.on('data', (data) => {
      complained += data
      if (settled) process.stderr.write(data)
    })
    child.stdout.on('data', (data) => {
      if (settled) return
      said += data
      const end = said.indexOf('\n')
      if (end < 0) return
      try {
        const told = JSON.parse(said.slice(0, end))
        settled = true
        clearTimeout(timer)
        // A forgotten ledger must not keep this process alive.
        child.unref()
        for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.unref?.()
        resolve(new Ledger(child, ended, told))
      } catch (error) {
        fail(error)
      }
    })
  })
}

/**
 * For Jest, and for Vitest or Mocha with their hooks: a ledger for the tests of a file, as new for
 * each of them. What it returns is the ledger once the tests run.
 */
function useLedger(options = {}, hooks = globalThis) {
  const holder = {}
  let clean
  hooks.beforeAll(async () => {
    holder.ledger = await startLedger(options)
    clean = await holder.ledger.snapshot()
  })
  hooks.afterEach(async () => {
    await holder.ledger?.revert(clean)
  })
  hooks.afterAll(async () => {
    await holder.ledger?.stop()
  })
  return new Proxy(holder, {
    get(_, name) {
      if (!holder.ledger) throw new Error('the ledger starts with the tests: use it within one, or in a hook')
      const value = holder.ledger[name]
      return typeof value === 'function' ? value.bind(holder.ledger) : value
    },
  })
}

module.exports = { startLedger, useLedger, binaryPath, Ledger, LedgerError }
