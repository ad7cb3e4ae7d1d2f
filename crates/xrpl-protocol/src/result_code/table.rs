//! Every engine result of the built-in definitions: name, code and xrpld's message.

use super::EngineResult;

impl EngineResult {
    /// `telLOCAL_ERROR`
    pub const TEL_LOCAL_ERROR: Self = Self(-399);
    /// `telBAD_DOMAIN`
    pub const TEL_BAD_DOMAIN: Self = Self(-398);
    /// `telBAD_PATH_COUNT`
    pub const TEL_BAD_PATH_COUNT: Self = Self(-397);
    /// `telBAD_PUBLIC_KEY`
    pub const TEL_BAD_PUBLIC_KEY: Self = Self(-396);
    /// `telFAILED_PROCESSING`
    pub const TEL_FAILED_PROCESSING: Self = Self(-395);
    /// `telINSUF_FEE_P`
    pub const TEL_INSUF_FEE_P: Self = Self(-394);
    /// `telNO_DST_PARTIAL`
    pub const TEL_NO_DST_PARTIAL: Self = Self(-393);
    /// `telCAN_NOT_QUEUE`
    pub const TEL_CAN_NOT_QUEUE: Self = Self(-392);
    /// `telCAN_NOT_QUEUE_BALANCE`
    pub const TEL_CAN_NOT_QUEUE_BALANCE: Self = Self(-391);
    /// `telCAN_NOT_QUEUE_BLOCKS`
    pub const TEL_CAN_NOT_QUEUE_BLOCKS: Self = Self(-390);
    /// `telCAN_NOT_QUEUE_BLOCKED`
    pub const TEL_CAN_NOT_QUEUE_BLOCKED: Self = Self(-389);
    /// `telCAN_NOT_QUEUE_FEE`
    pub const TEL_CAN_NOT_QUEUE_FEE: Self = Self(-388);
    /// `telCAN_NOT_QUEUE_FULL`
    pub const TEL_CAN_NOT_QUEUE_FULL: Self = Self(-387);
    /// `telWRONG_NETWORK`
    pub const TEL_WRONG_NETWORK: Self = Self(-386);
    /// `telREQUIRES_NETWORK_ID`
    pub const TEL_REQUIRES_NETWORK_ID: Self = Self(-385);
    /// `telNETWORK_ID_MAKES_TX_NON_CANONICAL`
    pub const TEL_NETWORK_ID_MAKES_TX_NON_CANONICAL: Self = Self(-384);
    /// `telENV_RPC_FAILED`
    pub const TEL_ENV_RPC_FAILED: Self = Self(-383);
    /// `temMALFORMED`
    pub const TEM_MALFORMED: Self = Self(-299);
    /// `temBAD_AMOUNT`
    pub const TEM_BAD_AMOUNT: Self = Self(-298);
    /// `temBAD_CURRENCY`
    pub const TEM_BAD_CURRENCY: Self = Self(-297);
    /// `temBAD_EXPIRATION`
    pub const TEM_BAD_EXPIRATION: Self = Self(-296);
    /// `temBAD_FEE`
    pub const TEM_BAD_FEE: Self = Self(-295);
    /// `temBAD_ISSUER`
    pub const TEM_BAD_ISSUER: Self = Self(-294);
    /// `temBAD_LIMIT`
    pub const TEM_BAD_LIMIT: Self = Self(-293);
    /// `temBAD_OFFER`
    pub const TEM_BAD_OFFER: Self = Self(-292);
    /// `temBAD_PATH`
    pub const TEM_BAD_PATH: Self = Self(-291);
    /// `temBAD_PATH_LOOP`
    pub const TEM_BAD_PATH_LOOP: Self = Self(-290);
    /// `temBAD_REGKEY`
    pub const TEM_BAD_REGKEY: Self = Self(-289);
    /// `temBAD_SEND_XRP_LIMIT`
    pub const TEM_BAD_SEND_XRP_LIMIT: Self = Self(-288);
    /// `temBAD_SEND_XRP_MAX`
    pub const TEM_BAD_SEND_XRP_MAX: Self = Self(-287);
    /// `temBAD_SEND_XRP_NO_DIRECT`
    pub const TEM_BAD_SEND_XRP_NO_DIRECT: Self = Self(-286);
    /// `temBAD_SEND_XRP_PARTIAL`
    pub const TEM_BAD_SEND_XRP_PARTIAL: Self = Self(-285);
    /// `temBAD_SEND_XRP_PATHS`
    pub const TEM_BAD_SEND_XRP_PATHS: Self = Self(-284);
    /// `temBAD_SEQUENCE`
    pub const TEM_BAD_SEQUENCE: Self = Self(-283);
    /// `temBAD_SIGNATURE`
    pub const TEM_BAD_SIGNATURE: Self = Self(-282);
    /// `temBAD_SRC_ACCOUNT`
    pub const TEM_BAD_SRC_ACCOUNT: Self = Self(-281);
    /// `temBAD_TRANSFER_RATE`
    pub const TEM_BAD_TRANSFER_RATE: Self = Self(-280);
    /// `temDST_IS_SRC`
    pub const TEM_DST_IS_SRC: Self = Self(-279);
    /// `temDST_NEEDED`
    pub const TEM_DST_NEEDED: Self = Self(-278);
    /// `temINVALID`
    pub const TEM_INVALID: Self = Self(-277);
    /// `temINVALID_FLAG`
    pub const TEM_INVALID_FLAG: Self = Self(-276);
    /// `temREDUNDANT`
    pub const TEM_REDUNDANT: Self = Self(-275);
    /// `temRIPPLE_EMPTY`
    pub const TEM_RIPPLE_EMPTY: Self = Self(-274);
    /// `temDISABLED`
    pub const TEM_DISABLED: Self = Self(-273);
    /// `temBAD_SIGNER`
    pub const TEM_BAD_SIGNER: Self = Self(-272);
    /// `temBAD_QUORUM`
    pub const TEM_BAD_QUORUM: Self = Self(-271);
    /// `temBAD_WEIGHT`
    pub const TEM_BAD_WEIGHT: Self = Self(-270);
    /// `temBAD_TICK_SIZE`
    pub const TEM_BAD_TICK_SIZE: Self = Self(-269);
    /// `temINVALID_ACCOUNT_ID`
    pub const TEM_INVALID_ACCOUNT_ID: Self = Self(-268);
    /// `temCANNOT_PREAUTH_SELF`
    pub const TEM_CANNOT_PREAUTH_SELF: Self = Self(-267);
    /// `temINVALID_COUNT`
    pub const TEM_INVALID_COUNT: Self = Self(-266);
    /// `temUNCERTAIN`
    pub const TEM_UNCERTAIN: Self = Self(-265);
    /// `temUNKNOWN`
    pub const TEM_UNKNOWN: Self = Self(-264);
    /// `temSEQ_AND_TICKET`
    pub const TEM_SEQ_AND_TICKET: Self = Self(-263);
    /// `temBAD_NFTOKEN_TRANSFER_FEE`
    pub const TEM_BAD_NFTOKEN_TRANSFER_FEE: Self = Self(-262);
    /// `temBAD_AMM_TOKENS`
    pub const TEM_BAD_AMM_TOKENS: Self = Self(-261);
    /// `temXCHAIN_EQUAL_DOOR_ACCOUNTS`
    pub const TEM_XCHAIN_EQUAL_DOOR_ACCOUNTS: Self = Self(-260);
    /// `temXCHAIN_BAD_PROOF`
    pub const TEM_XCHAIN_BAD_PROOF: Self = Self(-259);
    /// `temXCHAIN_BRIDGE_BAD_ISSUES`
    pub const TEM_XCHAIN_BRIDGE_BAD_ISSUES: Self = Self(-258);
    /// `temXCHAIN_BRIDGE_NONDOOR_OWNER`
    pub const TEM_XCHAIN_BRIDGE_NONDOOR_OWNER: Self = Self(-257);
    /// `temXCHAIN_BRIDGE_BAD_MIN_ACCOUNT_CREATE_AMOUNT`
    pub const TEM_XCHAIN_BRIDGE_BAD_MIN_ACCOUNT_CREATE_AMOUNT: Self = Self(-256);
    /// `temXCHAIN_BRIDGE_BAD_REWARD_AMOUNT`
    pub const TEM_XCHAIN_BRIDGE_BAD_REWARD_AMOUNT: Self = Self(-255);
    /// `temEMPTY_DID`
    pub const TEM_EMPTY_DID: Self = Self(-254);
    /// `temARRAY_EMPTY`
    pub const TEM_ARRAY_EMPTY: Self = Self(-253);
    /// `temARRAY_TOO_LARGE`
    pub const TEM_ARRAY_TOO_LARGE: Self = Self(-252);
    /// `temBAD_TRANSFER_FEE`
    pub const TEM_BAD_TRANSFER_FEE: Self = Self(-251);
    /// `temINVALID_INNER_BATCH`
    pub const TEM_INVALID_INNER_BATCH: Self = Self(-250);
    /// `temBAD_MPT`
    pub const TEM_BAD_MPT: Self = Self(-249);
    /// `temBAD_CIPHERTEXT`
    pub const TEM_BAD_CIPHERTEXT: Self = Self(-248);
    /// `tefFAILURE`
    pub const TEF_FAILURE: Self = Self(-199);
    /// `tefALREADY`
    pub const TEF_ALREADY: Self = Self(-198);
    /// `tefBAD_ADD_AUTH`
    pub const TEF_BAD_ADD_AUTH: Self = Self(-197);
    /// `tefBAD_AUTH`
    pub const TEF_BAD_AUTH: Self = Self(-196);
    /// `tefBAD_LEDGER`
    pub const TEF_BAD_LEDGER: Self = Self(-195);
    /// `tefCREATED`
    pub const TEF_CREATED: Self = Self(-194);
    /// `tefEXCEPTION`
    pub const TEF_EXCEPTION: Self = Self(-193);
    /// `tefINTERNAL`
    pub const TEF_INTERNAL: Self = Self(-192);
    /// `tefNO_AUTH_REQUIRED`
    pub const TEF_NO_AUTH_REQUIRED: Self = Self(-191);
    /// `tefPAST_SEQ`
    pub const TEF_PAST_SEQ: Self = Self(-190);
    /// `tefWRONG_PRIOR`
    pub const TEF_WRONG_PRIOR: Self = Self(-189);
    /// `tefMASTER_DISABLED`
    pub const TEF_MASTER_DISABLED: Self = Self(-188);
    /// `tefMAX_LEDGER`
    pub const TEF_MAX_LEDGER: Self = Self(-187);
    /// `tefBAD_SIGNATURE`
    pub const TEF_BAD_SIGNATURE: Self = Self(-186);
    /// `tefBAD_QUORUM`
    pub const TEF_BAD_QUORUM: Self = Self(-185);
    /// `tefNOT_MULTI_SIGNING`
    pub const TEF_NOT_MULTI_SIGNING: Self = Self(-184);
    /// `tefBAD_AUTH_MASTER`
    pub const TEF_BAD_AUTH_MASTER: Self = Self(-183);
    /// `tefINVARIANT_FAILED`
    pub const TEF_INVARIANT_FAILED: Self = Self(-182);
    /// `tefTOO_BIG`
    pub const TEF_TOO_BIG: Self = Self(-181);
    /// `tefNO_TICKET`
    pub const TEF_NO_TICKET: Self = Self(-180);
    /// `tefNFTOKEN_IS_NOT_TRANSFERABLE`
    pub const TEF_NFTOKEN_IS_NOT_TRANSFERABLE: Self = Self(-179);
    /// `tefINVALID_LEDGER_FIX_TYPE`
    pub const TEF_INVALID_LEDGER_FIX_TYPE: Self = Self(-178);
    /// `tefNO_DST_PARTIAL`
    pub const TEF_NO_DST_PARTIAL: Self = Self(-177);
    /// `tefBAD_PATH_COUNT`
    pub const TEF_BAD_PATH_COUNT: Self = Self(-176);
    /// `terRETRY`
    pub const TER_RETRY: Self = Self(-99);
    /// `terFUNDS_SPENT`
    pub const TER_FUNDS_SPENT: Self = Self(-98);
    /// `terINSUF_FEE_B`
    pub const TER_INSUF_FEE_B: Self = Self(-97);
    /// `terNO_ACCOUNT`
    pub const TER_NO_ACCOUNT: Self = Self(-96);
    /// `terNO_AUTH`
    pub const TER_NO_AUTH: Self = Self(-95);
    /// `terNO_LINE`
    pub const TER_NO_LINE: Self = Self(-94);
    /// `terOWNERS`
    pub const TER_OWNERS: Self = Self(-93);
    /// `terPRE_SEQ`
    pub const TER_PRE_SEQ: Self = Self(-92);
    /// `terLAST`
    pub const TER_LAST: Self = Self(-91);
    /// `terNO_RIPPLE`
    pub const TER_NO_RIPPLE: Self = Self(-90);
    /// `terQUEUED`
    pub const TER_QUEUED: Self = Self(-89);
    /// `terPRE_TICKET`
    pub const TER_PRE_TICKET: Self = Self(-88);
    /// `terNO_AMM`
    pub const TER_NO_AMM: Self = Self(-87);
    /// `terADDRESS_COLLISION`
    pub const TER_ADDRESS_COLLISION: Self = Self(-86);
    /// `terNO_DELEGATE_PERMISSION`
    pub const TER_NO_DELEGATE_PERMISSION: Self = Self(-85);
    /// `terLOCKED`
    pub const TER_LOCKED: Self = Self(-84);
    /// `tesSUCCESS`
    pub const TES_SUCCESS: Self = Self(0);
    /// `tecCLAIM`
    pub const TEC_CLAIM: Self = Self(100);
    /// `tecPATH_PARTIAL`
    pub const TEC_PATH_PARTIAL: Self = Self(101);
    /// `tecUNFUNDED_ADD`
    pub const TEC_UNFUNDED_ADD: Self = Self(102);
    /// `tecUNFUNDED_OFFER`
    pub const TEC_UNFUNDED_OFFER: Self = Self(103);
    /// `tecUNFUNDED_PAYMENT`
    pub const TEC_UNFUNDED_PAYMENT: Self = Self(104);
    /// `tecFAILED_PROCESSING`
    pub const TEC_FAILED_PROCESSING: Self = Self(105);
    /// `tecDIR_FULL`
    pub const TEC_DIR_FULL: Self = Self(121);
    /// `tecINSUF_RESERVE_LINE`
    pub const TEC_INSUF_RESERVE_LINE: Self = Self(122);
    /// `tecINSUF_RESERVE_OFFER`
    pub const TEC_INSUF_RESERVE_OFFER: Self = Self(123);
    /// `tecNO_DST`
    pub const TEC_NO_DST: Self = Self(124);
    /// `tecNO_DST_INSUF_XRP`
    pub const TEC_NO_DST_INSUF_XRP: Self = Self(125);
    /// `tecNO_LINE_INSUF_RESERVE`
    pub const TEC_NO_LINE_INSUF_RESERVE: Self = Self(126);
    /// `tecNO_LINE_REDUNDANT`
    pub const TEC_NO_LINE_REDUNDANT: Self = Self(127);
    /// `tecPATH_DRY`
    pub const TEC_PATH_DRY: Self = Self(128);
    /// `tecUNFUNDED`
    pub const TEC_UNFUNDED: Self = Self(129);
    /// `tecNO_ALTERNATIVE_KEY`
    pub const TEC_NO_ALTERNATIVE_KEY: Self = Self(130);
    /// `tecNO_REGULAR_KEY`
    pub const TEC_NO_REGULAR_KEY: Self = Self(131);
    /// `tecOWNERS`
    pub const TEC_OWNERS: Self = Self(132);
    /// `tecNO_ISSUER`
    pub const TEC_NO_ISSUER: Self = Self(133);
    /// `tecNO_AUTH`
    pub const TEC_NO_AUTH: Self = Self(134);
    /// `tecNO_LINE`
    pub const TEC_NO_LINE: Self = Self(135);
    /// `tecINSUFF_FEE`
    pub const TEC_INSUFF_FEE: Self = Self(136);
    /// `tecFROZEN`
    pub const TEC_FROZEN: Self = Self(137);
    /// `tecNO_TARGET`
    pub const TEC_NO_TARGET: Self = Self(138);
    /// `tecNO_PERMISSION`
    pub const TEC_NO_PERMISSION: Self = Self(139);
    /// `tecNO_ENTRY`
    pub const TEC_NO_ENTRY: Self = Self(140);
    /// `tecINSUFFICIENT_RESERVE`
    pub const TEC_INSUFFICIENT_RESERVE: Self = Self(141);
    /// `tecNEED_MASTER_KEY`
    pub const TEC_NEED_MASTER_KEY: Self = Self(142);
    /// `tecDST_TAG_NEEDED`
    pub const TEC_DST_TAG_NEEDED: Self = Self(143);
    /// `tecINTERNAL`
    pub const TEC_INTERNAL: Self = Self(144);
    /// `tecOVERSIZE`
    pub const TEC_OVERSIZE: Self = Self(145);
    /// `tecCRYPTOCONDITION_ERROR`
    pub const TEC_CRYPTOCONDITION_ERROR: Self = Self(146);
    /// `tecINVARIANT_FAILED`
    pub const TEC_INVARIANT_FAILED: Self = Self(147);
    /// `tecEXPIRED`
    pub const TEC_EXPIRED: Self = Self(148);
    /// `tecDUPLICATE`
    pub const TEC_DUPLICATE: Self = Self(149);
    /// `tecKILLED`
    pub const TEC_KILLED: Self = Self(150);
    /// `tecHAS_OBLIGATIONS`
    pub const TEC_HAS_OBLIGATIONS: Self = Self(151);
    /// `tecTOO_SOON`
    pub const TEC_TOO_SOON: Self = Self(152);
    /// `tecMAX_SEQUENCE_REACHED`
    pub const TEC_MAX_SEQUENCE_REACHED: Self = Self(154);
    /// `tecNO_SUITABLE_NFTOKEN_PAGE`
    pub const TEC_NO_SUITABLE_NFTOKEN_PAGE: Self = Self(155);
    /// `tecNFTOKEN_BUY_SELL_MISMATCH`
    pub const TEC_NFTOKEN_BUY_SELL_MISMATCH: Self = Self(156);
    /// `tecNFTOKEN_OFFER_TYPE_MISMATCH`
    pub const TEC_NFTOKEN_OFFER_TYPE_MISMATCH: Self = Self(157);
    /// `tecCANT_ACCEPT_OWN_NFTOKEN_OFFER`
    pub const TEC_CANT_ACCEPT_OWN_NFTOKEN_OFFER: Self = Self(158);
    /// `tecINSUFFICIENT_FUNDS`
    pub const TEC_INSUFFICIENT_FUNDS: Self = Self(159);
    /// `tecOBJECT_NOT_FOUND`
    pub const TEC_OBJECT_NOT_FOUND: Self = Self(160);
    /// `tecINSUFFICIENT_PAYMENT`
    pub const TEC_INSUFFICIENT_PAYMENT: Self = Self(161);
    /// `tecUNFUNDED_AMM`
    pub const TEC_UNFUNDED_AMM: Self = Self(162);
    /// `tecAMM_BALANCE`
    pub const TEC_AMM_BALANCE: Self = Self(163);
    /// `tecAMM_FAILED`
    pub const TEC_AMM_FAILED: Self = Self(164);
    /// `tecAMM_INVALID_TOKENS`
    pub const TEC_AMM_INVALID_TOKENS: Self = Self(165);
    /// `tecAMM_EMPTY`
    pub const TEC_AMM_EMPTY: Self = Self(166);
    /// `tecAMM_NOT_EMPTY`
    pub const TEC_AMM_NOT_EMPTY: Self = Self(167);
    /// `tecAMM_ACCOUNT`
    pub const TEC_AMM_ACCOUNT: Self = Self(168);
    /// `tecINCOMPLETE`
    pub const TEC_INCOMPLETE: Self = Self(169);
    /// `tecXCHAIN_BAD_TRANSFER_ISSUE`
    pub const TEC_XCHAIN_BAD_TRANSFER_ISSUE: Self = Self(170);
    /// `tecXCHAIN_NO_CLAIM_ID`
    pub const TEC_XCHAIN_NO_CLAIM_ID: Self = Self(171);
    /// `tecXCHAIN_BAD_CLAIM_ID`
    pub const TEC_XCHAIN_BAD_CLAIM_ID: Self = Self(172);
    /// `tecXCHAIN_CLAIM_NO_QUORUM`
    pub const TEC_XCHAIN_CLAIM_NO_QUORUM: Self = Self(173);
    /// `tecXCHAIN_PROOF_UNKNOWN_KEY`
    pub const TEC_XCHAIN_PROOF_UNKNOWN_KEY: Self = Self(174);
    /// `tecXCHAIN_CREATE_ACCOUNT_NONXRP_ISSUE`
    pub const TEC_XCHAIN_CREATE_ACCOUNT_NONXRP_ISSUE: Self = Self(175);
    /// `tecXCHAIN_WRONG_CHAIN`
    pub const TEC_XCHAIN_WRONG_CHAIN: Self = Self(176);
    /// `tecXCHAIN_REWARD_MISMATCH`
    pub const TEC_XCHAIN_REWARD_MISMATCH: Self = Self(177);
    /// `tecXCHAIN_NO_SIGNERS_LIST`
    pub const TEC_XCHAIN_NO_SIGNERS_LIST: Self = Self(178);
    /// `tecXCHAIN_SENDING_ACCOUNT_MISMATCH`
    pub const TEC_XCHAIN_SENDING_ACCOUNT_MISMATCH: Self = Self(179);
    /// `tecXCHAIN_INSUFF_CREATE_AMOUNT`
    pub const TEC_XCHAIN_INSUFF_CREATE_AMOUNT: Self = Self(180);
    /// `tecXCHAIN_ACCOUNT_CREATE_PAST`
    pub const TEC_XCHAIN_ACCOUNT_CREATE_PAST: Self = Self(181);
    /// `tecXCHAIN_ACCOUNT_CREATE_TOO_MANY`
    pub const TEC_XCHAIN_ACCOUNT_CREATE_TOO_MANY: Self = Self(182);
    /// `tecXCHAIN_PAYMENT_FAILED`
    pub const TEC_XCHAIN_PAYMENT_FAILED: Self = Self(183);
    /// `tecXCHAIN_SELF_COMMIT`
    pub const TEC_XCHAIN_SELF_COMMIT: Self = Self(184);
    /// `tecXCHAIN_BAD_PUBLIC_KEY_ACCOUNT_PAIR`
    pub const TEC_XCHAIN_BAD_PUBLIC_KEY_ACCOUNT_PAIR: Self = Self(185);
    /// `tecXCHAIN_CREATE_ACCOUNT_DISABLED`
    pub const TEC_XCHAIN_CREATE_ACCOUNT_DISABLED: Self = Self(186);
    /// `tecEMPTY_DID`
    pub const TEC_EMPTY_DID: Self = Self(187);
    /// `tecINVALID_UPDATE_TIME`
    pub const TEC_INVALID_UPDATE_TIME: Self = Self(188);
    /// `tecTOKEN_PAIR_NOT_FOUND`
    pub const TEC_TOKEN_PAIR_NOT_FOUND: Self = Self(189);
    /// `tecARRAY_EMPTY`
    pub const TEC_ARRAY_EMPTY: Self = Self(190);
    /// `tecARRAY_TOO_LARGE`
    pub const TEC_ARRAY_TOO_LARGE: Self = Self(191);
    /// `tecLOCKED`
    pub const TEC_LOCKED: Self = Self(192);
    /// `tecBAD_CREDENTIALS`
    pub const TEC_BAD_CREDENTIALS: Self = Self(193);
    /// `tecWRONG_ASSET`
    pub const TEC_WRONG_ASSET: Self = Self(194);
    /// `tecLIMIT_EXCEEDED`
    pub const TEC_LIMIT_EXCEEDED: Self = Self(195);
    /// `tecPSEUDO_ACCOUNT`
    pub const TEC_PSEUDO_ACCOUNT: Self = Self(196);
    /// `tecPRECISION_LOSS`
    pub const TEC_PRECISION_LOSS: Self = Self(197);
    /// `tecBAD_PROOF`
    pub const TEC_BAD_PROOF: Self = Self(199);
}

