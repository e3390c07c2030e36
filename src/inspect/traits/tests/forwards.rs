//! Mail that is passed on, in the forms of the mail programs, and mail that is answered.

use super::{SENDER, facts_of, ground, judge};

const HEAD: &str = "From: Cathy Ames <cathy.ames@gmail.com>\nSent: 02 November 2026 10:04\nTo: Jo Bloggs <j.bloggs@school.example>\nSubject: Our move";

fn message(subject: &str, body: &str) -> String {
    format!("From: Jo Bloggs <{SENDER}>\nTo: Mum <mum.quill@gmail.com>\nSubject: {subject}\n\n{body}\n")
}

fn attached(author: &str, to: &str) -> String {
    format!(
        "From: Jo Bloggs <{SENDER}>\nTo: mum.quill@gmail.com\nSubject: As discussed\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee this.\n--b\n\
         Content-Type: message/rfc822\n\nFrom: {author}\nTo: {to}\nSubject: Our move\n\nWe are moving.\n--b--\n"
    )
}

#[test]
fn somebody_elses_mail_is_passed_on() {
    judge(
        "forwarded",
        true,
        [
            message("Fwd: Our move", "FYI\n\n---------- Forwarded message ---------\nFrom: Cathy Ames <cathy.ames@gmail.com>\nDate: Mon, 2 Nov 2026 at 10:04\nSubject: Our move\nTo: Jo Bloggs <j.bloggs@school.example>\n\nWe are moving."),
            message("FW: Our move", &format!("FYI\n\n{HEAD}\n\nWe are moving.")),
            message("FW: Our move", &format!("FYI\n\n________________________________\n{HEAD}\n\nWe are moving.")),
            message("Fw: Our move", &format!("FYI\n\n-----Original Message-----\n{HEAD}\n\nWe are moving.")),
            message("FW: Our move", "From: Cathy Ames\nSent: 02 November 2026 10:04\nTo: Jo Bloggs\nSubject: Our move\n\nWe are moving."),
            message("Fwd: Our move", "Begin forwarded message:\n\n> From: Cathy Ames <cathy.ames@gmail.com>\n> Subject: Our move\n> Date: 2 November 2026 at 10:04:00 GMT\n> To: Jo Bloggs <j.bloggs@school.example>\n>\n> We are moving."),
            message("Fwd: Our move", "-------- Forwarded Message --------\nSubject: \tOur move\nDate: \tMon, 2 Nov 2026 10:04:00 +0000\nFrom: \tCathy Ames <cathy.ames@gmail.com>\nTo: \tj.bloggs@school.example\n\nWe are moving."),
            message("A family's move", &format!("FYI\n\n{HEAD}\n\nWe are moving.")),
            message("FW: Rota", "From: Nia Vance <n.vance@school.example>\nSent: 02 November 2026 10:04\nTo: Jo Bloggs <j.bloggs@school.example>\nSubject: Rota\n\nHere."),
            message("Our move", "See.\n\n<html>").replace("\n\nSee.\n\n<html>", "\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p>FYI</p><div class=\"gmail_quote\"><div class=\"gmail_attr\">---------- Forwarded message ---------<br>From: <strong>Cathy Ames</strong> &lt;cathy.ames@gmail.com&gt;<br>Date: Mon, 2 Nov 2026<br>Subject: Our move<br>To: Jo Bloggs &lt;j.bloggs@school.example&gt;<br></div><p>We are moving.</p></div>"),
            attached("Cathy Ames <cathy.ames@gmail.com>", SENDER),
            attached("Nia Vance <n.vance@school.example>", SENDER),
        ],
    );
}

#[test]
fn an_answer_and_what_one_wrote_oneself_are_not_passed_on() {
    let quill = "From: Mum <mum.quill@gmail.com>\nSent: 02 November 2026 10:04\nTo: Jo Bloggs <j.bloggs@school.example>\nSubject: Our move";
    let own =
        "From: Jo Bloggs <j.bloggs@school.example>\nSent: 02 November 2026 10:04\nTo: Nia Vance\nSubject: Our move";
    judge(
        "forwarded",
        false,
        [
            message(
                "Re: Our move",
                "Thanks.\n\nOn Mon, 2 Nov 2026 at 10:04, Mum <mum.quill@gmail.com> wrote:\n> We are moving.",
            ),
            message("RE: Our move", &format!("Thanks.\n\n{quill}\n\nWe are moving.")),
            message("FW: Our move", &format!("Thanks.\n\n{quill}\n\nWe are moving.")),
            message("FW: Our move", &format!("As I wrote:\n\n{own}\n\nSee you.")),
            message(
                "FW: Our move",
                "As I wrote:\n\nFrom: Bloggs, Jo\nSent: 02 November 2026 10:04\nTo: Nia Vance\nSubject: Our move\n\nSee you.",
            ),
            message(
                "RE: Our move",
                "Thanks.\n\nFrom: Mum\nSent: 02 November 2026 10:04\nTo: Jo Bloggs\nSubject: Our move\n\nWe are moving.",
            ),
            // Below the answered message another one is quoted.
            message("RE: Our move", &format!("Thanks.\n\n{quill}\n\nWe are moving.\n\n{HEAD}\n\nOld.")),
            message(
                "Re: Our move",
                &format!(
                    "Thanks.\n\nOn Mon, 2 Nov 2026 at 10:04, Mum <mum.quill@gmail.com> wrote:\n> See:\n>\n> {}",
                    HEAD.replace('\n', "\n> ")
                ),
            ),
            // Whoever gets it had it.
            message(
                "FW: Our move",
                "From: Cathy Ames <cathy.ames@gmail.com>\nSent: 02 November 2026 10:04\nTo: Jo Bloggs <j.bloggs@school.example>; mum.quill@gmail.com\nSubject: Our move\n\nWe are moving.",
            ),
            message(
                "FW: Your booking",
                "From: Coaches <no-reply@firm.example>\nSent: 02 November 2026 10:04\nTo: Jo Bloggs <j.bloggs@school.example>\nSubject: Your booking\n\nBooked.",
            ),
            message("Our move", "No earlier mail is here. From: us To: you"),
            attached("Jo Bloggs <j.bloggs@school.example>", "n.vance@school.example"),
            attached("Mum <mum.quill@gmail.com>", SENDER),
            attached("Cathy Ames <cathy.ames@gmail.com>", "mum.quill@gmail.com, j.bloggs@school.example"),
        ],
    );
    // Nothing is asked of mail that stays inside.
    let inside = message("FW: Our move", &format!("FYI\n\n{HEAD}\n\nWe are moving."));
    assert!(facts_of(&ground(), "n.vance@school.example", &inside).is_empty());
}
