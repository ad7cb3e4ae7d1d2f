import all from './index.cjs'

export const { startLedger, useLedger, binaryPath, Ledger, LedgerError } = all
export default all
