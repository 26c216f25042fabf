//! How long a check takes. Apart from the others, which would be in its way.

#[cfg(test)] // where clippy lets a mistake end it
#[path = "../sql/asking.rs"]
mod asking;
#[cfg(test)]
mod checks;
#[cfg(test)]
#[path = "../sql/settings.rs"]
mod settings;
