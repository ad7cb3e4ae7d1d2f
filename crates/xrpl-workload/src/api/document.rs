//! The OpenAPI document, made from the handlers, and a page to try it out.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components, RefOr, ResponseBuilder,
        content::ContentBuilder,
        path::Operation,
        schema::Ref,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::error::ErrorBody;

/// What the handlers do not say themselves.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "xrpl-workload",
        description = "Drives an XRP Ledger node with real transactions and follows each one to its proven final result."
    ),
    components(schemas(ErrorBody)),
    tags(
        (name = "state", description = "What became of every transaction."),
        (name = "transaction", description = "One transaction on request."),
        (name = "accounts", description = "Who takes part."),
        (name = "workload", description = "The load and its controls."),
        (name = "runs", description = "Records of runs: figures, reports, comparisons."),
        (name = "dex", description = "Pools and offers of the run."),
        (name = "network", description = "The nodes and this program."),
    ),
    modifiers(&Token)
)]
pub(super) struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("What --api-token says; needed for actions where it is set."))
            .build();
        let components = api.components.get_or_insert_with(Components::new);
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// What every operation has in common: any of them may be answered with an error, and actions may
/// need the token.
pub(super) fn complete(api: &mut utoipa::openapi::OpenApi) {
    let paths = &mut api.paths.paths;
    for (path, item) in paths.iter_mut() {
        let sends = path.starts_with("/transaction/");
        let name = path.trim_start_matches('/').replace(['/', '-'], "_").replace(['{', '}'], "");
        finish(item.get.as_mut(), format!("get_{name}"), sends);
        finish(item.post.as_mut(), format!("post_{name}"), true);
    }
}

fn finish(operation: Option<&mut Operation>, id: String, action: bool) {
    let Some(operation) = operation else { return };
    operation.operation_id = Some(id);
    let body =
        ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name("ErrorBody")))).build();
    let error = ResponseBuilder::new()
        .description("An error; its message names the field where one is wrong.")
        .content("application/json", body)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(error));
    if action {
        let none = SecurityRequirement::default();
        operation.security = Some(vec![SecurityRequirement::new("token", [""; 0]), none]);
    }
}

/// The document at `/openapi.json` and its page at `/docs`, whose files are part of the program.
pub(super) fn page(api: utoipa::openapi::OpenApi) -> SwaggerUi {
    // Nothing outside is asked whether the document is valid.
    let config = Config::default().validator_url("none").try_it_out_enabled(true);
    SwaggerUi::new("/docs").url("/openapi.json", api).config(config)
}
