//! Several sources, asked as one. What is known of each counts: one that could not find out leaves it unknown who knows
//! the user, so that it ends the chain, and a password goes no further than the first that knows them.

use std::sync::Arc;

use futures_util::future::join_all;
use idbridge_source::{Authentication, Call, ErrorKind, Login, Lookup, Password, Rejection, SourceError};

use super::routing::Locate;
use super::{Answer, Failure, Member};

/// In the order of the route; never empty.
pub(super) struct Chain<'a> {
    pub(super) members: Vec<&'a Member>,
    pub(super) locate: Locate,
}

impl Chain<'_> {
    pub(super) async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Answer<Authentication>, Failure> {
        match self.locate {
            Locate::InTurn {
                past_invalid_credentials,
            } => self.in_turn(call, login, password, past_invalid_credentials).await,
            Locate::LookupFirst => self.where_found(call, login, password).await,
        }
    }

    /// All of them, side by side: whoever is in two of them is in none that could be chosen.
    pub(super) async fn look_up(&self, call: &Call, identifier: &str) -> Result<Answer<Lookup>, Failure> {
        let (_, found) = self.find(call, identifier).await?;
        Ok(found)
    }

    async fn in_turn(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
        past_invalid_credentials: bool,
    ) -> Result<Answer<Authentication>, Failure> {
        let mut undecided: Option<Answer<Authentication>> = None;
        for member in &self.members {
            let answer = member.authenticate(&mut call.clone(), login, password).await?;
            match answer.outcome {
                Authentication::Reject(Rejection::UnknownUser) => {
                    undecided = undecided.or(Some(answer));
                }
                // The weaker no: this one may know the user. It stands, whatever else doesn't.
                Authentication::Reject(Rejection::InvalidCredentials) if past_invalid_credentials => {
                    undecided = Some(answer);
                }
                Authentication::Accept(_) | Authentication::Reject(_) => return Ok(answer),
            }
        }
        undecided.ok_or(Failure::NoSource)
    }

    async fn where_found(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Answer<Authentication>, Failure> {
        let (member, found) = self.find(call, login.as_str()).await.map_err(|failure| match failure {
            // A good login all the same; it just can't be looked up.
            Failure::InvalidIdentifier(_) => self.members[0].unsupported(),
            other => other,
        })?;
        match found.outcome {
            Lookup::Absent => Ok(member.named(Authentication::Reject(Rejection::UnknownUser))),
            // Whether somebody may come in by a log-in is for the log-in to say.
            Lookup::Found(_) | Lookup::Ineligible(_) => member.authenticate(&mut call.clone(), login, password).await,
        }
    }

    /// The one that knows this user, or the last that doesn't. An identifier is invalid if none can look it up.
    async fn find(&self, call: &Call, identifier: &str) -> Result<(&Member, Answer<Lookup>), Failure> {
        let asked = self.members.iter().map(async |member| {
            let answer = member.look_up(&mut call.clone(), identifier).await;
            (*member, answer)
        });
        let (mut holders, mut absent, mut invalid) = (Vec::new(), None, None);
        for (member, answer) in join_all(asked).await {
            match answer {
                Ok(answer) if matches!(answer.outcome, Lookup::Absent) => absent = Some((member, answer)),
                Ok(answer) => holders.push((member, answer)),
                Err(Failure::InvalidIdentifier(problem)) => invalid = invalid.or(Some((member, problem))),
                Err(failure) => return Err(failure),
            }
        }
        match (invalid, holders.len(), absent) {
            (Some((_, problem)), 0, None) => Err(Failure::InvalidIdentifier(problem)),
            // The others could be asked, and this one couldn't.
            (Some((member, _)), ..) => Err(member.unsupported()),
            (None, 0, absent) => absent.ok_or(Failure::NoSource),
            (None, 1, _) => holders.pop().ok_or(Failure::NoSource),
            (None, ..) => Err(ambiguous(call, &holders)),
        }
    }
}

fn ambiguous(call: &Call, holders: &[(&Member, Answer<Lookup>)]) -> Failure {
    let names: Vec<&str> = holders.iter().map(|(member, _)| &*member.name).collect();
    let names = names.join(", ");
    tracing::warn!(request_id = %call.request_id, sources = %names, "Two sources of a chain know one user.");
    Failure::Source {
        name: Arc::clone(&holders[0].0.name),
        error: SourceError::new(ErrorKind::Ambiguous, "find the one source of a chain that knows a user"),
    }
}

#[cfg(test)]
mod tests;
