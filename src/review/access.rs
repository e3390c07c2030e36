//! Who may what: data, and the one place that is asked.

use crate::store::accounts::Role;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// See that a message waits: envelope, rules, counts.
    See,
    /// Open what was found, with the line around it.
    OpenFindings,
    /// Open the whole message.
    OpenWhole,
    /// Release, return or discard.
    Decide,
    /// Let somebody open a sealed message.
    ApproveOpening,
    /// Have what is released remembered, so that it is not asked again.
    GiveAllowance,
    /// See what is allowed, and end it.
    EndAllowance,
    /// Exempt a sender from a rule for a time, and end it.
    GrantExemption,
    /// See how much mail of the staff was marked personal, and who marked much.
    PersonalUse,
    /// Read the register of breaches and near misses.
    SeeIncidents,
    /// Write on an incident, say since when the school is aware, and ask what of a child was in which.
    EditIncident,
    /// Close an incident, and take the whole register away.
    CloseIncident,
    /// See requests for disclosure, and what was found for them by its envelopes.
    SeeDisclosures,
    /// Ask for a disclosure, leave messages out of it, take it away when it is approved.
    Disclose,
    /// Approve or refuse a disclosure that somebody else asked for.
    ApproveDisclosure,
    /// See what mail came to by week and rule, in numbers.
    Overview,
    /// See the rules and what they did; propose another mode for one.
    ProposeMode,
    /// Approve a mode that was proposed.
    ApproveMode,
    /// Put a mode in force that was approved.
    PutMode,
    /// Read who did and saw what.
    Audit,
    /// Manage accounts and their roles.
    People,
    /// Change the own password, make new recovery codes.
    OwnAccount,
}

/// How far a role reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Not at all.
    Nothing,
    /// Figures alone, without a name; of exemptions and of modes, seeing them; of accounts, making them without a role; of the record, technical events.
    Counts,
    /// What waits for the role itself; of the record, its own lines; of what is allowed, their own mail and what they gave.
    Theirs,
    /// What concerns safeguarding.
    Safeguarding,
    /// What was put to the role because nobody had decided in time.
    Escalated,
    /// That, and what is sealed.
    Sealed,
    /// Everything.
    All,
}

use Reach::{All, Counts, Escalated, Nothing, Safeguarding, Sealed, Theirs};

/// One row a task; columns in the order of [`Role::ALL`]: sbm, head, slt, dsl, dpo, chair, it.
pub const TABLE: &[(Task, [Reach; Role::ALL.len()])] = &[
    (Task::See, [All, All, Theirs, Safeguarding, All, Sealed, Counts]),
    (Task::OpenFindings, [All, All, Theirs, Safeguarding, All, Nothing, Nothing]),
    (Task::OpenWhole, [All, All, Nothing, Safeguarding, All, Nothing, Nothing]),
    (Task::Decide, [All, All, Theirs, Safeguarding, Nothing, Escalated, Nothing]),
    (Task::ApproveOpening, [Nothing, Nothing, Nothing, Nothing, Nothing, Sealed, Nothing]),
    (Task::GiveAllowance, [All, All, Nothing, Nothing, Nothing, Nothing, Nothing]),
    (Task::EndAllowance, [All, All, Theirs, Nothing, All, Nothing, Nothing]),
    (Task::GrantExemption, [Counts, All, Nothing, Nothing, Nothing, Nothing, Counts]),
    (Task::PersonalUse, [All, All, Nothing, Nothing, Counts, Counts, Nothing]),
    (Task::SeeIncidents, [All, All, Nothing, Safeguarding, All, All, Nothing]),
    (Task::EditIncident, [All, Nothing, Nothing, Nothing, All, Nothing, Nothing]),
    (Task::CloseIncident, [Nothing, Nothing, Nothing, Nothing, All, Nothing, Nothing]),
    (Task::SeeDisclosures, [All, All, Nothing, Nothing, All, Nothing, Nothing]),
    (Task::Disclose, [All, Nothing, Nothing, Nothing, All, Nothing, Nothing]),
    (Task::ApproveDisclosure, [Nothing, All, Nothing, Nothing, All, Nothing, Nothing]),
    (Task::Overview, [All, All, All, Nothing, All, All, All]),
    (Task::ProposeMode, [All, Counts, Nothing, Nothing, Nothing, Nothing, Counts]),
    (Task::ApproveMode, [Nothing, All, Nothing, Nothing, Nothing, Nothing, Nothing]),
    (Task::PutMode, [Nothing, Nothing, Nothing, Nothing, Nothing, Nothing, All]),
    (Task::Audit, [Theirs, All, Nothing, Nothing, All, All, Counts]),
    (Task::People, [All, Nothing, Nothing, Nothing, Nothing, Nothing, Counts]),
    (Task::OwnAccount, [All; Role::ALL.len()]),
];

