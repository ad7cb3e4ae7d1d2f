// A fixture for Vitest: one ledger a file, as new for each test.
import { test as base } from 'vitest'
import { startLedger } from './index.mjs'

/** `test` with a fixture `ledger`; options are those of startLedger. */
export function testWith(options = {}) {
  return base.extend({
    ledgerOfFile: [
      async ({}, use) => {
        const ledger = await startLedger(options)
        await use(ledger)
        await ledger.stop()
      },
      { scope: 'file' },
    ],
    ledger: async ({ ledgerOfFile }, use) => {
      const clean = await ledgerOfFile.snapshot()
      await use(ledgerOfFile)
      await ledgerOfFile.revert(clean)
      await ledgerOfFile.dropSnapshot(clean)
    },
  })
}

export const test = testWith()
