//! One constant for every serialised field. Made by `scripts/update-definitions`.

use crate::object::Field;

/// `ObjectEndMarker` (STObject).
pub const OBJECT_END_MARKER: Field = Field::new(14, 1);
/// `ArrayEndMarker` (STArray).
pub const ARRAY_END_MARKER: Field = Field::new(15, 1);
/// `LedgerEntryType` (UInt16).
pub const LEDGER_ENTRY_TYPE: Field = Field::new(1, 1);
/// `TransactionType` (UInt16).
pub const TRANSACTION_TYPE: Field = Field::new(1, 2);
/// `SignerWeight` (UInt16).
pub const SIGNER_WEIGHT: Field = Field::new(1, 3);
/// `TransferFee` (UInt16).
pub const TRANSFER_FEE: Field = Field::new(1, 4);
/// `TradingFee` (UInt16).
pub const TRADING_FEE: Field = Field::new(1, 5);
/// `DiscountedFee` (UInt16).
pub const DISCOUNTED_FEE: Field = Field::new(1, 6);
/// `Version` (UInt16).
pub const VERSION: Field = Field::new(1, 16);
/// `HookStateChangeCount` (UInt16).
pub const HOOK_STATE_CHANGE_COUNT: Field = Field::new(1, 17);
/// `HookEmitCount` (UInt16).
pub const HOOK_EMIT_COUNT: Field = Field::new(1, 18);
/// `HookExecutionIndex` (UInt16).
pub const HOOK_EXECUTION_INDEX: Field = Field::new(1, 19);
/// `HookApiVersion` (UInt16).
pub const HOOK_API_VERSION: Field = Field::new(1, 20);
/// `LedgerFixType` (UInt16).
pub const LEDGER_FIX_TYPE: Field = Field::new(1, 21);
/// `ManagementFeeRate` (UInt16).
pub const MANAGEMENT_FEE_RATE: Field = Field::new(1, 22);
/// `NetworkID` (UInt32).
pub const NETWORK_ID: Field = Field::new(2, 1);
/// `Flags` (UInt32).
pub const FLAGS: Field = Field::new(2, 2);
/// `SourceTag` (UInt32).
pub const SOURCE_TAG: Field = Field::new(2, 3);
/// `Sequence` (UInt32).
pub const SEQUENCE: Field = Field::new(2, 4);
/// `PreviousTxnLgrSeq` (UInt32).
pub const PREVIOUS_TXN_LGR_SEQ: Field = Field::new(2, 5);
/// `LedgerSequence` (UInt32).
pub const LEDGER_SEQUENCE: Field = Field::new(2, 6);
/// `CloseTime` (UInt32).
pub const CLOSE_TIME: Field = Field::new(2, 7);
/// `ParentCloseTime` (UInt32).
pub const PARENT_CLOSE_TIME: Field = Field::new(2, 8);
/// `SigningTime` (UInt32).
pub const SIGNING_TIME: Field = Field::new(2, 9);
/// `Expiration` (UInt32).
pub const EXPIRATION: Field = Field::new(2, 10);
/// `TransferRate` (UInt32).
pub const TRANSFER_RATE: Field = Field::new(2, 11);
/// `WalletSize` (UInt32).
pub const WALLET_SIZE: Field = Field::new(2, 12);
/// `OwnerCount` (UInt32).
pub const OWNER_COUNT: Field = Field::new(2, 13);
/// `DestinationTag` (UInt32).
pub const DESTINATION_TAG: Field = Field::new(2, 14);
/// `LastUpdateTime` (UInt32).
pub const LAST_UPDATE_TIME: Field = Field::new(2, 15);
/// `HighQualityIn` (UInt32).
pub const HIGH_QUALITY_IN: Field = Field::new(2, 16);
/// `HighQualityOut` (UInt32).
pub const HIGH_QUALITY_OUT: Field = Field::new(2, 17);
/// `LowQualityIn` (UInt32).
pub const LOW_QUALITY_IN: Field = Field::new(2, 18);
/// `LowQualityOut` (UInt32).
pub const LOW_QUALITY_OUT: Field = Field::new(2, 19);
/// `QualityIn` (UInt32).
pub const QUALITY_IN: Field = Field::new(2, 20);
/// `QualityOut` (UInt32).
pub const QUALITY_OUT: Field = Field::new(2, 21);
/// `StampEscrow` (UInt32).
pub const STAMP_ESCROW: Field = Field::new(2, 22);
/// `BondAmount` (UInt32).
pub const BOND_AMOUNT: Field = Field::new(2, 23);
/// `LoadFee` (UInt32).
pub const LOAD_FEE: Field = Field::new(2, 24);
/// `OfferSequence` (UInt32).
pub const OFFER_SEQUENCE: Field = Field::new(2, 25);
/// `FirstLedgerSequence` (UInt32).
pub const FIRST_LEDGER_SEQUENCE: Field = Field::new(2, 26);
/// `LastLedgerSequence` (UInt32).
pub const LAST_LEDGER_SEQUENCE: Field = Field::new(2, 27);
/// `TransactionIndex` (UInt32).
pub const TRANSACTION_INDEX: Field = Field::new(2, 28);
/// `OperationLimit` (UInt32).
pub const OPERATION_LIMIT: Field = Field::new(2, 29);
/// `ReferenceFeeUnits` (UInt32).
pub const REFERENCE_FEE_UNITS: Field = Field::new(2, 30);
/// `ReserveBase` (UInt32).
pub const RESERVE_BASE: Field = Field::new(2, 31);
/// `ReserveIncrement` (UInt32).
pub const RESERVE_INCREMENT: Field = Field::new(2, 32);
/// `SetFlag` (UInt32).
pub const SET_FLAG: Field = Field::new(2, 33);
/// `ClearFlag` (UInt32).
pub const CLEAR_FLAG: Field = Field::new(2, 34);
/// `SignerQuorum` (UInt32).
pub const SIGNER_QUORUM: Field = Field::new(2, 35);
/// `CancelAfter` (UInt32).
pub const CANCEL_AFTER: Field = Field::new(2, 36);
/// `FinishAfter` (UInt32).
pub const FINISH_AFTER: Field = Field::new(2, 37);
/// `SignerListID` (UInt32).
pub const SIGNER_LIST_ID: Field = Field::new(2, 38);
/// `SettleDelay` (UInt32).
pub const SETTLE_DELAY: Field = Field::new(2, 39);
/// `TicketCount` (UInt32).
pub const TICKET_COUNT: Field = Field::new(2, 40);
/// `TicketSequence` (UInt32).
pub const TICKET_SEQUENCE: Field = Field::new(2, 41);
/// `NFTokenTaxon` (UInt32).
pub const NF_TOKEN_TAXON: Field = Field::new(2, 42);
/// `MintedNFTokens` (UInt32).
pub const MINTED_NF_TOKENS: Field = Field::new(2, 43);
/// `BurnedNFTokens` (UInt32).
pub const BURNED_NF_TOKENS: Field = Field::new(2, 44);
/// `HookStateCount` (UInt32).
pub const HOOK_STATE_COUNT: Field = Field::new(2, 45);
/// `EmitGeneration` (UInt32).
pub const EMIT_GENERATION: Field = Field::new(2, 46);
/// `VoteWeight` (UInt32).
pub const VOTE_WEIGHT: Field = Field::new(2, 48);
/// `FirstNFTokenSequence` (UInt32).
pub const FIRST_NF_TOKEN_SEQUENCE: Field = Field::new(2, 50);
/// `OracleDocumentID` (UInt32).
pub const ORACLE_DOCUMENT_ID: Field = Field::new(2, 51);
/// `PermissionValue` (UInt32).
pub const PERMISSION_VALUE: Field = Field::new(2, 52);
/// `MutableFlags` (UInt32).
pub const MUTABLE_FLAGS: Field = Field::new(2, 53);
/// `StartDate` (UInt32).
pub const START_DATE: Field = Field::new(2, 54);
/// `PaymentInterval` (UInt32).
pub const PAYMENT_INTERVAL: Field = Field::new(2, 55);
/// `GracePeriod` (UInt32).
pub const GRACE_PERIOD: Field = Field::new(2, 56);
/// `PreviousPaymentDueDate` (UInt32).
pub const PREVIOUS_PAYMENT_DUE_DATE: Field = Field::new(2, 57);
/// `NextPaymentDueDate` (UInt32).
pub const NEXT_PAYMENT_DUE_DATE: Field = Field::new(2, 58);
/// `PaymentRemaining` (UInt32).
pub const PAYMENT_REMAINING: Field = Field::new(2, 59);
/// `PaymentTotal` (UInt32).
pub const PAYMENT_TOTAL: Field = Field::new(2, 60);
/// `LoanSequence` (UInt32).
pub const LOAN_SEQUENCE: Field = Field::new(2, 61);
/// `CoverRateMinimum` (UInt32).
pub const COVER_RATE_MINIMUM: Field = Field::new(2, 62);
/// `CoverRateLiquidation` (UInt32).
pub const COVER_RATE_LIQUIDATION: Field = Field::new(2, 63);
/// `OverpaymentFee` (UInt32).
pub const OVERPAYMENT_FEE: Field = Field::new(2, 64);
/// `InterestRate` (UInt32).
pub const INTEREST_RATE: Field = Field::new(2, 65);
/// `LateInterestRate` (UInt32).
pub const LATE_INTEREST_RATE: Field = Field::new(2, 66);
/// `CloseInterestRate` (UInt32).
pub const CLOSE_INTEREST_RATE: Field = Field::new(2, 67);
/// `OverpaymentInterestRate` (UInt32).
pub const OVERPAYMENT_INTEREST_RATE: Field = Field::new(2, 68);
/// `ConfidentialBalanceVersion` (UInt32).
pub const CONFIDENTIAL_BALANCE_VERSION: Field = Field::new(2, 69);
/// `IndexNext` (UInt64).
pub const INDEX_NEXT: Field = Field::new(3, 1);
/// `IndexPrevious` (UInt64).
pub const INDEX_PREVIOUS: Field = Field::new(3, 2);
/// `BookNode` (UInt64).
pub const BOOK_NODE: Field = Field::new(3, 3);
/// `OwnerNode` (UInt64).
pub const OWNER_NODE: Field = Field::new(3, 4);
/// `BaseFee` (UInt64).
pub const BASE_FEE: Field = Field::new(3, 5);
/// `ExchangeRate` (UInt64).
pub const EXCHANGE_RATE: Field = Field::new(3, 6);
/// `LowNode` (UInt64).
pub const LOW_NODE: Field = Field::new(3, 7);
/// `HighNode` (UInt64).
pub const HIGH_NODE: Field = Field::new(3, 8);
/// `DestinationNode` (UInt64).
pub const DESTINATION_NODE: Field = Field::new(3, 9);
/// `Cookie` (UInt64).
pub const COOKIE: Field = Field::new(3, 10);
/// `ServerVersion` (UInt64).
pub const SERVER_VERSION: Field = Field::new(3, 11);
/// `NFTokenOfferNode` (UInt64).
pub const NF_TOKEN_OFFER_NODE: Field = Field::new(3, 12);
/// `EmitBurden` (UInt64).
pub const EMIT_BURDEN: Field = Field::new(3, 13);
/// `HookOn` (UInt64).
pub const HOOK_ON: Field = Field::new(3, 16);
/// `HookInstructionCount` (UInt64).
pub const HOOK_INSTRUCTION_COUNT: Field = Field::new(3, 17);
/// `HookReturnCode` (UInt64).
pub const HOOK_RETURN_CODE: Field = Field::new(3, 18);
/// `ReferenceCount` (UInt64).
pub const REFERENCE_COUNT: Field = Field::new(3, 19);
/// `XChainClaimID` (UInt64).
pub const X_CHAIN_CLAIM_ID: Field = Field::new(3, 20);
/// `XChainAccountCreateCount` (UInt64).
pub const X_CHAIN_ACCOUNT_CREATE_COUNT: Field = Field::new(3, 21);
/// `XChainAccountClaimCount` (UInt64).
pub const X_CHAIN_ACCOUNT_CLAIM_COUNT: Field = Field::new(3, 22);
/// `AssetPrice` (UInt64).
pub const ASSET_PRICE: Field = Field::new(3, 23);
/// `MaximumAmount` (UInt64).
pub const MAXIMUM_AMOUNT: Field = Field::new(3, 24);
/// `OutstandingAmount` (UInt64).
pub const OUTSTANDING_AMOUNT: Field = Field::new(3, 25);
/// `MPTAmount` (UInt64).
pub const MPT_AMOUNT: Field = Field::new(3, 26);
/// `IssuerNode` (UInt64).
pub const ISSUER_NODE: Field = Field::new(3, 27);
/// `SubjectNode` (UInt64).
pub const SUBJECT_NODE: Field = Field::new(3, 28);
/// `LockedAmount` (UInt64).
pub const LOCKED_AMOUNT: Field = Field::new(3, 29);
/// `VaultNode` (UInt64).
pub const VAULT_NODE: Field = Field::new(3, 30);
/// `LoanBrokerNode` (UInt64).
pub const LOAN_BROKER_NODE: Field = Field::new(3, 31);
/// `ConfidentialOutstandingAmount` (UInt64).
pub const CONFIDENTIAL_OUTSTANDING_AMOUNT: Field = Field::new(3, 32);
/// `EmailHash` (Hash128).
pub const EMAIL_HASH: Field = Field::new(4, 1);
/// `LedgerHash` (Hash256).
pub const LEDGER_HASH: Field = Field::new(5, 1);
/// `ParentHash` (Hash256).
pub const PARENT_HASH: Field = Field::new(5, 2);
/// `TransactionHash` (Hash256).
pub const TRANSACTION_HASH: Field = Field::new(5, 3);
/// `AccountHash` (Hash256).
pub const ACCOUNT_HASH: Field = Field::new(5, 4);
/// `PreviousTxnID` (Hash256).
pub const PREVIOUS_TXN_ID: Field = Field::new(5, 5);
/// `LedgerIndex` (Hash256).
pub const LEDGER_INDEX: Field = Field::new(5, 6);
/// `WalletLocator` (Hash256).
pub const WALLET_LOCATOR: Field = Field::new(5, 7);
/// `RootIndex` (Hash256).
pub const ROOT_INDEX: Field = Field::new(5, 8);
/// `AccountTxnID` (Hash256).
pub const ACCOUNT_TXN_ID: Field = Field::new(5, 9);
/// `NFTokenID` (Hash256).
pub const NF_TOKEN_ID: Field = Field::new(5, 10);
/// `EmitParentTxnID` (Hash256).
pub const EMIT_PARENT_TXN_ID: Field = Field::new(5, 11);
/// `EmitNonce` (Hash256).
pub const EMIT_NONCE: Field = Field::new(5, 12);
/// `EmitHookHash` (Hash256).
pub const EMIT_HOOK_HASH: Field = Field::new(5, 13);
/// `AMMID` (Hash256).
pub const AMMID: Field = Field::new(5, 14);
/// `BookDirectory` (Hash256).
pub const BOOK_DIRECTORY: Field = Field::new(5, 16);
/// `InvoiceID` (Hash256).
pub const INVOICE_ID: Field = Field::new(5, 17);
/// `Nickname` (Hash256).
pub const NICKNAME: Field = Field::new(5, 18);
/// `Amendment` (Hash256).
pub const AMENDMENT: Field = Field::new(5, 19);
/// `Digest` (Hash256).
pub const DIGEST: Field = Field::new(5, 21);
/// `Channel` (Hash256).
pub const CHANNEL: Field = Field::new(5, 22);
/// `ConsensusHash` (Hash256).
pub const CONSENSUS_HASH: Field = Field::new(5, 23);
/// `CheckID` (Hash256).
pub const CHECK_ID: Field = Field::new(5, 24);
/// `ValidatedHash` (Hash256).
pub const VALIDATED_HASH: Field = Field::new(5, 25);
/// `PreviousPageMin` (Hash256).
pub const PREVIOUS_PAGE_MIN: Field = Field::new(5, 26);
/// `NextPageMin` (Hash256).
pub const NEXT_PAGE_MIN: Field = Field::new(5, 27);
/// `NFTokenBuyOffer` (Hash256).
pub const NF_TOKEN_BUY_OFFER: Field = Field::new(5, 28);
/// `NFTokenSellOffer` (Hash256).
pub const NF_TOKEN_SELL_OFFER: Field = Field::new(5, 29);
/// `HookStateKey` (Hash256).
pub const HOOK_STATE_KEY: Field = Field::new(5, 30);
/// `HookHash` (Hash256).
pub const HOOK_HASH: Field = Field::new(5, 31);
/// `HookNamespace` (Hash256).
pub const HOOK_NAMESPACE: Field = Field::new(5, 32);
/// `HookSetTxnID` (Hash256).
pub const HOOK_SET_TXN_ID: Field = Field::new(5, 33);
/// `DomainID` (Hash256).
pub const DOMAIN_ID: Field = Field::new(5, 34);
/// `VaultID` (Hash256).
pub const VAULT_ID: Field = Field::new(5, 35);
/// `ParentBatchID` (Hash256).
pub const PARENT_BATCH_ID: Field = Field::new(5, 36);
/// `LoanBrokerID` (Hash256).
pub const LOAN_BROKER_ID: Field = Field::new(5, 37);
/// `LoanID` (Hash256).
pub const LOAN_ID: Field = Field::new(5, 38);
/// `ReferenceHolding` (Hash256).
pub const REFERENCE_HOLDING: Field = Field::new(5, 39);
/// `BlindingFactor` (Hash256).
pub const BLINDING_FACTOR: Field = Field::new(5, 40);
/// `Amount` (Amount).
pub const AMOUNT: Field = Field::new(6, 1);
/// `Balance` (Amount).
pub const BALANCE: Field = Field::new(6, 2);
/// `LimitAmount` (Amount).
pub const LIMIT_AMOUNT: Field = Field::new(6, 3);
/// `TakerPays` (Amount).
pub const TAKER_PAYS: Field = Field::new(6, 4);
/// `TakerGets` (Amount).
pub const TAKER_GETS: Field = Field::new(6, 5);
/// `LowLimit` (Amount).
pub const LOW_LIMIT: Field = Field::new(6, 6);
/// `HighLimit` (Amount).
pub const HIGH_LIMIT: Field = Field::new(6, 7);
/// `Fee` (Amount).
pub const FEE: Field = Field::new(6, 8);
/// `SendMax` (Amount).
pub const SEND_MAX: Field = Field::new(6, 9);
/// `DeliverMin` (Amount).
pub const DELIVER_MIN: Field = Field::new(6, 10);
/// `Amount2` (Amount).
pub const AMOUNT2: Field = Field::new(6, 11);
/// `BidMin` (Amount).
pub const BID_MIN: Field = Field::new(6, 12);
/// `BidMax` (Amount).
pub const BID_MAX: Field = Field::new(6, 13);
/// `MinimumOffer` (Amount).
pub const MINIMUM_OFFER: Field = Field::new(6, 16);
/// `RippleEscrow` (Amount).
pub const RIPPLE_ESCROW: Field = Field::new(6, 17);
/// `DeliveredAmount` (Amount).
pub const DELIVERED_AMOUNT: Field = Field::new(6, 18);
/// `NFTokenBrokerFee` (Amount).
pub const NF_TOKEN_BROKER_FEE: Field = Field::new(6, 19);
/// `BaseFeeDrops` (Amount).
pub const BASE_FEE_DROPS: Field = Field::new(6, 22);
/// `ReserveBaseDrops` (Amount).
pub const RESERVE_BASE_DROPS: Field = Field::new(6, 23);
/// `ReserveIncrementDrops` (Amount).
pub const RESERVE_INCREMENT_DROPS: Field = Field::new(6, 24);
/// `LPTokenOut` (Amount).
pub const LP_TOKEN_OUT: Field = Field::new(6, 25);
/// `LPTokenIn` (Amount).
pub const LP_TOKEN_IN: Field = Field::new(6, 26);
/// `EPrice` (Amount).
pub const E_PRICE: Field = Field::new(6, 27);
/// `Price` (Amount).
pub const PRICE: Field = Field::new(6, 28);
/// `SignatureReward` (Amount).
pub const SIGNATURE_REWARD: Field = Field::new(6, 29);
/// `MinAccountCreateAmount` (Amount).
pub const MIN_ACCOUNT_CREATE_AMOUNT: Field = Field::new(6, 30);
/// `LPTokenBalance` (Amount).
pub const LP_TOKEN_BALANCE: Field = Field::new(6, 31);
/// `PublicKey` (Blob).
pub const PUBLIC_KEY: Field = Field::new(7, 1);
/// `MessageKey` (Blob).
pub const MESSAGE_KEY: Field = Field::new(7, 2);
/// `SigningPubKey` (Blob).
pub const SIGNING_PUB_KEY: Field = Field::new(7, 3);
/// `TxnSignature` (Blob).
pub const TXN_SIGNATURE: Field = Field::new(7, 4);
/// `URI` (Blob).
pub const URI: Field = Field::new(7, 5);
/// `Signature` (Blob).
pub const SIGNATURE: Field = Field::new(7, 6);
/// `Domain` (Blob).
pub const DOMAIN: Field = Field::new(7, 7);
/// `FundCode` (Blob).
pub const FUND_CODE: Field = Field::new(7, 8);
/// `RemoveCode` (Blob).
pub const REMOVE_CODE: Field = Field::new(7, 9);
/// `ExpireCode` (Blob).
pub const EXPIRE_CODE: Field = Field::new(7, 10);
/// `CreateCode` (Blob).
pub const CREATE_CODE: Field = Field::new(7, 11);
/// `MemoType` (Blob).
pub const MEMO_TYPE: Field = Field::new(7, 12);
/// `MemoData` (Blob).
pub const MEMO_DATA: Field = Field::new(7, 13);
/// `MemoFormat` (Blob).
pub const MEMO_FORMAT: Field = Field::new(7, 14);
/// `Fulfillment` (Blob).
pub const FULFILLMENT: Field = Field::new(7, 16);
/// `Condition` (Blob).
pub const CONDITION: Field = Field::new(7, 17);
/// `MasterSignature` (Blob).
pub const MASTER_SIGNATURE: Field = Field::new(7, 18);
/// `UNLModifyValidator` (Blob).
pub const UNL_MODIFY_VALIDATOR: Field = Field::new(7, 19);
/// `ValidatorToDisable` (Blob).
pub const VALIDATOR_TO_DISABLE: Field = Field::new(7, 20);
/// `ValidatorToReEnable` (Blob).
pub const VALIDATOR_TO_RE_ENABLE: Field = Field::new(7, 21);
/// `HookStateData` (Blob).
pub const HOOK_STATE_DATA: Field = Field::new(7, 22);
/// `HookReturnString` (Blob).
pub const HOOK_RETURN_STRING: Field = Field::new(7, 23);
/// `HookParameterName` (Blob).
pub const HOOK_PARAMETER_NAME: Field = Field::new(7, 24);
/// `HookParameterValue` (Blob).
pub const HOOK_PARAMETER_VALUE: Field = Field::new(7, 25);
/// `DIDDocument` (Blob).
pub const DID_DOCUMENT: Field = Field::new(7, 26);
/// `Data` (Blob).
pub const DATA: Field = Field::new(7, 27);
/// `AssetClass` (Blob).
pub const ASSET_CLASS: Field = Field::new(7, 28);
/// `Provider` (Blob).
pub const PROVIDER: Field = Field::new(7, 29);
/// `MPTokenMetadata` (Blob).
pub const MP_TOKEN_METADATA: Field = Field::new(7, 30);
/// `CredentialType` (Blob).
pub const CREDENTIAL_TYPE: Field = Field::new(7, 31);
/// `ConfidentialBalanceInbox` (Blob).
pub const CONFIDENTIAL_BALANCE_INBOX: Field = Field::new(7, 32);
/// `ConfidentialBalanceSpending` (Blob).
pub const CONFIDENTIAL_BALANCE_SPENDING: Field = Field::new(7, 33);
/// `IssuerEncryptedBalance` (Blob).
pub const ISSUER_ENCRYPTED_BALANCE: Field = Field::new(7, 34);
/// `IssuerEncryptionKey` (Blob).
pub const ISSUER_ENCRYPTION_KEY: Field = Field::new(7, 35);
/// `HolderEncryptionKey` (Blob).
pub const HOLDER_ENCRYPTION_KEY: Field = Field::new(7, 36);
/// `ZKProof` (Blob).
pub const ZK_PROOF: Field = Field::new(7, 37);
/// `HolderEncryptedAmount` (Blob).
pub const HOLDER_ENCRYPTED_AMOUNT: Field = Field::new(7, 38);
/// `IssuerEncryptedAmount` (Blob).
pub const ISSUER_ENCRYPTED_AMOUNT: Field = Field::new(7, 39);
/// `SenderEncryptedAmount` (Blob).
pub const SENDER_ENCRYPTED_AMOUNT: Field = Field::new(7, 40);
/// `DestinationEncryptedAmount` (Blob).
pub const DESTINATION_ENCRYPTED_AMOUNT: Field = Field::new(7, 41);
/// `AuditorEncryptedBalance` (Blob).
pub const AUDITOR_ENCRYPTED_BALANCE: Field = Field::new(7, 42);
/// `AuditorEncryptedAmount` (Blob).
pub const AUDITOR_ENCRYPTED_AMOUNT: Field = Field::new(7, 43);
/// `AuditorEncryptionKey` (Blob).
pub const AUDITOR_ENCRYPTION_KEY: Field = Field::new(7, 44);
/// `AmountCommitment` (Blob).
pub const AMOUNT_COMMITMENT: Field = Field::new(7, 45);
/// `BalanceCommitment` (Blob).
pub const BALANCE_COMMITMENT: Field = Field::new(7, 46);
/// `Account` (AccountID).
pub const ACCOUNT: Field = Field::new(8, 1);
/// `Owner` (AccountID).
pub const OWNER: Field = Field::new(8, 2);
/// `Destination` (AccountID).
pub const DESTINATION: Field = Field::new(8, 3);
/// `Issuer` (AccountID).
pub const ISSUER: Field = Field::new(8, 4);
/// `Authorize` (AccountID).
pub const AUTHORIZE: Field = Field::new(8, 5);
/// `Unauthorize` (AccountID).
pub const UNAUTHORIZE: Field = Field::new(8, 6);
/// `RegularKey` (AccountID).
pub const REGULAR_KEY: Field = Field::new(8, 8);
/// `NFTokenMinter` (AccountID).
pub const NF_TOKEN_MINTER: Field = Field::new(8, 9);
/// `EmitCallback` (AccountID).
pub const EMIT_CALLBACK: Field = Field::new(8, 10);
/// `Holder` (AccountID).
pub const HOLDER: Field = Field::new(8, 11);
/// `Delegate` (AccountID).
pub const DELEGATE: Field = Field::new(8, 12);
/// `HookAccount` (AccountID).
pub const HOOK_ACCOUNT: Field = Field::new(8, 16);
/// `OtherChainSource` (AccountID).
pub const OTHER_CHAIN_SOURCE: Field = Field::new(8, 18);
/// `OtherChainDestination` (AccountID).
pub const OTHER_CHAIN_DESTINATION: Field = Field::new(8, 19);
/// `AttestationSignerAccount` (AccountID).
pub const ATTESTATION_SIGNER_ACCOUNT: Field = Field::new(8, 20);
/// `AttestationRewardAccount` (AccountID).
pub const ATTESTATION_REWARD_ACCOUNT: Field = Field::new(8, 21);
/// `LockingChainDoor` (AccountID).
pub const LOCKING_CHAIN_DOOR: Field = Field::new(8, 22);
/// `IssuingChainDoor` (AccountID).
pub const ISSUING_CHAIN_DOOR: Field = Field::new(8, 23);
/// `Subject` (AccountID).
pub const SUBJECT: Field = Field::new(8, 24);
/// `Borrower` (AccountID).
pub const BORROWER: Field = Field::new(8, 25);
/// `Counterparty` (AccountID).
pub const COUNTERPARTY: Field = Field::new(8, 26);
/// `Number` (Number).
pub const NUMBER: Field = Field::new(9, 1);
/// `AssetsAvailable` (Number).
pub const ASSETS_AVAILABLE: Field = Field::new(9, 2);
/// `AssetsMaximum` (Number).
pub const ASSETS_MAXIMUM: Field = Field::new(9, 3);
/// `AssetsTotal` (Number).
pub const ASSETS_TOTAL: Field = Field::new(9, 4);
/// `LossUnrealized` (Number).
pub const LOSS_UNREALIZED: Field = Field::new(9, 5);
/// `DebtTotal` (Number).
pub const DEBT_TOTAL: Field = Field::new(9, 6);
/// `DebtMaximum` (Number).
pub const DEBT_MAXIMUM: Field = Field::new(9, 7);
/// `CoverAvailable` (Number).
pub const COVER_AVAILABLE: Field = Field::new(9, 8);
/// `LoanOriginationFee` (Number).
pub const LOAN_ORIGINATION_FEE: Field = Field::new(9, 9);
/// `LoanServiceFee` (Number).
pub const LOAN_SERVICE_FEE: Field = Field::new(9, 10);
/// `LatePaymentFee` (Number).
pub const LATE_PAYMENT_FEE: Field = Field::new(9, 11);
/// `ClosePaymentFee` (Number).
pub const CLOSE_PAYMENT_FEE: Field = Field::new(9, 12);
/// `PrincipalOutstanding` (Number).
pub const PRINCIPAL_OUTSTANDING: Field = Field::new(9, 13);
/// `PrincipalRequested` (Number).
pub const PRINCIPAL_REQUESTED: Field = Field::new(9, 14);
/// `TotalValueOutstanding` (Number).
pub const TOTAL_VALUE_OUTSTANDING: Field = Field::new(9, 15);
/// `PeriodicPayment` (Number).
pub const PERIODIC_PAYMENT: Field = Field::new(9, 16);
/// `ManagementFeeOutstanding` (Number).
pub const MANAGEMENT_FEE_OUTSTANDING: Field = Field::new(9, 17);
/// `LoanScale` (Int32).
pub const LOAN_SCALE: Field = Field::new(10, 1);
/// `TransactionMetaData` (STObject).
pub const TRANSACTION_META_DATA: Field = Field::new(14, 2);
/// `CreatedNode` (STObject).
pub const CREATED_NODE: Field = Field::new(14, 3);
/// `DeletedNode` (STObject).
pub const DELETED_NODE: Field = Field::new(14, 4);
/// `ModifiedNode` (STObject).
pub const MODIFIED_NODE: Field = Field::new(14, 5);
/// `PreviousFields` (STObject).
pub const PREVIOUS_FIELDS: Field = Field::new(14, 6);
/// `FinalFields` (STObject).
pub const FINAL_FIELDS: Field = Field::new(14, 7);
/// `NewFields` (STObject).
pub const NEW_FIELDS: Field = Field::new(14, 8);
/// `TemplateEntry` (STObject).
pub const TEMPLATE_ENTRY: Field = Field::new(14, 9);
/// `Memo` (STObject).
pub const MEMO: Field = Field::new(14, 10);
/// `SignerEntry` (STObject).
pub const SIGNER_ENTRY: Field = Field::new(14, 11);
/// `NFToken` (STObject).
pub const NF_TOKEN: Field = Field::new(14, 12);
/// `EmitDetails` (STObject).
pub const EMIT_DETAILS: Field = Field::new(14, 13);
/// `Hook` (STObject).
pub const HOOK: Field = Field::new(14, 14);
/// `Permission` (STObject).
pub const PERMISSION: Field = Field::new(14, 15);
/// `Signer` (STObject).
pub const SIGNER: Field = Field::new(14, 16);
/// `Majority` (STObject).
pub const MAJORITY: Field = Field::new(14, 18);
/// `DisabledValidator` (STObject).
pub const DISABLED_VALIDATOR: Field = Field::new(14, 19);
/// `EmittedTxn` (STObject).
pub const EMITTED_TXN: Field = Field::new(14, 20);
/// `HookExecution` (STObject).
pub const HOOK_EXECUTION: Field = Field::new(14, 21);
/// `HookDefinition` (STObject).
pub const HOOK_DEFINITION: Field = Field::new(14, 22);
/// `HookParameter` (STObject).
pub const HOOK_PARAMETER: Field = Field::new(14, 23);
/// `HookGrant` (STObject).
pub const HOOK_GRANT: Field = Field::new(14, 24);
/// `VoteEntry` (STObject).
pub const VOTE_ENTRY: Field = Field::new(14, 25);
/// `AuctionSlot` (STObject).
pub const AUCTION_SLOT: Field = Field::new(14, 26);
/// `AuthAccount` (STObject).
pub const AUTH_ACCOUNT: Field = Field::new(14, 27);
/// `XChainClaimProofSig` (STObject).
pub const X_CHAIN_CLAIM_PROOF_SIG: Field = Field::new(14, 28);
/// `XChainCreateAccountProofSig` (STObject).
pub const X_CHAIN_CREATE_ACCOUNT_PROOF_SIG: Field = Field::new(14, 29);
/// `XChainClaimAttestationCollectionElement` (STObject).
pub const X_CHAIN_CLAIM_ATTESTATION_COLLECTION_ELEMENT: Field = Field::new(14, 30);
/// `XChainCreateAccountAttestationCollectionElement` (STObject).
pub const X_CHAIN_CREATE_ACCOUNT_ATTESTATION_COLLECTION_ELEMENT: Field = Field::new(14, 31);
/// `PriceData` (STObject).
pub const PRICE_DATA: Field = Field::new(14, 32);
/// `Credential` (STObject).
pub const CREDENTIAL: Field = Field::new(14, 33);
/// `RawTransaction` (STObject).
pub const RAW_TRANSACTION: Field = Field::new(14, 34);
/// `BatchSigner` (STObject).
pub const BATCH_SIGNER: Field = Field::new(14, 35);
/// `Book` (STObject).
pub const BOOK: Field = Field::new(14, 36);
/// `CounterpartySignature` (STObject).
pub const COUNTERPARTY_SIGNATURE: Field = Field::new(14, 37);
/// `Signers` (STArray).
pub const SIGNERS: Field = Field::new(15, 3);
/// `SignerEntries` (STArray).
pub const SIGNER_ENTRIES: Field = Field::new(15, 4);
/// `Template` (STArray).
pub const TEMPLATE: Field = Field::new(15, 5);
/// `Necessary` (STArray).
pub const NECESSARY: Field = Field::new(15, 6);
/// `Sufficient` (STArray).
pub const SUFFICIENT: Field = Field::new(15, 7);
/// `AffectedNodes` (STArray).
pub const AFFECTED_NODES: Field = Field::new(15, 8);
/// `Memos` (STArray).
pub const MEMOS: Field = Field::new(15, 9);
/// `NFTokens` (STArray).
pub const NF_TOKENS: Field = Field::new(15, 10);
/// `Hooks` (STArray).
pub const HOOKS: Field = Field::new(15, 11);
/// `VoteSlots` (STArray).
pub const VOTE_SLOTS: Field = Field::new(15, 12);
/// `AdditionalBooks` (STArray).
pub const ADDITIONAL_BOOKS: Field = Field::new(15, 13);
/// `Majorities` (STArray).
pub const MAJORITIES: Field = Field::new(15, 16);
/// `DisabledValidators` (STArray).
pub const DISABLED_VALIDATORS: Field = Field::new(15, 17);
/// `HookExecutions` (STArray).
pub const HOOK_EXECUTIONS: Field = Field::new(15, 18);
/// `HookParameters` (STArray).
pub const HOOK_PARAMETERS: Field = Field::new(15, 19);
/// `HookGrants` (STArray).
pub const HOOK_GRANTS: Field = Field::new(15, 20);
/// `XChainClaimAttestations` (STArray).
pub const X_CHAIN_CLAIM_ATTESTATIONS: Field = Field::new(15, 21);
/// `XChainCreateAccountAttestations` (STArray).
pub const X_CHAIN_CREATE_ACCOUNT_ATTESTATIONS: Field = Field::new(15, 22);
/// `PriceDataSeries` (STArray).
pub const PRICE_DATA_SERIES: Field = Field::new(15, 24);
/// `AuthAccounts` (STArray).
pub const AUTH_ACCOUNTS: Field = Field::new(15, 25);
/// `AuthorizeCredentials` (STArray).
pub const AUTHORIZE_CREDENTIALS: Field = Field::new(15, 26);
/// `UnauthorizeCredentials` (STArray).
pub const UNAUTHORIZE_CREDENTIALS: Field = Field::new(15, 27);
/// `AcceptedCredentials` (STArray).
pub const ACCEPTED_CREDENTIALS: Field = Field::new(15, 28);
/// `Permissions` (STArray).
pub const PERMISSIONS: Field = Field::new(15, 29);
/// `RawTransactions` (STArray).
pub const RAW_TRANSACTIONS: Field = Field::new(15, 30);
/// `BatchSigners` (STArray).
pub const BATCH_SIGNERS: Field = Field::new(15, 31);
/// `CloseResolution` (UInt8).
pub const CLOSE_RESOLUTION: Field = Field::new(16, 1);
/// `Method` (UInt8).
pub const METHOD: Field = Field::new(16, 2);
/// `TransactionResult` (UInt8).
pub const TRANSACTION_RESULT: Field = Field::new(16, 3);
/// `Scale` (UInt8).
pub const SCALE: Field = Field::new(16, 4);
/// `AssetScale` (UInt8).
pub const ASSET_SCALE: Field = Field::new(16, 5);
/// `TickSize` (UInt8).
pub const TICK_SIZE: Field = Field::new(16, 16);
/// `UNLModifyDisabling` (UInt8).
pub const UNL_MODIFY_DISABLING: Field = Field::new(16, 17);
/// `HookResult` (UInt8).
pub const HOOK_RESULT: Field = Field::new(16, 18);
/// `WasLockingChainSend` (UInt8).
pub const WAS_LOCKING_CHAIN_SEND: Field = Field::new(16, 19);
/// `WithdrawalPolicy` (UInt8).
pub const WITHDRAWAL_POLICY: Field = Field::new(16, 20);
/// `TakerPaysCurrency` (Hash160).
pub const TAKER_PAYS_CURRENCY: Field = Field::new(17, 1);
/// `TakerPaysIssuer` (Hash160).
pub const TAKER_PAYS_ISSUER: Field = Field::new(17, 2);
/// `TakerGetsCurrency` (Hash160).
pub const TAKER_GETS_CURRENCY: Field = Field::new(17, 3);
/// `TakerGetsIssuer` (Hash160).
pub const TAKER_GETS_ISSUER: Field = Field::new(17, 4);
/// `Paths` (PathSet).
pub const PATHS: Field = Field::new(18, 1);
/// `Indexes` (Vector256).
pub const INDEXES: Field = Field::new(19, 1);
/// `Hashes` (Vector256).
pub const HASHES: Field = Field::new(19, 2);
/// `Amendments` (Vector256).
pub const AMENDMENTS: Field = Field::new(19, 3);
/// `NFTokenOffers` (Vector256).
pub const NF_TOKEN_OFFERS: Field = Field::new(19, 4);
/// `CredentialIDs` (Vector256).
pub const CREDENTIAL_I_DS: Field = Field::new(19, 5);
/// `MPTokenIssuanceID` (Hash192).
pub const MP_TOKEN_ISSUANCE_ID: Field = Field::new(21, 1);
/// `ShareMPTID` (Hash192).
pub const SHARE_MPTID: Field = Field::new(21, 2);
/// `TakerPaysMPT` (Hash192).
pub const TAKER_PAYS_MPT: Field = Field::new(21, 3);
/// `TakerGetsMPT` (Hash192).
pub const TAKER_GETS_MPT: Field = Field::new(21, 4);
/// `LockingChainIssue` (Issue).
pub const LOCKING_CHAIN_ISSUE: Field = Field::new(24, 1);
/// `IssuingChainIssue` (Issue).
pub const ISSUING_CHAIN_ISSUE: Field = Field::new(24, 2);
/// `Asset` (Issue).
pub const ASSET: Field = Field::new(24, 3);
/// `Asset2` (Issue).
pub const ASSET2: Field = Field::new(24, 4);
/// `XChainBridge` (XChainBridge).
pub const X_CHAIN_BRIDGE: Field = Field::new(25, 1);
/// `BaseAsset` (Currency).
pub const BASE_ASSET: Field = Field::new(26, 1);
/// `QuoteAsset` (Currency).
pub const QUOTE_ASSET: Field = Field::new(26, 2);

