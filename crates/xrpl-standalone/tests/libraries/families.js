// Mints and sells NFTs, issues and pays MPTs, uses checks, escrows, channels, offers, pools, delegates
// and batches with an unmodified xrpl.js; ends with "ok".
const { Client, Wallet, xrpToDrops, ECDSA, signPaymentChannelClaim } = require('xrpl')

const assert = require('node:assert')

const client = new Client(process.env.XRPL_WS)

async function send(tx, wallet, expected = 'tesSUCCESS') {
  const { result } = await client.submitAndWait(tx, { wallet, autofill: true })
  assert.equal(result.meta.TransactionResult, expected, JSON.stringify(result))
  return result
}

// The id of the only entry of a type that a transaction created.
function created(result, type) {
  const nodes = result.meta.AffectedNodes.map((node) => node.CreatedNode).filter((node) => node)
  const found = nodes.filter((node) => node.LedgerEntryType === type)
  assert.equal(found.length, 1, JSON.stringify(result))
  return found[0].LedgerIndex
}

async function nfts([alice, bob]) {
  const minted = await send(
    { TransactionType: 'NFTokenMint', Account: alice.address, NFTokenTaxon: 7, Flags: 8, TransferFee: 1000, URI: '61' },
    alice,
  )
  const NFTokenID = minted.meta.nftoken_id
  const offered = await send(
    { TransactionType: 'NFTokenCreateOffer', Account: alice.address, NFTokenID, Amount: xrpToDrops(5), Flags: 1 },
    alice,
  )
  const sells = await client.request({ command: 'nft_sell_offers', nft_id: NFTokenID })
  assert.equal(sells.result.offers[0].nft_offer_index, offered.meta.offer_id)
  await send(
    { TransactionType: 'NFTokenAcceptOffer', Account: bob.address, NFTokenSellOffer: offered.meta.offer_id },
    bob,
  )
  const { result } = await client.request({ command: 'account_nfts', account: bob.address })
  assert.deepEqual(result.account_nfts.map((nft) => nft.NFTokenID), [NFTokenID])
  await send({ TransactionType: 'NFTokenBurn', Account: bob.address, NFTokenID }, bob)
}

async function mpts([alice, bob]) {
  const issued = await send(
    { TransactionType: 'MPTokenIssuanceCreate', Account: alice.address, AssetScale: 2, MaximumAmount: '1000', Flags: 32 },
    alice,
  )
  const mpt_issuance_id = issued.meta.mpt_issuance_id
  await send({ TransactionType: 'MPTokenAuthorize', Account: bob.address, MPTokenIssuanceID: mpt_issuance_id }, bob)
  const Amount = { mpt_issuance_id, value: '40' }
  const paid = await send({ TransactionType: 'Payment', Account: alice.address, Destination: bob.address, Amount }, alice)
  assert.deepEqual(paid.meta.delivered_amount, Amount)
  const { result } = await client.request({ command: 'account_objects', account: bob.address, type: 'mptoken' })
  assert.equal(result.account_objects[0].MPTAmount, '40')
}

async function checks([alice, bob]) {
  const made = await send(
    { TransactionType: 'CheckCreate', Account: alice.address, Destination: bob.address, SendMax: xrpToDrops(7) },
    alice,
  )
  const CheckID = created(made, 'Check')
  const cashed = await send({ TransactionType: 'CheckCash', Account: bob.address, CheckID, Amount: xrpToDrops(6) }, bob)
  assert.equal(cashed.meta.AffectedNodes.some((node) => node.DeletedNode?.LedgerIndex === CheckID), true)
}

async function escrows([alice, bob]) {
  const now = async () => (await client.request({ command: 'ledger', ledger_index: 'validated' })).result.ledger.close_time
  const FinishAfter = (await now()) + 20
  const made = await send(
    {
      TransactionType: 'EscrowCreate', Account: alice.address, Destination: bob.address, Amount: xrpToDrops(3),
      FinishAfter,
    },
    alice,
  )
  // Each ledger closes a second after the one before at the least.
  while ((await now()) <= FinishAfter) {
    await send({ TransactionType: 'AccountSet', Account: alice.address }, alice)
  }
  const finish = { TransactionType: 'EscrowFinish', Account: bob.address, Owner: alice.address, OfferSequence: made.tx_json.Sequence }
  await send(finish, bob)
  await send(finish, bob, 'tecNO_TARGET')
}

async function channels([alice, bob]) {
  const made = await send(
    {
      TransactionType: 'PaymentChannelCreate', Account: alice.address, Destination: bob.address, Amount: xrpToDrops(10),
      SettleDelay: 60, PublicKey: alice.publicKey,
    },
    alice,
  )
  const Channel = created(made, 'PayChannel')
  const Signature = signPaymentChannelClaim(Channel, '4', alice.privateKey)
  const verified = await client.request({
    command: 'channel_verify', channel_id: Channel, amount: xrpToDrops(4), public_key: alice.publicKey, signature: Signature,
  })
  assert.equal(verified.result.signature_verified, true)
  await send(
    {
      TransactionType: 'PaymentChannelClaim', Account: bob.address, Channel, Amount: xrpToDrops(4), Balance: xrpToDrops(4),
      Signature, PublicKey: alice.publicKey, Flags: 0x00020000,
    },
    bob,
  )
  const { result } = await client.request({ command: 'account_channels', account: alice.address })
  assert.deepEqual(result.channels, [])
}

