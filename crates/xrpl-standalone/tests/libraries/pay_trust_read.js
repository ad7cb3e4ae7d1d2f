// Pays, trusts and reads with an unmodified xrpl.js; ends with "ok".
const { Client, Wallet, xrpToDrops, ECDSA } = require('xrpl')

const assert = require('node:assert')

async function main() {
  const client = new Client(process.env.XRPL_WS)
  await client.connect()
  const genesis = Wallet.fromSeed('snoPBrXtMeMyMHUVTgbuqAfg1SUTb', { algorithm: ECDSA.secp256k1 })
  const wallets = [Wallet.generate(), Wallet.generate(ECDSA.secp256k1)]
  for (const wallet of wallets) {
    const paid = await client.submitAndWait(
      { TransactionType: 'Payment', Account: genesis.address, Destination: wallet.address, Amount: xrpToDrops(1000) },
      { wallet: genesis, autofill: true },
    )
    assert.equal(paid.result.meta.TransactionResult, 'tesSUCCESS')
    assert.equal(paid.result.meta.delivered_amount, xrpToDrops(1000))
  }
  const [issuer, holder] = wallets
  const set = await client.submitAndWait(
    { TransactionType: 'AccountSet', Account: issuer.address, SetFlag: 8 },
    { wallet: issuer, autofill: true },
  )
  assert.equal(set.result.meta.TransactionResult, 'tesSUCCESS')
  const limit = { currency: 'USD', issuer: issuer.address, value: '1000' }
  const trusted = await client.submitAndWait(
    { TransactionType: 'TrustSet', Account: holder.address, LimitAmount: limit },
    { wallet: holder, autofill: true },
  )
  assert.equal(trusted.result.meta.TransactionResult, 'tesSUCCESS')
  const issued = await client.submitAndWait(
    { TransactionType: 'Payment', Account: issuer.address, Destination: holder.address, Amount: { ...limit, value: '12.5' } },
    { wallet: issuer, autofill: true },
  )
  assert.equal(issued.result.meta.TransactionResult, 'tesSUCCESS')
  const lines = await client.request({ command: 'account_lines', account: holder.address })
  assert.equal(lines.result.lines[0].balance, '12.5')
  assert.equal(await client.getXrpBalance(issuer.address) > 900, true)
  const found = await client.request({ command: 'tx', transaction: issued.result.hash })
  assert.equal(found.result.validated, true)
  const info = await client.request({ command: 'server_info' })
  assert.equal(info.result.info.server_state, 'full')
  const nobody = Wallet.generate().address
  await assert.rejects(client.request({ command: 'account_info', account: nobody }), /Account not found/)
  await client.disconnect()
  console.log('ok')
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
