// Sends every transaction type as `every_type.json` has it with an unmodified xrpl.js; ends with "ok".
const { Client, Wallet, xrpToDrops, ECDSA, getBalanceChanges, signPaymentChannelClaim, dropsToXrp } = require('xrpl')
const { encode, encodeForSigning } = require('ripple-binary-codec')
const { sign } = require('ripple-keypairs')

const assert = require('node:assert')
const { families } = require('./every_type.json')

const client = new Client(process.env.XRPL_WS)
const genesis = Wallet.fromSeed('snoPBrXtMeMyMHUVTgbuqAfg1SUTb', { algorithm: ECDSA.secp256k1 })

async function closedAt() {
  const { result } = await client.request({ command: 'ledger', ledger_index: 'validated' })
  return result.ledger.close_time
}

// A value with its placeholders replaced.
async function filled(value, known) {
  if (typeof value === 'string' && value.startsWith('$')) {
    assert.ok(value.slice(1) in known, value)
    return known[value.slice(1)]
  }
  if (Array.isArray(value)) return Promise.all(value.map((one) => filled(one, known)))
  if (value && typeof value === 'object') {
    if ('$time' in value) return (await closedAt()) + value.$time
    if ('$unix' in value) return (await closedAt()) + 946684800 + value.$unix
    const entries = Object.entries(value).map(async ([key, one]) => [key, await filled(one, known)])
    return Object.fromEntries(await Promise.all(entries))
  }
  return value
}

function kept(what, { meta, tx_json: tx }) {
  if (what === 'sequence') return tx.Sequence || tx.TicketSequence
  if (what === 'ticket') return tx.Sequence + 1
  if (['nftoken_id', 'offer_id', 'mpt_issuance_id'].includes(what)) return meta[what]
  const nodes = meta.AffectedNodes.map((node) => node.CreatedNode).filter((node) => node)
  const found = nodes.filter((node) => node.LedgerEntryType === what)
  assert.equal(found.length, 1, JSON.stringify(meta))
  return found[0].LedgerIndex
}

// Signs what the library has no model of with its codec, and follows it by its hash.
async function byCodec(tx, wallet) {
  const { result: info } = await client.request({ command: 'account_info', account: wallet.address, ledger_index: 'current' })
  const whole = { Sequence: info.account_data.Sequence, Flags: 0, SigningPubKey: wallet.publicKey, ...tx }
  whole.TxnSignature = sign(encodeForSigning(whole), wallet.privateKey)
  const { result: submitted } = await client.request({ command: 'submit', tx_blob: encode(whole) })
  for (;;) {
    const { result } = await client.request({ command: 'tx', transaction: submitted.tx_json.hash })
    if (result.validated) return result
  }
}

async function carryOut(step, known, wallets) {
  const wallet = wallets[step.as]
  // All families close ledgers at the same time: the 20 that the library gives may pass while it waits a second.
  const LastLedgerSequence = (await client.getLedgerIndex()) + 200
  const tx = { Account: wallet.address, LastLedgerSequence, ...(await filled(step.tx, known)) }
  if (step.claim) {
    tx.Signature = signPaymentChannelClaim(tx.Channel, String(dropsToXrp(tx.Amount)), wallets[step.claim].privateKey)
  }
  if (step.attest) {
    const attested = Object.fromEntries(step.attest.map((field) => [field, tx[field]]))
    tx.Signature = sign(encode(attested), wallet.privateKey)
  }
  if (tx.TransactionType === 'LedgerStateFix') return byCodec(tx, wallet)
  if (step.counterparty) {
    // The library's own helper signs what a protocol newer than xrpld 3.3 wants signed.
    const other = wallets[step.counterparty]
    const whole = { ...(await client.autofill(tx)), SigningPubKey: wallet.publicKey }
    const text = encodeForSigning(whole)
    whole.TxnSignature = sign(text, wallet.privateKey)
    whole.CounterpartySignature = { SigningPubKey: other.publicKey, TxnSignature: sign(text, other.privateKey) }
    const { result } = await client.submitAndWait(encode(whole))
    return result
  }
  const { result } = await client.submitAndWait(tx, { wallet, autofill: true })
  return result
}

// A family's accounts, of both key types, with XRP.
async function fund({ accounts, unfunded = [] }) {
  const wallets = {}
  for (const [n, account] of accounts.entries()) {
    wallets[account] = Wallet.generate(n % 2 ? ECDSA.secp256k1 : ECDSA.ed25519)
    if (unfunded.includes(account)) continue
    const { result } = await client.submit(
      { TransactionType: 'Payment', Account: genesis.address, Destination: wallets[account].address, Amount: xrpToDrops(1000) },
      { wallet: genesis, autofill: true },
    )
    assert.equal(result.engine_result, 'tesSUCCESS')
  }
  return wallets
}

async function run(name, { steps }, wallets) {
  const known = {}
  for (const [account, wallet] of Object.entries(wallets)) {
    known[account] = wallet.address
    known[`${account}.key`] = wallet.publicKey
  }
  const types = []
  for (const step of steps) {
    if (step.close) {
      for (let n = 0; n < step.close; n += 1) await client.request({ command: 'ledger_accept' })
      continue
    }
    if (step.pass) {
      const until = (await closedAt()) + step.pass
      // Each ledger closes a second after the one before at the least.
      while ((await closedAt()) <= until) await client.request({ command: 'ledger_accept' })
      continue
    }
    let result
    try {
      result = await carryOut(step, known, wallets)
    } catch (error) {
      throw new Error(`${name}: ${step.tx.TransactionType}: ${error.message} ${JSON.stringify(error.data ?? '')}`)
    }
    assert.equal(result.meta.TransactionResult, step.expect ?? 'tesSUCCESS', `${name}: ${JSON.stringify(result)}`)
    // The library's own reading of the metadata: whoever sends pays at least the fee.
    const payer = result.tx_json.Delegate ?? result.tx_json.Account
    assert.ok(getBalanceChanges(result.meta).some(({ account }) => account === payer), `${name}: ${JSON.stringify(result)}`)
    for (const [key, what] of Object.entries(step.keep ?? {})) known[key] = kept(what, result)
    types.push(step.tx.TransactionType)
  }
  return types
}

async function main() {
  await client.connect()
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(families)
  // Before anything else: each payment closes a ledger, and transactions wait for so many only.
  const everyone = {}
  for (const name of wanted) everyone[name] = await fund(families[name])
  const types = new Set()
  const failed = []
  const note = async (name) => {
    try {
      for (const type of await run(name, families[name], everyone[name])) types.add(type)
      console.log(name)
    } catch (error) {
      failed.push(error.message)
    }
  }
  // At the same time: the library waits a second for every transaction.
  await Promise.all(wanted.filter((name) => !families[name].alone).map(note))
  for (const name of wanted.filter((name) => families[name].alone)) await note(name)
  await client.disconnect()
  if (failed.length) throw new Error(failed.join('\n'))
  console.log(`${types.size} types`)
  console.log('ok')
}

main().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