/// What of a message decides whom it concerns.
#[derive(Debug, Clone, Default)]
pub struct Traits {
    /// Roles that it waits for, by their words.
    pub notified: Vec<String>,
    /// The role that approves of it, by its word; with none, whoever may decide.
    pub approver: Option<String>,
    /// Roles that it was put to because nobody had decided in time, by their words.
    pub escalated: Vec<String>,
    /// It concerns safeguarding.
    pub safeguarding: bool,
    /// Its Personal marker stands out.
    pub sealed: bool,
    /// It is from, to or about the person who asks.
    pub own: bool,
}

/// How far a role reaches in a task.
pub fn reach(role: Role, task: Task) -> Reach {
    let column = Role::ALL.iter().position(|&one| one == role);
    let row = TABLE.iter().find(|(one, _)| *one == task);
    row.zip(column).map_or(Nothing, |((_, row), column)| row[column])
}

/// The farthest that any of the roles reaches.
pub fn farthest(roles: &[Role], task: Task) -> Reach {
    roles.iter().map(|&role| reach(role, task)).max().unwrap_or(Nothing)
}

/// Whether somebody with these roles may do this with a message like this.
pub fn may(roles: &[Role], task: Task, message: &Traits) -> bool {
    let put_to = |role: Role| message.escalated.iter().any(|word| word == role.as_str());
    // Nobody decides on, opens or approves what is their own: it goes up the ladder.
    let seen_by_all = task == Task::See;
    // What one role approves is decided on by that role, by the head, and by whom it was put to.
    let approves = |role: Role| match &message.approver {
        Some(approver) if task == Task::Decide => role.as_str() == approver || role == Role::Head || put_to(role),
        _ => true,
    };
    (seen_by_all || !message.own)
        && roles.iter().filter(|&&role| approves(role)).any(|&role| match reach(role, task) {
            All => true,
            Theirs => message.notified.iter().any(|word| word == role.as_str()),
            Safeguarding => message.safeguarding,
            Escalated => put_to(role),
            // There is nothing to open to somebody of what is not sealed.
            Sealed => message.sealed || (put_to(role) && task != Task::ApproveOpening),
            Counts | Nothing => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The design's table, word for word, so that a change of one without the other is seen.
    #[test]
    fn the_table_is_the_design() {
        let message = |notified: &str, safeguarding, sealed, own| Traits {
            notified: vec![notified.to_owned()],
            safeguarding,
            sealed,
            own,
            escalated: Vec::new(),
            approver: None,
        };
        let plain = message("sbm", false, false, false);
        let slt = message("slt", false, false, false);
        let child = message("dsl", true, false, false);
        let sealed = message("sbm", false, true, false);
        let own = message("sbm", true, true, true);
        let by_slt = Traits { approver: Some("slt".to_owned()), ..slt.clone() };
        let by_head = Traits { approver: Some("head".to_owned()), ..message("head", true, false, false) };
        let put_to = |role: &str| Traits { escalated: vec![role.to_owned()], ..plain.clone() };
        let (head, chair) = (put_to("head"), put_to("chair"));
        let chairs_own = Traits { own: true, ..chair.clone() };
        #[rustfmt::skip]
        let rows: &[(Task, &Traits, [bool; 7])] = &[
            //                         sbm   head  slt    dsl    dpo   chair  it
            (Task::See, &plain,          [true, true, false, false, true, false, false]),
            (Task::See, &slt,            [true, true, true,  false, true, false, false]),
            (Task::See, &child,          [true, true, false, true,  true, false, false]),
            (Task::See, &sealed,         [true, true, false, false, true, true,  false]),
            (Task::See, &head,           [true, true, false, false, true, false, false]),
            (Task::See, &chair,          [true, true, false, false, true, true,  false]),
            (Task::OpenFindings, &plain, [true, true, false, false, true, false, false]),
            (Task::OpenFindings, &slt,   [true, true, true,  false, true, false, false]),
            (Task::OpenFindings, &child, [true, true, false, true,  true, false, false]),
            (Task::OpenFindings, &own,   [false; 7]),
            (Task::OpenWhole, &plain,    [true, true, false, false, true, false, false]),
            (Task::OpenWhole, &slt,      [true, true, false, false, true, false, false]),
            (Task::OpenWhole, &child,    [true, true, false, true,  true, false, false]),
            (Task::OpenWhole, &own,      [false; 7]),
            (Task::Decide, &plain,       [true, true, false, false, false, false, false]),
            (Task::Decide, &slt,         [true, true, true,  false, false, false, false]),
            (Task::Decide, &by_slt,      [false, true, true,  false, false, false, false]),
            (Task::Decide, &by_head,     [false, true, false, false, false, false, false]),
            (Task::See, &by_head,        [true, true, false, true,  true, false, false]),
            (Task::Decide, &child,       [true, true, false, true,  false, false, false]),
            (Task::Decide, &sealed,      [true, true, false, false, false, false, false]),
            (Task::Decide, &head,        [true, true, false, false, false, false, false]),
            (Task::Decide, &chair,       [true, true, false, false, false, true, false]),
            (Task::Decide, &chairs_own,  [false; 7]),
            (Task::OpenFindings, &chair, [true, true, false, false, true, false, false]),
            (Task::OpenWhole, &chair,    [true, true, false, false, true, false, false]),
            (Task::ApproveOpening, &chair, [false; 7]),
            (Task::Decide, &own,         [false; 7]),
            (Task::ApproveOpening, &sealed, [false, false, false, false, false, true, false]),
            (Task::ApproveOpening, &own, [false; 7]),
        ];
        for (task, message, want) in rows {
            for (role, want) in Role::ALL.into_iter().zip(want) {
                assert_eq!(may(&[role], *task, message), *want, "{task:?} as {role:?}: {message:?}");
            }
        }
    }

    #[test]
    fn several_roles_reach_as_far_as_the_farthest_and_nobody_reaches_nothing() {
        assert_eq!(farthest(&[Role::It, Role::Head], Task::Audit), All);
        assert_eq!(farthest(&[], Task::See), Nothing);
        assert!(!may(&[], Task::See, &Traits::default()));
        let every = [
            Task::See,
            Task::OpenFindings,
            Task::OpenWhole,
            Task::Decide,
            Task::ApproveOpening,
            Task::GiveAllowance,
            Task::EndAllowance,
            Task::GrantExemption,
            Task::PersonalUse,
            Task::SeeIncidents,
            Task::EditIncident,
            Task::CloseIncident,
            Task::SeeDisclosures,
            Task::Disclose,
            Task::ApproveDisclosure,
            Task::Overview,
            Task::ProposeMode,
            Task::ApproveMode,
            Task::PutMode,
            Task::Audit,
            Task::People,
            Task::OwnAccount,
        ];
        assert!(every.iter().all(|task| TABLE.iter().filter(|(one, _)| one == task).count() == 1));
    }
}
