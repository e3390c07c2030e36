//! What is wrong with a message's structure, in plain words: each thing once, however many lines are wrong in that way.

/// Faults in the order in which they were met. There are a few dozen that can be told, so that a look at all is short.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<String>);

impl Faults {
    /// Notes a fault.
    pub fn push(&mut self, fault: impl AsRef<str> + Into<String>) {
        if !self.0.iter().any(|known| known == fault.as_ref()) {
            self.0.push(fault.into());
        }
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes several.
    pub fn extend(&mut self, faults: impl IntoIterator<Item = String>) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }
}