async function exchange([alice, bob, gateway]) {
  await send({ TransactionType: 'AccountSet', Account: gateway.address, SetFlag: 8 }, gateway)
  const usd = (value) => ({ currency: 'USD', issuer: gateway.address, value })
  for (const holder of [alice, bob]) {
    await send({ TransactionType: 'TrustSet', Account: holder.address, LimitAmount: usd('10000') }, holder)
    await send(
      { TransactionType: 'Payment', Account: gateway.address, Destination: holder.address, Amount: usd('1000') },
      gateway,
    )
  }
  await send(
    { TransactionType: 'OfferCreate', Account: alice.address, TakerGets: usd('10'), TakerPays: xrpToDrops(20) },
    alice,
  )
  const book = { command: 'book_offers', taker_gets: { currency: 'USD', issuer: gateway.address }, taker_pays: { currency: 'XRP' } }
  const before = await client.request(book)
  assert.equal(before.result.offers.length, 1)
  await send(
    { TransactionType: 'OfferCreate', Account: bob.address, TakerGets: xrpToDrops(20), TakerPays: usd('10') },
    bob,
  )
  const after = await client.request(book)
  assert.equal(after.result.offers.length, 0)
  const lines = await client.request({ command: 'account_lines', account: bob.address })
  assert.equal(lines.result.lines[0].balance, '1010')
  // A pool.
  await send(
    { TransactionType: 'AMMCreate', Account: alice.address, Amount: xrpToDrops(100), Amount2: usd('100'), TradingFee: 500 },
    alice,
  )
  const assets = { Asset: { currency: 'XRP' }, Asset2: { currency: 'USD', issuer: gateway.address } }
  const tfTwoAsset = 0x00100000
  await send(
    { TransactionType: 'AMMDeposit', Account: bob.address, ...assets, Amount: xrpToDrops(50), Amount2: usd('50'), Flags: tfTwoAsset },
    bob,
  )
  const info = await client.request({ command: 'amm_info', asset: assets.Asset, asset2: assets.Asset2 })
  assert.equal(info.result.amm.amount, xrpToDrops(150))
  assert.equal(info.result.amm.amount2.value, '150')
  const tfWithdrawAll = 0x00020000
  for (const trader of [alice, bob]) {
    await send({ TransactionType: 'AMMWithdraw', Account: trader.address, ...assets, Flags: tfWithdrawAll }, trader)
  }
  await assert.rejects(
    client.request({ command: 'amm_info', asset: assets.Asset, asset2: assets.Asset2 }),
    /not found/,
  )
}

async function delegates([alice, bob, carol]) {
  await send(
    {
      TransactionType: 'DelegateSet', Account: alice.address, Authorize: bob.address,
      Permissions: [{ Permission: { PermissionValue: 'Payment' } }],
    },
    alice,
  )
  const before = await client.getXrpBalance(alice.address)
  await send(
    { TransactionType: 'Payment', Account: alice.address, Delegate: bob.address, Destination: carol.address, Amount: xrpToDrops(2) },
    bob,
  )
  // The delegate pays the fee.
  assert.equal(await client.getXrpBalance(alice.address), before - 2)
}

async function batches([alice, bob]) {
  const inner = (drops) => ({
    RawTransaction: {
      TransactionType: 'Payment', Account: alice.address, Destination: bob.address, Amount: drops, Flags: 0x40000000,
    },
  })
  const before = await client.getXrpBalance(bob.address)
  const tfAllOrNothing = 0x00010000
  await send(
    { TransactionType: 'Batch', Account: alice.address, Flags: tfAllOrNothing, RawTransactions: [inner('1000000'), inner('2000000')] },
    alice,
  )
  assert.equal(await client.getXrpBalance(bob.address), before + 3)
}

async function main() {
  await client.connect()
  const genesis = Wallet.fromSeed('snoPBrXtMeMyMHUVTgbuqAfg1SUTb', { algorithm: ECDSA.secp256k1 })
  const parts = { nfts, mpts, checks, escrows, channels, exchange, delegates, batches }
  const everyone = Object.keys(parts).map(() => [Wallet.generate(), Wallet.generate(ECDSA.secp256k1), Wallet.generate()])
  for (const wallet of everyone.flat()) {
    const { result } = await client.submit(
      { TransactionType: 'Payment', Account: genesis.address, Destination: wallet.address, Amount: xrpToDrops(1000) },
      { wallet: genesis, autofill: true },
    )
    assert.equal(result.engine_result, 'tesSUCCESS')
  }
  // At the same time: the library waits a second for every transaction.
  await Promise.all(
    Object.entries(parts).map(async ([name, part], n) => {
      await part(everyone[n])
      console.log(name)
    }),
  )
  await client.disconnect()
  console.log('ok')
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
