//! Assuming roles. Quoted messages are AWS's own where they are widely reported; AWS documents only the
//! codes.

use serde_json::Value as Json;

use super::session::{self, session_of};
use crate::services::github::{self, TokenError};
use crate::services::iam::state::Role;
use crate::services::iam::{self, AssumeRoleRequest};
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::World;

/// The longest session of a role assumed by a role, in seconds (user guide, "Role chaining").
const CHAINED: i64 = 3600;

/// `AssumeRole`, by a signed caller.
pub(super) fn role(world: &mut World, call: &Call) -> ApiResult<Value> {
    let request = Request::of(&call.input)?;
    let caller = &call.caller.arn;
    let mut names = vec![caller.clone(), format!("arn:aws:iam::{}:root", call.caller.account)];
    names.push(call.caller.account.clone());
    if let Some((role, _)) = session_of(caller) {
        names.push(format!("arn:aws:iam::{}:role/{role}", call.caller.account));
        if request.seconds > CHAINED {
            return Err(ApiError::sender(
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
                 role chaining",
            ));
        }
    }
    let mut context = Vec::new();
    if let Some(id) = call.input.str("ExternalId") {
        context.push(("sts:ExternalId".to_owned(), id.to_owned()));
    }
    let applicant = AssumeRoleRequest {
        action: "sts:AssumeRole",
        principal_type: "AWS",
        principal_arns: names,
        context,
    };
    let role = request.role(world, &applicant).ok_or_else(|| {
        denied(format!(
            "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {}",
            request.role_arn
        ))
    })?;
    request.check_duration(&role)?;
    let (credentials, user) =
        session::start_session(world, &role, request.session_name, request.seconds);
    Ok(map([("Credentials", credentials), ("AssumedRoleUser", user)]))
}

/// `AssumeRoleWithWebIdentity`, by anyone with a token of a trusted issuer.
pub(super) fn with_web_identity(world: &mut World, call: &Call) -> ApiResult<Value> {
    let request = Request::of(&call.input)?;
    let token = call.input.need_str("WebIdentityToken")?;
    let claims = github::verify(token, world.now).map_err(|error| refuse(&error, world))?;
    let claim = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    // A token may have several audiences; the first that the provider knows counts.
    let audiences: Vec<String> = match &claims["aud"] {
        Json::Array(all) => all.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => vec![claim("aud")],
    };
    let (issuer, subject) = (claim("iss"), claim("sub"));
    let host = issuer.trim_start_matches("https://");
    let provider =
        world.iam.providers.iter().find(|(_, provider)| provider.url == host).ok_or_else(|| {
            no_token(format!("No OpenIDConnect provider found in your account for {issuer}"))
        })?;
    let audience = audiences.iter().find(|audience| provider.1.audiences.contains(audience));
    let Some(audience) = audience.cloned() else {
        return Err(no_token("Incorrect token audience"));
    };
    let applicant = AssumeRoleRequest {
        action: "sts:AssumeRoleWithWebIdentity",
        principal_type: "Federated",
        principal_arns: vec![provider.0.clone()],
        context: condition_keys(host, &claims, &audience),
    };
    // AWS gives the same answer for a role that does not exist.
    let role = request
        .role(world, &applicant)
        .ok_or_else(|| denied("Not authorized to perform sts:AssumeRoleWithWebIdentity"))?;
    request.check_duration(&role)?;
    let provider = provider.0.clone();
    let (credentials, user) =
        session::start_session(world, &role, request.session_name, request.seconds);
    Ok(map([
        ("Credentials", credentials),
        ("SubjectFromWebIdentityToken", subject.into()),
        ("AssumedRoleUser", user),
        ("Provider", provider.into()),
        ("Audience", audience.into()),
    ]))
}

/// The parameters that both operations share.
struct Request<'c> {
    role_arn: &'c str,
    session_name: &'c str,
    seconds: i64,
}

