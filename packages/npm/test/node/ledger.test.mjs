import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLedger, LedgerError } from 'xrpl-standalone'
import xrpl from 'xrpl'

const { Client, Wallet } = xrpl

test('a wallet pays, and nothing happened', async () => {
  const ledger = await startLedger({ accounts: 3, startTime: new Date('2026-01-01T00:00:00Z'), amendments: ['all', '-DID'] })
  const client = new Client(ledger.url)
  await client.connect()
  const clean = await ledger.snapshot('clean')
  const [one, other] = ledger.accounts.map(({ seed }) => Wallet.fromSeed(seed))
  assert.equal(one.address, ledger.accounts[0].address)
  const paid = await client.submitAndWait(
    { TransactionType: 'Payment', Account: one.address, Destination: other.address, Amount: '5000000' },
    { wallet: one, autofill: true },
  )
  assert.equal(paid.result.meta.TransactionResult, 'tesSUCCESS')
  assert.equal(await client.getXrpBalance(other.address), 10_005)
  const { wallet, balance } = await client.fundWallet(null, ledger.faucetOptions)
  assert.equal(balance, 1000)
  await ledger.revert(clean)
  assert.equal(await client.getXrpBalance(other.address), 10_000)
  await assert.rejects(client.getXrpBalance(wallet.address), /Account not found/)
  const later = await ledger.advanceTime(86_400)
  assert.match(later.close_time_iso, /^2026-01-02T/)
  const closed = await ledger.close(10)
  assert.equal(closed.ledger_index, later.ledger_index + 10)
  await ledger.setClosing('interval', 50)
  await assert.rejects(ledger.revert('nothing'), (error) => error instanceof LedgerError && error.error === 'invalidParams')
  await client.disconnect()
  await ledger.stop()
  await assert.rejects(ledger.request('ping'))
})

test('what cannot start says why', async () => {
  await assert.rejects(startLedger({ amendments: 'some' }), /mainnet/)
  await assert.rejects(async () => startLedger({ colour: 'red' }), /colour/)
  await assert.rejects(startLedger({ binary: '/no/such/program' }), /ENOENT/)
})
