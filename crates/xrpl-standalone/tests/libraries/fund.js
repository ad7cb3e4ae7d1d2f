// An unmodified xrpl.js gets its wallets from the faucet, goes forward in time and back; ends with "ok".
const { Client, Wallet, isoTimeToRippleTime } = require('xrpl')

const assert = require('node:assert')

async function main() {
  const client = new Client(process.env.XRPL_WS)
  await client.connect()
  const host = new URL(process.env.XRPL_RPC).host
  const options = { faucetHost: host, faucetProtocol: 'http' }
  const { wallet, balance } = await client.fundWallet(null, options)
  assert.equal(balance, 1000)
  const again = await client.fundWallet(wallet, { ...options, amount: '250' })
  assert.deepEqual([again.wallet.address, again.balance], [wallet.address, 1250])
  const start = await client.request({ command: 'standalone_snapshot' })
  const { result } = await client.request({ command: 'standalone_info' })
  const escrow = await client.submitAndWait(
    {
      TransactionType: 'EscrowCreate', Account: wallet.address, Destination: Wallet.generate().address,
      Amount: '20000000', FinishAfter: isoTimeToRippleTime(result.close_time_iso) + 3600,
    },
    { wallet, autofill: true },
  )
  assert.equal(escrow.result.meta.TransactionResult, 'tecNO_DST')
  await client.request({ command: 'standalone_revert', snapshot: start.result.snapshot })
  assert.equal(await client.getXrpBalance(wallet.address), 1250)
  await client.disconnect()
  console.log('ok')
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
