//! What a node's answer means for the lane.

use xrpl_protocol::ResultClass;
use xrpl_tracker::{ResultName, State, Submitted};

use crate::lane::Answer;

/// The state says whether a node may hold it, the result why not.
pub(super) fn answer_of(submitted: &Submitted) -> Answer {
    let result = submitted.engine_result.as_ref();
    let class = result.and_then(ResultName::class);
    match submitted.state {
        state if state.is_terminal() => return Answer::Ended,
        // Not sent yet, or the node is not ready for it.
        State::Created => return Answer::Retrying,
        _ => {}
    }
    match (class, result.map(ResultName::as_str)) {
        (_, Some("terQUEUED")) => Answer::Queued,
        // It has it already.
        (_, Some("tefALREADY")) => Answer::Applied,
        (_, Some("tefPAST_SEQ" | "tefNO_TICKET")) => Answer::Past,
        (Some(ResultClass::Tes), _) => Answer::Applied,
        (Some(ResultClass::Tec), _) => Answer::Claimed,
        (Some(ResultClass::Ter | ResultClass::Tel), _) => Answer::Retrying,
        (Some(ResultClass::Tef | ResultClass::Tem), _) => Answer::Refused,
        // No answer, or an error instead of a result.
        (None, _) if submitted.state == State::Retryable => Answer::Retrying,
        (None, _) => Answer::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use xrpl_protocol::TxHash;

    use super::*;

    #[test]
    fn what_an_answer_means() {
        use Answer::{Applied, Claimed, Ended, Past, Queued, Refused, Retrying, Unknown};
        for (state, result, answer) in [
            (State::Submitted, Some("tesSUCCESS"), Applied),
            (State::Submitted, Some("tecPATH_DRY"), Claimed),
            (State::Submitted, Some("terQUEUED"), Queued),
            (State::Submitted, Some("tefALREADY"), Applied),
            (State::Retryable, Some("terPRE_SEQ"), Retrying),
            (State::Retryable, Some("telINSUF_FEE_P"), Retrying),
            (State::Retryable, Some("tooBusy"), Retrying),
            (State::Created, None, Retrying),
            (State::Submitted, None, Unknown),
            (State::Submitted, Some("tooBusy"), Unknown),
            // Held by a node, maybe: whichever state that is called.
            (State::Submitted, Some("tefBAD_AUTH"), Refused),
            (State::Retryable, Some("tefBAD_AUTH"), Refused),
            (State::Submitted, Some("temDISABLED"), Refused),
            (State::Submitted, Some("tefPAST_SEQ"), Past),
            (State::Retryable, Some("tefNO_TICKET"), Past),
            (State::Rejected, Some("temDISABLED"), Ended),
            (State::Validated, Some("tesSUCCESS"), Ended),
        ] {
            let engine_result = result.map(ResultName::new);
            let submitted =
                Submitted { hash: TxHash::ZERO, state, engine_result, already_tracked: false };
            assert_eq!(answer_of(&submitted), answer, "{state} {result:?}");
        }
    }
}
