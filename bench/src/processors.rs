//! Which processors the main thread, and what it starts, may run on.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Error;

/// The processors divided: the first for the service alone, the others for load and source. Dropping it joins them.
pub(crate) struct Apart {
    all: CpuSet,
    service: CpuSet,
    others: CpuSet,
}

impl Apart {
    /// From here on the main thread is among the others.
    pub(crate) fn new() -> Result<Self, Error> {
        let all = sched_getaffinity(None)?;
        let (mut service, mut others) = (CpuSet::new(), CpuSet::new());
        for processor in (0..CpuSet::MAX_CPU).filter(|processor| all.is_set(*processor)) {
            if service.count() == 0 {
                &mut service
            } else {
                &mut others
            }
            .set(processor);
        }
        if others.count() == 0 {
            return Err("this row needs two processors".into());
        }
        sched_setaffinity(None, &others)?;
        Ok(Self { all, service, others })
    }

    /// What starts now runs on the service's processor.
    pub(crate) fn to_service(&self) -> Result<(), Error> {
        Ok(sched_setaffinity(None, &self.service)?)
    }

    pub(crate) fn to_others(&self) -> Result<(), Error> {
        Ok(sched_setaffinity(None, &self.others)?)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // It was allowed before.
        let _joined = sched_setaffinity(None, &self.all);
    }
}
