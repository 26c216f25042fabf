//! The size of the shipped binary.

use async_trait::async_trait;

use super::start::megabytes;
use crate::Error;
use crate::context::Context;
use crate::row::{Bar, Figure, Row, Sample};

struct Binary;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Binary)]
}

#[async_trait(?Send)]
impl Row for Binary {
    fn name(&self) -> &'static str {
        "binary"
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure {
            title: "the binary, stripped, default features".to_owned(),
            unit: "MB",
            theirs: "",
            bar: Some(Bar::AtMost(25.0)),
        }]
    }

    async fn round(&self, context: &Context, _round: usize) -> Result<Vec<Sample>, Error> {
        let size = std::fs::metadata(&context.idbridge)?.len();
        Ok(vec![Sample::alone(megabytes(size))])
    }
}