impl<'c> Request<'c> {
    fn of(input: &'c Value) -> ApiResult<Request<'c>> {
        let role_arn = input.need_str("RoleArn")?;
        if !(20..=2048).contains(&role_arn.chars().count()) {
            let rule = "Member must have length greater than or equal to 20";
            return Err(constraint(role_arn, "roleArn", rule));
        }
        if !role_arn.starts_with("arn:aws:iam::") || !role_arn.contains(":role/") {
            return Err(ApiError::sender("ValidationError", format!("{role_arn} is invalid")));
        }
        let session_name = input.need_str("RoleSessionName")?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !(2..=64).contains(&session_name.len()) || !session_name.chars().all(allowed) {
            return Err(constraint(
                session_name,
                "roleSessionName",
                r"Member must satisfy regular expression pattern: [\w+=,.@-]* and have length 2 to 64",
            ));
        }
        let seconds = input.int("DurationSeconds").unwrap_or(3600);
        if !(900..=43200).contains(&seconds) {
            let rule = "Member must have value between 900 and 43200";
            return Err(constraint(&seconds.to_string(), "durationSeconds", rule));
        }
        if let Some(policy) = input.str("Policy") {
            check_policy(policy)?;
        }
        Ok(Request { role_arn, session_name, seconds })
    }

    /// Returns the role if it exists and trusts the applicant.
    fn role(&self, world: &World, applicant: &AssumeRoleRequest<'_>) -> Option<Role> {
        let role = iam::role(world, self.role_arn)?;
        iam::allows(&role.trust, applicant).then(|| role.clone())
    }

    fn check_duration(&self, role: &Role) -> ApiResult<()> {
        if self.seconds > role.max_session {
            return Err(ApiError::sender(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        Ok(())
    }
}

/// Validates a session policy. Session policies only restrict, and the lab doesn't evaluate them, but a
/// malformed one is refused.
fn check_policy(policy: &str) -> ApiResult<()> {
    if policy.chars().count() > 2048 {
        return Err(ApiError::sender(
            "PackedPolicyTooLarge",
            "Packed policy consumes more than 100% of the allotted space, please use smaller policy.",
        ));
    }
    let json = serde_json::from_str::<Json>(policy);
    if json.is_ok_and(|json| json.get("Statement").is_some()) {
        return Ok(());
    }
    Err(ApiError::sender("MalformedPolicyDocument", "Syntax errors in policy."))
}

/// The claims that a trust policy can test: those of every issuer except `aud`, and GitHub's since January
/// 2026 (IAM user guide, "Available keys for AWS OIDC federation"). Other claims are never condition keys.
const TESTED: [&str; 11] = [
    "sub",
    "amr",
    "actor",
    "actor_id",
    "job_workflow_ref",
    "repository",
    "repository_id",
    "workflow",
    "ref",
    "environment",
    "enterprise_id",
];

/// Returns claims as condition keys: `<issuer>:sub`, `<issuer>:aud` and the rest.
fn condition_keys(host: &str, claims: &Json, audience: &str) -> Vec<(String, String)> {
    let claims = claims.as_object().into_iter().flatten();
    let keys = claims
        .filter(|(name, _)| TESTED.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((format!("{host}:{name}"), value.as_str()?.to_owned())));
    keys.chain([(format!("{host}:aud"), audience.to_owned())]).collect()
}

fn refuse(error: &TokenError, world: &World) -> ApiError {
    match error {
        TokenError::Malformed => no_token(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        ),
        // The wording is a guess.
        TokenError::Forged => no_token("The ID Token provided has an invalid signature"),
        TokenError::Expired(ends) => ApiError::sender(
            "ExpiredTokenException",
            format!(
                "Token expired: current date/time {} must be before the expiration date/time {}",
                world.now.as_second(),
                ends.as_second()
            ),
        ),
    }
}

fn no_token(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidIdentityToken", message)
}

fn denied(message: impl Into<String>) -> ApiError {
    ApiError::sender("AccessDenied", message).status(403)
}

fn constraint(value: &str, name: &str, rule: &str) -> ApiError {
    ApiError::sender(
        "ValidationError",
        format!(
            "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::{CredentialError, authenticate};
    use super::*;
    use crate::wire::{Principal, Service};

    fn world() -> (World, String) {
        let mut world = World::new(1, "2026-01-05T09:00:00Z".parse().unwrap());
        iam::create_oidc_provider(&mut world, github::ISSUER, &["sts.amazonaws.com"]);
        let trust = iam::github_trust(&world.account, "repo:acme/news:*");
        let role = iam::create_role(&mut world, "deploy-news", &trust, 7200);
        (world, role)
    }

    fn ask(world: &mut World, role: &str, token: &str, seconds: i64) -> ApiResult<Value> {
        let call = Call {
            service: Service::Sts,
            operation: "AssumeRoleWithWebIdentity".to_owned(),
            input: map([
                ("RoleArn", role.into()),
                ("RoleSessionName", "deploy-1".into()),
                ("WebIdentityToken", token.into()),
                ("DurationSeconds", seconds.into()),
            ]),
            caller: Principal::anonymous(),
            region: world.region.clone(),
        };
        super::super::call(world, &call)
    }

    #[test]
    fn a_trusted_job_gets_a_session_that_ends() {
        let (mut world, role) = world();
        let token = github::issue_token(&mut world, "sts.amazonaws.com");
        let answer = ask(&mut world, &role, &token, 900).unwrap();
        let credentials = answer.get("Credentials");
        let (key, session) =
            (credentials.str("AccessKeyId").unwrap(), credentials.str("SessionToken").unwrap());
        let caller = authenticate(&world, key, session).unwrap();
        assert_eq!(caller.arn, "arn:aws:sts::123456789012:assumed-role/deploy-news/deploy-1");
        assert_eq!(authenticate(&world, key, "other"), Err(CredentialError::Unknown));
        world.now = credentials.time("Expiration").unwrap();
        assert_eq!(authenticate(&world, key, session), Err(CredentialError::Expired));
    }

    #[test]
    fn a_trust_policy_tests_the_claims_that_sts_knows() {
        let (mut world, _) = world();
        let id = world.github.repository_id;
        let mut trusts = |claim: &str, value: &str| {
            let trust = iam::github_trust(&world.account, "*");
            let key = format!("token.actions.githubusercontent.com:{claim}");
            let mut trust: Json = serde_json::from_str(&trust).unwrap();
            trust["Statement"][0]["Condition"]["StringEquals"][key] = value.into();
            let role = iam::create_role(&mut world, "tested", &trust.to_string(), 3600);
            let token = github::issue_token(&mut world, "sts.amazonaws.com");
            ask(&mut world, &role, &token, 900).is_ok()
        };
        assert!(trusts("repository_id", &id.to_string()));
        assert!(!trusts("repository_id", "1"));
        assert!(trusts("repository", "acme/news"));
        // Claims of the token that are not IAM condition keys.
        assert!(!trusts("repository_visibility", "private"));
        assert!(!trusts("event_name", "push"));
    }

    #[test]
    fn each_refusal_has_its_code() {
        let (mut world, role) = world();
        let token = github::issue_token(&mut world, "sts.amazonaws.com");
        let code = |world: &mut World, role: &str, token: &str, seconds| {
            ask(world, role, token, seconds).unwrap_err().code
        };
        assert_eq!(code(&mut world, &role, &token, 7201), "ValidationError");
        assert_eq!(code(&mut world, &role, &token, 899), "ValidationError");
        assert_eq!(
            code(&mut world, "arn:aws:iam::123456789012:role/x", &token, 900),
            "AccessDenied"
        );
        assert_eq!(code(&mut world, &role, "x.y.z", 900), "InvalidIdentityToken");
        let elsewhere = github::issue_token(&mut world, "https://github.com/acme");
        assert_eq!(code(&mut world, &role, &elsewhere, 900), "InvalidIdentityToken");
        world.github.subject = "repo:evil/news:ref:refs/heads/main".to_owned();
        let foreign = github::issue_token(&mut world, "sts.amazonaws.com");
        assert_eq!(code(&mut world, &role, &foreign, 900), "AccessDenied");
        world.now += jiff::SignedDuration::from_secs(301);
        assert_eq!(code(&mut world, &role, &token, 900), "ExpiredTokenException");
        world.iam.providers.clear();
        let orphan = github::issue_token(&mut world, "sts.amazonaws.com");
        assert_eq!(code(&mut world, &role, &orphan, 900), "InvalidIdentityToken");
    }
}
