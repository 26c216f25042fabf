//! Runs that are broken off go on, and large orgs take no more memory than small ones.

use std::fs;

use idbridge_okta_simulator::{Endpoint, Fault, Limits};

use super::super::process::bounded;
use super::super::secrecy::Secrets;
use super::{Assessment, crowd, end, said, search};

#[tokio::test]
async fn killed_in_the_middle_it_goes_on_to_the_same_report() {
    let assessment = Assessment::of(crowd(3000)).await;
    let control = assessment.okta.control();
    for (out, arguments) in [("plain", &[][..]), ("sampled", &["--factors-sample", "20"])] {
        let before = assessment.okta.received().count(Endpoint::Users);
        let mut hold = control.hold(Endpoint::Users);
        let mut child = assessment.start(out, arguments);
        // Page by page: each is let go only when the next one would be held.
        for page in 1..=8 {
            bounded("a page", control.arrived(Endpoint::Users, before + page)).await;
            let next = control.hold(Endpoint::Users);
            drop(std::mem::replace(&mut hold, next));
        }
        bounded("the ninth", control.arrived(Endpoint::Users, before + 9)).await;
        child.kill().expect("SIGKILL");
        let (code, _, _) = said(&end(child).await);
        assert_eq!(code, None, "killed");
        hold.release();
        bounded("the org", control.idle()).await;
        let folder = assessment.folder.path().join(out);
        assert!(folder.join("unfinished/state.json").exists());
        // Whom to ask for factors has to be kept, by ids, which are no secret.
        let mut people = crowd(3000);
        people.people.iter_mut().for_each(|person| person.id.clear());
        search(&Secrets::of(&people), &folder);

        let (code, _, stderr) = said(&assessment.run(out, &["--show"]).await);
        assert_eq!(code, Some(2), "other options: {stderr}");
        for other in [
            "[sources.okta.settings]\non_second_factor = \"accept\"",
            "[sources.okta.settings]\norg_url = \"http://127.0.0.1:9\"",
            "[rest.auth0]\nsend_username = true",
        ] {
            assessment.settings(other);
            let (code, _, stderr) = said(&assessment.run(out, arguments).await);
            assert_eq!(code, Some(2), "other settings: {stderr}");
        }
        // What says nothing of people may be another.
        assessment.settings("[sources.okta]\nmax_in_flight = 7");
        let (code, _, stderr) = said(&assessment.run(out, arguments).await);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("Goes on after 1000 people."), "{stderr}");
        let whole = format!("{out}-whole");
        assert_eq!(assessment.run(&whole, arguments).await.status.code(), Some(0));
        let (mut resumed, mut whole) = (assessment.json(out), assessment.json(&whole));
        for report in [&mut resumed, &mut whole] {
            report["taken_at"].take();
        }
        assert_eq!(resumed, whole);
        assert_eq!(whole["people"], crowd(3000).people().len());
    }
}

#[tokio::test]
async fn an_outage_keeps_what_was_read() {
    let assessment = Assessment::of(crowd(1500)).await;
    let control = assessment.okta.control();
    // The sixth page fails, after the work was saved.
    let mut hold = control.hold(Endpoint::Users);
    let child = assessment.start("out", &[]);
    for page in 1..=5 {
        bounded("a page", control.arrived(Endpoint::Users, page)).await;
        if page == 5 {
            control.fault(Endpoint::Users, Fault::status(503, "E0000010"));
            break;
        }
        let next = control.hold(Endpoint::Users);
        drop(std::mem::replace(&mut hold, next));
    }
    hold.release();
    let (code, stdout, stderr) = said(&end(child).await);
    assert_eq!((code, stdout.as_str()), (Some(3), ""), "{stderr}");
    assert!(
        stderr.contains("unavailable") && stderr.contains("start it again"),
        "{stderr}"
    );
    control.clear_faults();
    let (code, _, stderr) = said(&assessment.run("out", &[]).await);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("Goes on after 1000 people."), "{stderr}");
}

/// The last question comes when everything else is done: the peak of the process's memory then is that of the whole run.
async fn peak_memory(people: usize) -> u64 {
    let assessment = Assessment::of(crowd(people).limits(Limits::none())).await;
    let hold = assessment.okta.control().hold(Endpoint::Factors);
    let child = assessment.start("out", &["--factors-sample", "1"]);
    let status = format!("/proc/{}/status", child.id());
    bounded(
        "the last question",
        assessment.okta.control().arrived(Endpoint::Factors, 1),
    )
    .await;
    let status = fs::read_to_string(status).expect("it runs");
    hold.release();
    assert_eq!(said(&end(child).await).0, Some(0));
    assert_eq!(assessment.json("out")["people"], crowd(0).people().len() + people);
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.expect("a peak").trim().trim_end_matches(" kB");
    number.parse().expect("a number")
}

#[tokio::test]
async fn memory_does_not_grow_with_the_number_of_people() {
    let (few, many) = (peak_memory(10_000).await, peak_memory(100_000).await);
    // A table of 90,000 more addresses would take 4 MB at the least.
    assert!(
        many < few + 3 * 1024,
        "{few} kB for 10,000 people, {many} kB for 100,000"
    );
}
