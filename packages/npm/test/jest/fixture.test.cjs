const { useLedger } = require('xrpl-standalone')

const ledger = useLedger({ accounts: 2 })
const balance = async (n) =>
  (await ledger.request('account_info', { account: ledger.accounts[n].address })).account_data.Balance

test.each([1, 2])('each test has the ledger as new (%i)', async () => {
  expect(await balance(1)).toBe('10000000000')
  const { address: Destination } = ledger.accounts[1]
  const { address: Account, seed: secret } = ledger.accounts[0]
  const tx_json = { TransactionType: 'Payment', Account, Destination, Amount: '1' }
  expect((await ledger.request('submit', { secret, tx_json })).engine_result).toBe('tesSUCCESS')
  expect(await balance(1)).toBe('10000000001')
})
