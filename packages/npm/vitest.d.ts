import type { TestAPI } from 'vitest'
import type { Ledger, LedgerOptions } from './index'

export function testWith(options?: LedgerOptions): TestAPI<{ ledger: Ledger }>
export const test: TestAPI<{ ledger: Ledger }>
