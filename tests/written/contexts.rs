//! What a message says of a pupil: in a sentence with the name, or in one of its own below the name.

use schoolgate::detect::Tier;

/// One thing to say.
pub struct Context {
    pub name: &'static str,
    /// What it makes of the pupil.
    pub tier: Tier,
    /// After the name.
    pub said: &'static str,
    /// By itself.
    pub fact: &'static str,
}

const fn of(name: &'static str, tier: Tier, said: &'static str, fact: &'static str) -> Context {
    Context { name, tier, said, fact }
}

#[rustfmt::skip]
pub const CONTEXTS: &[Context] = &[
    of("health", Tier::Sensitive, "has asthma and carries an inhaler.", "The inhaler for the asthma is kept in the office."),
    of("special needs", Tier::Sensitive, "has an EHCP and needs large print.", "The EHCP annual review is on Tuesday at ten."),
    of("mental health", Tier::Sensitive, "has been referred to CAMHS for self-harm.", "CAMHS has sent the letter about the self-harm."),
    of("safeguarding", Tier::Sensitive, "is on a child protection plan.", "The child protection plan was reviewed with the social worker."),
    of("exclusion", Tier::Sensitive, "was suspended for two days for punching another boy.", "The suspension of two days is for punching another boy."),
    of("care", Tier::Sensitive, "lives with a foster carer.", "The foster carer came to the meeting on Monday."),
    of("police", Tier::Sensitive, "was arrested by the police on Monday.", "The police made an arrest on Monday."),
    of("behaviour", Tier::Record, "was given a detention on Friday for talking.", "The detention for talking is on Friday."),
    of("attainment", Tier::Record, "scored 34 out of 60 in the maths mock.", "The score in the maths mock was 34 out of 60."),
    of("attendance", Tier::Record, "has an attendance of 82% this term.", "The attendance this term is 82%."),
    of("free meals", Tier::Record, "is entitled to free school meals.", "Free school meals have been granted from Monday."),
    of("family", Tier::Record, "now lives with grandmother since the parents separated.", "The parents have separated and there is a new home address."),
    of("chess", Tier::Mention, "won the chess cup on Saturday.", "The chess cup is to be handed over on Saturday."),
    of("team", Tier::Mention, "is in the football team this week.", "The football team leaves at nine on Saturday."),
];
