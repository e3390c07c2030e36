-- The school's words that stand below a message when it leaves, as they were when it was decided on: a JSON list of texts, in clear. Null
-- is none.
alter table message add column footers text;