/// Sorted by code.
pub(super) const TABLE: &[(i32, &str, &str)] = &[
    (-399, "telLOCAL_ERROR", "Local failure."),
    (-398, "telBAD_DOMAIN", "Domain too long."),
    (-397, "telBAD_PATH_COUNT", "Malformed: Too many paths."),
    (-396, "telBAD_PUBLIC_KEY", "Public key is not valid."),
    (-395, "telFAILED_PROCESSING", "Failed to correctly process transaction."),
    (-394, "telINSUF_FEE_P", "Fee insufficient."),
    (-393, "telNO_DST_PARTIAL", "Partial payment to create account not allowed."),
    (-392, "telCAN_NOT_QUEUE", "Can not queue at this time."),
    (
        -391,
        "telCAN_NOT_QUEUE_BALANCE",
        "Can not queue at this time: insufficient balance to pay all queued fees.",
    ),
    (
        -390,
        "telCAN_NOT_QUEUE_BLOCKS",
        "Can not queue at this time: would block later queued transaction(s).",
    ),
    (
        -389,
        "telCAN_NOT_QUEUE_BLOCKED",
        "Can not queue at this time: blocking transaction in queue.",
    ),
    (
        -388,
        "telCAN_NOT_QUEUE_FEE",
        "Can not queue at this time: fee insufficient to replace queued transaction.",
    ),
    (-387, "telCAN_NOT_QUEUE_FULL", "Can not queue at this time: queue is full."),
    (
        -386,
        "telWRONG_NETWORK",
        "Transaction specifies a Network ID that differs from that of the local node.",
    ),
    (
        -385,
        "telREQUIRES_NETWORK_ID",
        "Transactions submitted to this node/network must include a correct NetworkID field.",
    ),
    (
        -384,
        "telNETWORK_ID_MAKES_TX_NON_CANONICAL",
        "Transactions submitted to this node/network must NOT include a NetworkID field.",
    ),
    (-383, "telENV_RPC_FAILED", "Unit test RPC failure."),
    (-299, "temMALFORMED", "Malformed transaction."),
    (-298, "temBAD_AMOUNT", "Malformed: Bad amount."),
    (-297, "temBAD_CURRENCY", "Malformed: Bad currency."),
    (-296, "temBAD_EXPIRATION", "Malformed: Bad expiration."),
    (-295, "temBAD_FEE", "Invalid fee, negative or not XRP."),
    (-294, "temBAD_ISSUER", "Malformed: Bad issuer."),
    (-293, "temBAD_LIMIT", "Limits must be non-negative."),
    (-292, "temBAD_OFFER", "Malformed: Bad offer."),
    (-291, "temBAD_PATH", "Malformed: Bad path."),
    (-290, "temBAD_PATH_LOOP", "Malformed: Loop in path."),
    (-289, "temBAD_REGKEY", "Malformed: Regular key cannot be same as master key."),
    (-288, "temBAD_SEND_XRP_LIMIT", "Malformed: Limit quality is not allowed for XRP to XRP."),
    (-287, "temBAD_SEND_XRP_MAX", "Malformed: Send max is not allowed for XRP to XRP."),
    (
        -286,
        "temBAD_SEND_XRP_NO_DIRECT",
        "Malformed: No Ripple direct is not allowed for XRP to XRP.",
    ),
    (-285, "temBAD_SEND_XRP_PARTIAL", "Malformed: Partial payment is not allowed for XRP to XRP."),
    (-284, "temBAD_SEND_XRP_PATHS", "Malformed: Paths are not allowed for XRP to XRP."),
    (-283, "temBAD_SEQUENCE", "Malformed: Sequence is not in the past."),
    (-282, "temBAD_SIGNATURE", "Malformed: Bad signature."),
    (-281, "temBAD_SRC_ACCOUNT", "Malformed: Bad source account."),
    (-280, "temBAD_TRANSFER_RATE", "Malformed: Transfer rate must be >= 1.0 and <= 2.0"),
    (-279, "temDST_IS_SRC", "Destination may not be source."),
    (-278, "temDST_NEEDED", "Destination not specified."),
    (-277, "temINVALID", "The transaction is ill-formed."),
    (-276, "temINVALID_FLAG", "The transaction has an invalid flag."),
    (-275, "temREDUNDANT", "The transaction is redundant."),
    (-274, "temRIPPLE_EMPTY", "PathSet with no paths."),
    (-273, "temDISABLED", "The transaction requires logic that is currently disabled."),
    (-272, "temBAD_SIGNER", "Malformed: No signer may duplicate account or other signers."),
    (-271, "temBAD_QUORUM", "Malformed: Quorum is unreachable."),
    (-270, "temBAD_WEIGHT", "Malformed: Weight must be a positive value."),
    (-269, "temBAD_TICK_SIZE", "Malformed: Tick size out of range."),
    (-268, "temINVALID_ACCOUNT_ID", "Malformed: A field contains an invalid account ID."),
    (-267, "temCANNOT_PREAUTH_SELF", "Malformed: An account may not preauthorize itself."),
    (-266, "temINVALID_COUNT", "Malformed: Count field outside valid range."),
    (-265, "temUNCERTAIN", "In process of determining result. Never returned."),
    (-264, "temUNKNOWN", "The transaction requires logic that is not implemented yet."),
    (-263, "temSEQ_AND_TICKET", "Transaction contains a TicketSequence and a non-zero Sequence."),
    (
        -262,
        "temBAD_NFTOKEN_TRANSFER_FEE",
        "Malformed: The NFToken transfer fee must be between 1 and 5000, inclusive.",
    ),
    (-261, "temBAD_AMM_TOKENS", "Malformed: Invalid LPTokens."),
    (-260, "temXCHAIN_EQUAL_DOOR_ACCOUNTS", "Malformed: Bridge must have unique door accounts."),
    (-259, "temXCHAIN_BAD_PROOF", "Malformed: Bad cross-chain claim proof."),
    (-258, "temXCHAIN_BRIDGE_BAD_ISSUES", "Malformed: Bad bridge issues."),
    (
        -257,
        "temXCHAIN_BRIDGE_NONDOOR_OWNER",
        "Malformed: Bridge owner must be one of the door accounts.",
    ),
    (
        -256,
        "temXCHAIN_BRIDGE_BAD_MIN_ACCOUNT_CREATE_AMOUNT",
        "Malformed: Bad min account create amount.",
    ),
    (-255, "temXCHAIN_BRIDGE_BAD_REWARD_AMOUNT", "Malformed: Bad reward amount."),
    (-254, "temEMPTY_DID", "Malformed: No DID data provided."),
    (-253, "temARRAY_EMPTY", "Malformed: Array is empty."),
    (-252, "temARRAY_TOO_LARGE", "Malformed: Array is too large."),
    (-251, "temBAD_TRANSFER_FEE", "Malformed: Transfer fee is outside valid range."),
    (-250, "temINVALID_INNER_BATCH", "Malformed: Invalid inner batch transaction."),
    (-249, "temBAD_MPT", "No message is known for this result."),
    (-248, "temBAD_CIPHERTEXT", "Malformed: Invalid ciphertext."),
    (-199, "tefFAILURE", "Failed to apply."),
    (-198, "tefALREADY", "The exact transaction was already in this ledger."),
    (-197, "tefBAD_ADD_AUTH", "Not authorized to add account."),
    (-196, "tefBAD_AUTH", "Transaction's public key is not authorized."),
    (-195, "tefBAD_LEDGER", "Ledger in unexpected state."),
    (-194, "tefCREATED", "Can't add an already created account."),
    (-193, "tefEXCEPTION", "Unexpected program state."),
    (-192, "tefINTERNAL", "Internal error."),
    (-191, "tefNO_AUTH_REQUIRED", "Auth is not required."),
    (-190, "tefPAST_SEQ", "This sequence number has already passed."),
    (-189, "tefWRONG_PRIOR", "This previous transaction does not match."),
    (-188, "tefMASTER_DISABLED", "Master key is disabled."),
    (-187, "tefMAX_LEDGER", "Ledger sequence too high."),
    (-186, "tefBAD_SIGNATURE", "A signature is provided for a non-signer."),
    (-185, "tefBAD_QUORUM", "Signatures provided do not meet the quorum."),
    (-184, "tefNOT_MULTI_SIGNING", "Account has no appropriate list of multi-signers."),
    (-183, "tefBAD_AUTH_MASTER", "Auth for unclaimed account needs correct master key."),
    (-182, "tefINVARIANT_FAILED", "Fee claim violated invariants for the transaction."),
    (-181, "tefTOO_BIG", "Transaction affects too many items."),
    (-180, "tefNO_TICKET", "Ticket is not in ledger."),
    (-179, "tefNFTOKEN_IS_NOT_TRANSFERABLE", "The specified NFToken is not transferable."),
    (-178, "tefINVALID_LEDGER_FIX_TYPE", "The LedgerFixType field has an invalid value."),
    (-177, "tefNO_DST_PARTIAL", "Partial payment to create account not allowed."),
    (-176, "tefBAD_PATH_COUNT", "No message is known for this result."),
    (-99, "terRETRY", "Retry transaction."),
    (-98, "terFUNDS_SPENT", "DEPRECATED."),
    (-97, "terINSUF_FEE_B", "Account balance can't pay fee."),
    (-96, "terNO_ACCOUNT", "The source account does not exist."),
    (-95, "terNO_AUTH", "Not authorized to hold IOUs."),
    (-94, "terNO_LINE", "No such line."),
    (-93, "terOWNERS", "Non-zero owner count."),
    (-92, "terPRE_SEQ", "Missing/inapplicable prior transaction."),
    (-91, "terLAST", "DEPRECATED."),
    (-90, "terNO_RIPPLE", "Path does not permit rippling."),
    (-89, "terQUEUED", "Held until escalated fee drops."),
    (-88, "terPRE_TICKET", "Ticket is not yet in ledger."),
    (-87, "terNO_AMM", "AMM doesn't exist for the asset pair."),
    (-86, "terADDRESS_COLLISION", "Failed to allocate an unique account address."),
    (
        -85,
        "terNO_DELEGATE_PERMISSION",
        "Delegated account lacks permission to perform this transaction.",
    ),
    (-84, "terLOCKED", "No message is known for this result."),
    (0, "tesSUCCESS", "The transaction was applied. Only final in a validated ledger."),
    (100, "tecCLAIM", "Fee claimed. Sequence used. No action."),
    (101, "tecPATH_PARTIAL", "Path could not send full amount."),
    (102, "tecUNFUNDED_ADD", "DEPRECATED."),
    (103, "tecUNFUNDED_OFFER", "Insufficient balance to fund created offer."),
    (104, "tecUNFUNDED_PAYMENT", "Insufficient XRP balance to send."),
    (105, "tecFAILED_PROCESSING", "Failed to correctly process transaction."),
    (121, "tecDIR_FULL", "Can not add entry to full directory."),
    (122, "tecINSUF_RESERVE_LINE", "Insufficient reserve to add trust line."),
    (123, "tecINSUF_RESERVE_OFFER", "Insufficient reserve to create offer."),
    (124, "tecNO_DST", "Destination does not exist. Send XRP to create it."),
    (125, "tecNO_DST_INSUF_XRP", "Destination does not exist. Too little XRP sent to create it."),
    (126, "tecNO_LINE_INSUF_RESERVE", "No such line. Too little reserve to create it."),
    (127, "tecNO_LINE_REDUNDANT", "Can't set non-existent line to default."),
    (128, "tecPATH_DRY", "Path could not send partial amount."),
    (129, "tecUNFUNDED", "Not enough XRP to satisfy the reserve requirement."),
    (
        130,
        "tecNO_ALTERNATIVE_KEY",
        "The operation would remove the ability to sign transactions with the account.",
    ),
    (131, "tecNO_REGULAR_KEY", "Regular key is not set."),
    (132, "tecOWNERS", "Non-zero owner count."),
    (133, "tecNO_ISSUER", "Issuer account does not exist."),
    (134, "tecNO_AUTH", "Not authorized to hold asset."),
    (135, "tecNO_LINE", "No such line."),
    (136, "tecINSUFF_FEE", "Insufficient balance to pay fee."),
    (137, "tecFROZEN", "Asset is frozen."),
    (138, "tecNO_TARGET", "Target account does not exist."),
    (139, "tecNO_PERMISSION", "No permission to perform requested operation."),
    (140, "tecNO_ENTRY", "No matching entry found."),
    (141, "tecINSUFFICIENT_RESERVE", "Insufficient reserve to complete requested operation."),
    (142, "tecNEED_MASTER_KEY", "The operation requires the use of the Master Key."),
    (143, "tecDST_TAG_NEEDED", "A destination tag is required."),
    (144, "tecINTERNAL", "An internal error has occurred during processing."),
    (145, "tecOVERSIZE", "Object exceeded serialization limits."),
    (
        146,
        "tecCRYPTOCONDITION_ERROR",
        "Malformed, invalid, or mismatched conditional or fulfillment.",
    ),
    (147, "tecINVARIANT_FAILED", "One or more invariants for the transaction were not satisfied."),
    (148, "tecEXPIRED", "Expiration time is passed."),
    (149, "tecDUPLICATE", "Ledger object already exists."),
    (150, "tecKILLED", "No funds transferred and no offer created."),
    (151, "tecHAS_OBLIGATIONS", "The account cannot be deleted since it has obligations."),
    (152, "tecTOO_SOON", "It is too early to attempt the requested operation. Please wait."),
    (154, "tecMAX_SEQUENCE_REACHED", "The maximum sequence number was reached."),
    (155, "tecNO_SUITABLE_NFTOKEN_PAGE", "A suitable NFToken page could not be located."),
    (156, "tecNFTOKEN_BUY_SELL_MISMATCH", "The 'Buy' and 'Sell' NFToken offers are mismatched."),
    (157, "tecNFTOKEN_OFFER_TYPE_MISMATCH", "The type of NFToken offer is incorrect."),
    (158, "tecCANT_ACCEPT_OWN_NFTOKEN_OFFER", "An NFToken offer cannot be claimed by its owner."),
    (159, "tecINSUFFICIENT_FUNDS", "Not enough funds available to complete requested transaction."),
    (160, "tecOBJECT_NOT_FOUND", "A requested object could not be located."),
    (161, "tecINSUFFICIENT_PAYMENT", "The payment is not sufficient."),
    (162, "tecUNFUNDED_AMM", "Insufficient balance to fund AMM."),
    (163, "tecAMM_BALANCE", "AMM has invalid balance."),
    (164, "tecAMM_FAILED", "AMM transaction failed."),
    (165, "tecAMM_INVALID_TOKENS", "AMM invalid LP tokens."),
    (166, "tecAMM_EMPTY", "AMM is in empty state."),
    (167, "tecAMM_NOT_EMPTY", "AMM is not in empty state."),
    (168, "tecAMM_ACCOUNT", "This operation is not allowed on an AMM Account."),
    (169, "tecINCOMPLETE", "Some work was completed, but more submissions required to finish."),
    (170, "tecXCHAIN_BAD_TRANSFER_ISSUE", "Bad xchain transfer issue."),
    (171, "tecXCHAIN_NO_CLAIM_ID", "No such xchain claim id."),
    (172, "tecXCHAIN_BAD_CLAIM_ID", "Bad xchain claim id."),
    (173, "tecXCHAIN_CLAIM_NO_QUORUM", "Quorum was not reached on the xchain claim."),
    (174, "tecXCHAIN_PROOF_UNKNOWN_KEY", "Unknown key for the xchain proof."),
    (
        175,
        "tecXCHAIN_CREATE_ACCOUNT_NONXRP_ISSUE",
        "Only XRP may be used for xchain create account.",
    ),
    (176, "tecXCHAIN_WRONG_CHAIN", "XChain Transaction was submitted to the wrong chain."),
    (
        177,
        "tecXCHAIN_REWARD_MISMATCH",
        "The reward amount must match the reward specified in the xchain bridge.",
    ),
    (178, "tecXCHAIN_NO_SIGNERS_LIST", "The account did not have a signers list."),
    (
        179,
        "tecXCHAIN_SENDING_ACCOUNT_MISMATCH",
        "The sending account did not match the expected sending account.",
    ),
    (180, "tecXCHAIN_INSUFF_CREATE_AMOUNT", "Insufficient amount to create an account."),
    (181, "tecXCHAIN_ACCOUNT_CREATE_PAST", "The account create count has already passed."),
    (
        182,
        "tecXCHAIN_ACCOUNT_CREATE_TOO_MANY",
        "There are too many pending account create transactions to submit a new one.",
    ),
    (183, "tecXCHAIN_PAYMENT_FAILED", "Failed to transfer funds in a xchain transaction."),
    (184, "tecXCHAIN_SELF_COMMIT", "Account cannot commit funds to itself."),
    (
        185,
        "tecXCHAIN_BAD_PUBLIC_KEY_ACCOUNT_PAIR",
        "Bad public key account pair in an xchain transaction.",
    ),
    (186, "tecXCHAIN_CREATE_ACCOUNT_DISABLED", "This bridge does not support account creation."),
    (187, "tecEMPTY_DID", "The DID object did not have a URI or DIDDocument field."),
    (188, "tecINVALID_UPDATE_TIME", "The Oracle object has invalid LastUpdateTime field."),
    (189, "tecTOKEN_PAIR_NOT_FOUND", "Token pair is not found in Oracle object."),
    (190, "tecARRAY_EMPTY", "Array is empty."),
    (191, "tecARRAY_TOO_LARGE", "Array is too large."),
    (192, "tecLOCKED", "Fund is locked."),
    (193, "tecBAD_CREDENTIALS", "Bad credentials."),
    (194, "tecWRONG_ASSET", "Wrong asset given."),
    (195, "tecLIMIT_EXCEEDED", "Limit exceeded."),
    (196, "tecPSEUDO_ACCOUNT", "This operation is not allowed against a pseudo-account."),
    (197, "tecPRECISION_LOSS", "The amounts used by the transaction cannot interact."),
    (199, "tecBAD_PROOF", "Proof cannot be verified"),
];