/// Every constant with the field's name.
pub const ALL: &[(&str, Field)] = &[
    ("ObjectEndMarker", OBJECT_END_MARKER),
    ("ArrayEndMarker", ARRAY_END_MARKER),
    ("LedgerEntryType", LEDGER_ENTRY_TYPE),
    ("TransactionType", TRANSACTION_TYPE),
    ("SignerWeight", SIGNER_WEIGHT),
    ("TransferFee", TRANSFER_FEE),
    ("TradingFee", TRADING_FEE),
    ("DiscountedFee", DISCOUNTED_FEE),
    ("Version", VERSION),
    ("HookStateChangeCount", HOOK_STATE_CHANGE_COUNT),
    ("HookEmitCount", HOOK_EMIT_COUNT),
    ("HookExecutionIndex", HOOK_EXECUTION_INDEX),
    ("HookApiVersion", HOOK_API_VERSION),
    ("LedgerFixType", LEDGER_FIX_TYPE),
    ("ManagementFeeRate", MANAGEMENT_FEE_RATE),
    ("NetworkID", NETWORK_ID),
    ("Flags", FLAGS),
    ("SourceTag", SOURCE_TAG),
    ("Sequence", SEQUENCE),
    ("PreviousTxnLgrSeq", PREVIOUS_TXN_LGR_SEQ),
    ("LedgerSequence", LEDGER_SEQUENCE),
    ("CloseTime", CLOSE_TIME),
    ("ParentCloseTime", PARENT_CLOSE_TIME),
    ("SigningTime", SIGNING_TIME),
    ("Expiration", EXPIRATION),
    ("TransferRate", TRANSFER_RATE),
    ("WalletSize", WALLET_SIZE),
    ("OwnerCount", OWNER_COUNT),
    ("DestinationTag", DESTINATION_TAG),
    ("LastUpdateTime", LAST_UPDATE_TIME),
    ("HighQualityIn", HIGH_QUALITY_IN),
    ("HighQualityOut", HIGH_QUALITY_OUT),
    ("LowQualityIn", LOW_QUALITY_IN),
    ("LowQualityOut", LOW_QUALITY_OUT),
    ("QualityIn", QUALITY_IN),
    ("QualityOut", QUALITY_OUT),
    ("StampEscrow", STAMP_ESCROW),
    ("BondAmount", BOND_AMOUNT),
    ("LoadFee", LOAD_FEE),
    ("OfferSequence", OFFER_SEQUENCE),
    ("FirstLedgerSequence", FIRST_LEDGER_SEQUENCE),
    ("LastLedgerSequence", LAST_LEDGER_SEQUENCE),
    ("TransactionIndex", TRANSACTION_INDEX),
    ("OperationLimit", OPERATION_LIMIT),
    ("ReferenceFeeUnits", REFERENCE_FEE_UNITS),
    ("ReserveBase", RESERVE_BASE),
    ("ReserveIncrement", RESERVE_INCREMENT),
    ("SetFlag", SET_FLAG),
    ("ClearFlag", CLEAR_FLAG),
    ("SignerQuorum", SIGNER_QUORUM),
    ("CancelAfter", CANCEL_AFTER),
    ("FinishAfter", FINISH_AFTER),
    ("SignerListID", SIGNER_LIST_ID),
    ("SettleDelay", SETTLE_DELAY),
    ("TicketCount", TICKET_COUNT),
    ("TicketSequence", TICKET_SEQUENCE),
    ("NFTokenTaxon", NF_TOKEN_TAXON),
    ("MintedNFTokens", MINTED_NF_TOKENS),
    ("BurnedNFTokens", BURNED_NF_TOKENS),
    ("HookStateCount", HOOK_STATE_COUNT),
    ("EmitGeneration", EMIT_GENERATION),
    ("VoteWeight", VOTE_WEIGHT),
    ("FirstNFTokenSequence", FIRST_NF_TOKEN_SEQUENCE),
    ("OracleDocumentID", ORACLE_DOCUMENT_ID),
    ("PermissionValue", PERMISSION_VALUE),
    ("MutableFlags", MUTABLE_FLAGS),
    ("StartDate", START_DATE),
    ("PaymentInterval", PAYMENT_INTERVAL),
    ("GracePeriod", GRACE_PERIOD),
    ("PreviousPaymentDueDate", PREVIOUS_PAYMENT_DUE_DATE),
    ("NextPaymentDueDate", NEXT_PAYMENT_DUE_DATE),
    ("PaymentRemaining", PAYMENT_REMAINING),
    ("PaymentTotal", PAYMENT_TOTAL),
    ("LoanSequence", LOAN_SEQUENCE),
    ("CoverRateMinimum", COVER_RATE_MINIMUM),
    ("CoverRateLiquidation", COVER_RATE_LIQUIDATION),
    ("OverpaymentFee", OVERPAYMENT_FEE),
    ("InterestRate", INTEREST_RATE),
    ("LateInterestRate", LATE_INTEREST_RATE),
    ("CloseInterestRate", CLOSE_INTEREST_RATE),
    ("OverpaymentInterestRate", OVERPAYMENT_INTEREST_RATE),
    ("ConfidentialBalanceVersion", CONFIDENTIAL_BALANCE_VERSION),
    ("IndexNext", INDEX_NEXT),
    ("IndexPrevious", INDEX_PREVIOUS),
    ("BookNode", BOOK_NODE),
    ("OwnerNode", OWNER_NODE),
    ("BaseFee", BASE_FEE),
    ("ExchangeRate", EXCHANGE_RATE),
    ("LowNode", LOW_NODE),
    ("HighNode", HIGH_NODE),
    ("DestinationNode", DESTINATION_NODE),
    ("Cookie", COOKIE),
    ("ServerVersion", SERVER_VERSION),
    ("NFTokenOfferNode", NF_TOKEN_OFFER_NODE),
    ("EmitBurden", EMIT_BURDEN),
    ("HookOn", HOOK_ON),
    ("HookInstructionCount", HOOK_INSTRUCTION_COUNT),
    ("HookReturnCode", HOOK_RETURN_CODE),
    ("ReferenceCount", REFERENCE_COUNT),
    ("XChainClaimID", X_CHAIN_CLAIM_ID),
    ("XChainAccountCreateCount", X_CHAIN_ACCOUNT_CREATE_COUNT),
    ("XChainAccountClaimCount", X_CHAIN_ACCOUNT_CLAIM_COUNT),
    ("AssetPrice", ASSET_PRICE),
    ("MaximumAmount", MAXIMUM_AMOUNT),
    ("OutstandingAmount", OUTSTANDING_AMOUNT),
    ("MPTAmount", MPT_AMOUNT),
    ("IssuerNode", ISSUER_NODE),
    ("SubjectNode", SUBJECT_NODE),
    ("LockedAmount", LOCKED_AMOUNT),
    ("VaultNode", VAULT_NODE),
    ("LoanBrokerNode", LOAN_BROKER_NODE),
    ("ConfidentialOutstandingAmount", CONFIDENTIAL_OUTSTANDING_AMOUNT),
    ("EmailHash", EMAIL_HASH),
    ("LedgerHash", LEDGER_HASH),
    ("ParentHash", PARENT_HASH),
    ("TransactionHash", TRANSACTION_HASH),
    ("AccountHash", ACCOUNT_HASH),
    ("PreviousTxnID", PREVIOUS_TXN_ID),
    ("LedgerIndex", LEDGER_INDEX),
    ("WalletLocator", WALLET_LOCATOR),
    ("RootIndex", ROOT_INDEX),
    ("AccountTxnID", ACCOUNT_TXN_ID),
    ("NFTokenID", NF_TOKEN_ID),
    ("EmitParentTxnID", EMIT_PARENT_TXN_ID),
    ("EmitNonce", EMIT_NONCE),
    ("EmitHookHash", EMIT_HOOK_HASH),
    ("AMMID", AMMID),
    ("BookDirectory", BOOK_DIRECTORY),
    ("InvoiceID", INVOICE_ID),
    ("Nickname", NICKNAME),
    ("Amendment", AMENDMENT),
    ("Digest", DIGEST),
    ("Channel", CHANNEL),
    ("ConsensusHash", CONSENSUS_HASH),
    ("CheckID", CHECK_ID),
    ("ValidatedHash", VALIDATED_HASH),
    ("PreviousPageMin", PREVIOUS_PAGE_MIN),
    ("NextPageMin", NEXT_PAGE_MIN),
    ("NFTokenBuyOffer", NF_TOKEN_BUY_OFFER),
    ("NFTokenSellOffer", NF_TOKEN_SELL_OFFER),
    ("HookStateKey", HOOK_STATE_KEY),
    ("HookHash", HOOK_HASH),
    ("HookNamespace", HOOK_NAMESPACE),
    ("HookSetTxnID", HOOK_SET_TXN_ID),
    ("DomainID", DOMAIN_ID),
    ("VaultID", VAULT_ID),
    ("ParentBatchID", PARENT_BATCH_ID),
    ("LoanBrokerID", LOAN_BROKER_ID),
    ("LoanID", LOAN_ID),
    ("ReferenceHolding", REFERENCE_HOLDING),
    ("BlindingFactor", BLINDING_FACTOR),
    ("Amount", AMOUNT),
    ("Balance", BALANCE),
    ("LimitAmount", LIMIT_AMOUNT),
    ("TakerPays", TAKER_PAYS),
    ("TakerGets", TAKER_GETS),
    ("LowLimit", LOW_LIMIT),
    ("HighLimit", HIGH_LIMIT),
    ("Fee", FEE),
    ("SendMax", SEND_MAX),
    ("DeliverMin", DELIVER_MIN),
    ("Amount2", AMOUNT2),
    ("BidMin", BID_MIN),
    ("BidMax", BID_MAX),
    ("MinimumOffer", MINIMUM_OFFER),
    ("RippleEscrow", RIPPLE_ESCROW),
    ("DeliveredAmount", DELIVERED_AMOUNT),
    ("NFTokenBrokerFee", NF_TOKEN_BROKER_FEE),
    ("BaseFeeDrops", BASE_FEE_DROPS),
    ("ReserveBaseDrops", RESERVE_BASE_DROPS),
    ("ReserveIncrementDrops", RESERVE_INCREMENT_DROPS),
    ("LPTokenOut", LP_TOKEN_OUT),
    ("LPTokenIn", LP_TOKEN_IN),
    ("EPrice", E_PRICE),
    ("Price", PRICE),
    ("SignatureReward", SIGNATURE_REWARD),
    ("MinAccountCreateAmount", MIN_ACCOUNT_CREATE_AMOUNT),
    ("LPTokenBalance", LP_TOKEN_BALANCE),
    ("PublicKey", PUBLIC_KEY),
    ("MessageKey", MESSAGE_KEY),
    ("SigningPubKey", SIGNING_PUB_KEY),
    ("TxnSignature", TXN_SIGNATURE),
    ("URI", URI),
    ("Signature", SIGNATURE),
    ("Domain", DOMAIN),
    ("FundCode", FUND_CODE),
    ("RemoveCode", REMOVE_CODE),
    ("ExpireCode", EXPIRE_CODE),
    ("CreateCode", CREATE_CODE),
    ("MemoType", MEMO_TYPE),
    ("MemoData", MEMO_DATA),
    ("MemoFormat", MEMO_FORMAT),
    ("Fulfillment", FULFILLMENT),
    ("Condition", CONDITION),
    ("MasterSignature", MASTER_SIGNATURE),
    ("UNLModifyValidator", UNL_MODIFY_VALIDATOR),
    ("ValidatorToDisable", VALIDATOR_TO_DISABLE),
    ("ValidatorToReEnable", VALIDATOR_TO_RE_ENABLE),
    ("HookStateData", HOOK_STATE_DATA),
    ("HookReturnString", HOOK_RETURN_STRING),
    ("HookParameterName", HOOK_PARAMETER_NAME),
    ("HookParameterValue", HOOK_PARAMETER_VALUE),
    ("DIDDocument", DID_DOCUMENT),
    ("Data", DATA),
    ("AssetClass", ASSET_CLASS),
    ("Provider", PROVIDER),
    ("MPTokenMetadata", MP_TOKEN_METADATA),
    ("CredentialType", CREDENTIAL_TYPE),
    ("ConfidentialBalanceInbox", CONFIDENTIAL_BALANCE_INBOX),
    ("ConfidentialBalanceSpending", CONFIDENTIAL_BALANCE_SPENDING),
    ("IssuerEncryptedBalance", ISSUER_ENCRYPTED_BALANCE),
    ("IssuerEncryptionKey", ISSUER_ENCRYPTION_KEY),
    ("HolderEncryptionKey", HOLDER_ENCRYPTION_KEY),
    ("ZKProof", ZK_PROOF),
    ("HolderEncryptedAmount", HOLDER_ENCRYPTED_AMOUNT),
    ("IssuerEncryptedAmount", ISSUER_ENCRYPTED_AMOUNT),
    ("SenderEncryptedAmount", SENDER_ENCRYPTED_AMOUNT),
    ("DestinationEncryptedAmount", DESTINATION_ENCRYPTED_AMOUNT),
    ("AuditorEncryptedBalance", AUDITOR_ENCRYPTED_BALANCE),
    ("AuditorEncryptedAmount", AUDITOR_ENCRYPTED_AMOUNT),
    ("AuditorEncryptionKey", AUDITOR_ENCRYPTION_KEY),
    ("AmountCommitment", AMOUNT_COMMITMENT),
    ("BalanceCommitment", BALANCE_COMMITMENT),
    ("Account", ACCOUNT),
    ("Owner", OWNER),
    ("Destination", DESTINATION),
    ("Issuer", ISSUER),
    ("Authorize", AUTHORIZE),
    ("Unauthorize", UNAUTHORIZE),
    ("RegularKey", REGULAR_KEY),
    ("NFTokenMinter", NF_TOKEN_MINTER),
    ("EmitCallback", EMIT_CALLBACK),
    ("Holder", HOLDER),
    ("Delegate", DELEGATE),
    ("HookAccount", HOOK_ACCOUNT),
    ("OtherChainSource", OTHER_CHAIN_SOURCE),
    ("OtherChainDestination", OTHER_CHAIN_DESTINATION),
    ("AttestationSignerAccount", ATTESTATION_SIGNER_ACCOUNT),
    ("AttestationRewardAccount", ATTESTATION_REWARD_ACCOUNT),
    ("LockingChainDoor", LOCKING_CHAIN_DOOR),
    ("IssuingChainDoor", ISSUING_CHAIN_DOOR),
    ("Subject", SUBJECT),
    ("Borrower", BORROWER),
    ("Counterparty", COUNTERPARTY),
    ("Number", NUMBER),
    ("AssetsAvailable", ASSETS_AVAILABLE),
    ("AssetsMaximum", ASSETS_MAXIMUM),
    ("AssetsTotal", ASSETS_TOTAL),
    ("LossUnrealized", LOSS_UNREALIZED),
    ("DebtTotal", DEBT_TOTAL),
    ("DebtMaximum", DEBT_MAXIMUM),
    ("CoverAvailable", COVER_AVAILABLE),
    ("LoanOriginationFee", LOAN_ORIGINATION_FEE),
    ("LoanServiceFee", LOAN_SERVICE_FEE),
    ("LatePaymentFee", LATE_PAYMENT_FEE),
    ("ClosePaymentFee", CLOSE_PAYMENT_FEE),
    ("PrincipalOutstanding", PRINCIPAL_OUTSTANDING),
    ("PrincipalRequested", PRINCIPAL_REQUESTED),
    ("TotalValueOutstanding", TOTAL_VALUE_OUTSTANDING),
    ("PeriodicPayment", PERIODIC_PAYMENT),
    ("ManagementFeeOutstanding", MANAGEMENT_FEE_OUTSTANDING),
    ("LoanScale", LOAN_SCALE),
    ("TransactionMetaData", TRANSACTION_META_DATA),
    ("CreatedNode", CREATED_NODE),
    ("DeletedNode", DELETED_NODE),
    ("ModifiedNode", MODIFIED_NODE),
    ("PreviousFields", PREVIOUS_FIELDS),
    ("FinalFields", FINAL_FIELDS),
    ("NewFields", NEW_FIELDS),
    ("TemplateEntry", TEMPLATE_ENTRY),
    ("Memo", MEMO),
    ("SignerEntry", SIGNER_ENTRY),
    ("NFToken", NF_TOKEN),
    ("EmitDetails", EMIT_DETAILS),
    ("Hook", HOOK),
    ("Permission", PERMISSION),
    ("Signer", SIGNER),
    ("Majority", MAJORITY),
    ("DisabledValidator", DISABLED_VALIDATOR),
    ("EmittedTxn", EMITTED_TXN),
    ("HookExecution", HOOK_EXECUTION),
    ("HookDefinition", HOOK_DEFINITION),
    ("HookParameter", HOOK_PARAMETER),
    ("HookGrant", HOOK_GRANT),
    ("VoteEntry", VOTE_ENTRY),
    ("AuctionSlot", AUCTION_SLOT),
    ("AuthAccount", AUTH_ACCOUNT),
    ("XChainClaimProofSig", X_CHAIN_CLAIM_PROOF_SIG),
    ("XChainCreateAccountProofSig", X_CHAIN_CREATE_ACCOUNT_PROOF_SIG),
    ("XChainClaimAttestationCollectionElement", X_CHAIN_CLAIM_ATTESTATION_COLLECTION_ELEMENT),
    (
        "XChainCreateAccountAttestationCollectionElement",
        X_CHAIN_CREATE_ACCOUNT_ATTESTATION_COLLECTION_ELEMENT,
    ),
    ("PriceData", PRICE_DATA),
    ("Credential", CREDENTIAL),
    ("RawTransaction", RAW_TRANSACTION),
    ("BatchSigner", BATCH_SIGNER),
    ("Book", BOOK),
    ("CounterpartySignature", COUNTERPARTY_SIGNATURE),
    ("Signers", SIGNERS),
    ("SignerEntries", SIGNER_ENTRIES),
    ("Template", TEMPLATE),
    ("Necessary", NECESSARY),
    ("Sufficient", SUFFICIENT),
    ("AffectedNodes", AFFECTED_NODES),
    ("Memos", MEMOS),
    ("NFTokens", NF_TOKENS),
    ("Hooks", HOOKS),
    ("VoteSlots", VOTE_SLOTS),
    ("AdditionalBooks", ADDITIONAL_BOOKS),
    ("Majorities", MAJORITIES),
    ("DisabledValidators", DISABLED_VALIDATORS),
    ("HookExecutions", HOOK_EXECUTIONS),
    ("HookParameters", HOOK_PARAMETERS),
    ("HookGrants", HOOK_GRANTS),
    ("XChainClaimAttestations", X_CHAIN_CLAIM_ATTESTATIONS),
    ("XChainCreateAccountAttestations", X_CHAIN_CREATE_ACCOUNT_ATTESTATIONS),
    ("PriceDataSeries", PRICE_DATA_SERIES),
    ("AuthAccounts", AUTH_ACCOUNTS),
    ("AuthorizeCredentials", AUTHORIZE_CREDENTIALS),
    ("UnauthorizeCredentials", UNAUTHORIZE_CREDENTIALS),
    ("AcceptedCredentials", ACCEPTED_CREDENTIALS),
    ("Permissions", PERMISSIONS),
    ("RawTransactions", RAW_TRANSACTIONS),
    ("BatchSigners", BATCH_SIGNERS),
    ("CloseResolution", CLOSE_RESOLUTION),
    ("Method", METHOD),
    ("TransactionResult", TRANSACTION_RESULT),
    ("Scale", SCALE),
    ("AssetScale", ASSET_SCALE),
    ("TickSize", TICK_SIZE),
    ("UNLModifyDisabling", UNL_MODIFY_DISABLING),
    ("HookResult", HOOK_RESULT),
    ("WasLockingChainSend", WAS_LOCKING_CHAIN_SEND),
    ("WithdrawalPolicy", WITHDRAWAL_POLICY),
    ("TakerPaysCurrency", TAKER_PAYS_CURRENCY),
    ("TakerPaysIssuer", TAKER_PAYS_ISSUER),
    ("TakerGetsCurrency", TAKER_GETS_CURRENCY),
    ("TakerGetsIssuer", TAKER_GETS_ISSUER),
    ("Paths", PATHS),
    ("Indexes", INDEXES),
    ("Hashes", HASHES),
    ("Amendments", AMENDMENTS),
    ("NFTokenOffers", NF_TOKEN_OFFERS),
    ("CredentialIDs", CREDENTIAL_I_DS),
    ("MPTokenIssuanceID", MP_TOKEN_ISSUANCE_ID),
    ("ShareMPTID", SHARE_MPTID),
    ("TakerPaysMPT", TAKER_PAYS_MPT),
    ("TakerGetsMPT", TAKER_GETS_MPT),
    ("LockingChainIssue", LOCKING_CHAIN_ISSUE),
    ("IssuingChainIssue", ISSUING_CHAIN_ISSUE),
    ("Asset", ASSET),
    ("Asset2", ASSET2),
    ("XChainBridge", X_CHAIN_BRIDGE),
    ("BaseAsset", BASE_ASSET),
    ("QuoteAsset", QUOTE_ASSET),
];
