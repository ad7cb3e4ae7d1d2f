// Listens to ledgers, transactions, accounts and a book, and pages through account_tx, in the shapes of both
// API versions, with an unmodified xrpl.js; ends with "ok".
const { Client, Wallet, xrpToDrops, ECDSA } = require('xrpl')

const assert = require('node:assert')

const genesis = Wallet.fromSeed('snoPBrXtMeMyMHUVTgbuqAfg1SUTb', { algorithm: ECDSA.secp256k1 })

async function listen(version) {
  const client = new Client(process.env.XRPL_WS)
  client.apiVersion = version
  await client.connect()
  const [alice, gateway] = [Wallet.generate(), Wallet.generate()]
  const ledgers = []
  const transactions = []
  client.on('ledgerClosed', (ledger) => ledgers.push(ledger))
  client.on('transaction', (tx) => transactions.push(tx))
  await client.request({ command: 'subscribe', streams: ['ledger', 'transactions'] })
  await client.request({ command: 'subscribe', accounts: [alice.address] })
  const book = { taker_gets: { currency: 'XRP' }, taker_pays: { currency: 'USD', issuer: gateway.address }, snapshot: true }
  const { result: snapshot } = await client.request({ command: 'subscribe', books: [book] })
  assert.deepEqual(snapshot.offers, [])
  const send = async (tx, wallet) => {
    const { result } = await client.submitAndWait(tx, { wallet, autofill: true })
    assert.equal(result.meta.TransactionResult, 'tesSUCCESS', JSON.stringify(result))
    return result
  }
  const hashes = []
  for (const to of [alice, gateway]) {
    const paid = await send(
      { TransactionType: 'Payment', Account: genesis.address, Destination: to.address, Amount: xrpToDrops(100) }, genesis,
    )
    hashes.push(paid.hash)
  }
  const usd = { currency: 'USD', issuer: gateway.address, value: '5' }
  const offered = await send({ TransactionType: 'OfferCreate', Account: alice.address, TakerGets: '1000000', TakerPays: usd }, alice)
  hashes.push(offered.hash)

  // Every ledger once, in order, and each transaction in the shape of the version.
  const indexes = ledgers.map((ledger) => ledger.ledger_index)
  indexes.slice(1).forEach((index, n) => assert.equal(index, indexes[n] + 1))
  for (const hash of hashes) {
    const seen = transactions.filter((tx) => (version === 1 ? tx.transaction.hash : tx.hash) === hash)
    assert.ok(seen.length >= 1, hash)
    assert.ok(seen.every((tx) => tx.validated && tx.meta.TransactionResult === 'tesSUCCESS'))
    assert.ok(seen.every((tx) => (version === 1 ? tx.transaction : tx.tx_json).TransactionType))
    if (version === 2) assert.ok(seen.every((tx) => tx.close_time_iso && tx.ledger_hash))
  }
  const { result: orderbook } = await client.request({ command: 'book_offers', ...book })
  assert.equal(orderbook.offers.length, 1)
  const parsed = await client.getOrderbook({ currency: 'XRP' }, { currency: 'USD', issuer: gateway.address })
  assert.equal(parsed.buy.length + parsed.sell.length, 1)

  for (let n = 0; n < 4; n += 1) await send({ TransactionType: 'AccountSet', Account: alice.address }, alice)
  const pages = []
  let marker
  do {
    const { result } = await client.request({ command: 'account_tx', account: alice.address, limit: 2, marker })
    pages.push(result.transactions)
    marker = result.marker
  } while (marker)
  assert.ok(pages.length >= 3 && pages.every((page) => page.length <= 2), JSON.stringify(pages.map((page) => page.length)))
  const all = pages.flat().map((one) => (version === 1 ? one.tx.hash : one.hash))
  assert.equal(new Set(all).size, 6)
  const { result: info } = await client.request({ command: 'account_info', account: alice.address, signer_lists: true })
  assert.equal(version === 1 ? info.account_data.signer_lists.length : info.signer_lists.length, 0)
  await client.disconnect()
}

async function main() {
  for (const version of [1, 2]) {
    await listen(version)
    console.log(`api_version ${version}`)
  }
  console.log('ok')
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
