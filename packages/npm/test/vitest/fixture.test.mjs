import { describe, expect } from 'vitest'
import { test, testWith } from 'xrpl-standalone/vitest'

const balance = async (ledger, n) =>
  (await ledger.request('account_info', { account: ledger.accounts[n].address })).account_data.Balance

for (const round of [1, 2]) {
  test(`each test has the ledger as new (${round})`, async ({ ledger }) => {
    expect(await balance(ledger, 1)).toBe('10000000000')
    const { address: Destination } = ledger.accounts[1]
    const { address: Account, seed: secret } = ledger.accounts[0]
    const tx_json = { TransactionType: 'Payment', Account, Destination, Amount: '1' }
    expect((await ledger.request('submit', { secret, tx_json })).engine_result).toBe('tesSUCCESS')
    expect(await balance(ledger, 1)).toBe('10000000001')
  })
}

// A fixture of a file is defined at its top.
const poor = testWith({ accounts: 1, fundDrops: 50_000_000 })

describe('with options', () => {
  poor('of its own', async ({ ledger }) => {
    expect(ledger.accounts.length).toBe(1)
    expect(await balance(ledger, 0)).toBe('50000000')
  })
})
