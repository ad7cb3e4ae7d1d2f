//! Speaks with one or several XRP Ledger nodes: JSON-RPC over kept-alive HTTP, and WebSocket.
//!
//! | module | what is in it |
//! |---|---|
//! | [`connect`] | how a connection is made; tests hand in pipes in memory |
//! | [`json_rpc`] | requests to one node's HTTP port |
//! | `http1` | a request and its answer over one connection, every byte counted that leaves |
//! | [`websocket`] | requests and streams on one node's WebSocket port |
//! | [`request`], [`response`] | the methods, typed; answers in the shapes of api_version 1 and 2 |
//! | [`whole_ledger`] | a ledger with its transactions, proven whole by its hashes |
//! | [`pool`] | several nodes, their health, and which one to ask |
//! | `health` | what is known of a node, and how long its silence is put up with |
//! | [`error`] | what a failure lets one do next |

pub mod connect;
pub mod error;
mod health;
mod http1;
pub mod json_rpc;
pub mod pool;
pub mod request;
pub mod response;
pub mod timing;
pub mod websocket;
pub mod whole_ledger;

pub use connect::{Connector, TcpConnector};
pub use error::{ApiError, ClientError};
pub use pool::{Endpoint, EndpointId, Pool, PoolConfig, Submission};
pub use request::Request;
pub use whole_ledger::WholeLedger;
