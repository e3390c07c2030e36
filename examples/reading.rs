//! Prints what is read of messages: `cargo run --example reading -- [--brief] MESSAGE.eml…`.

use schoolgate::text::Block;

fn main() -> anyhow::Result<()> {
    let mut brief = false;
    for path in std::env::args().skip(1) {
        if path == "--brief" {
            brief = true;
            continue;
        }
        let raw = std::fs::read(&path)?;
        let message = schoolgate::message::read(&raw);
        let reading = schoolgate::extract::read(&message);
        println!("=== {path}: {} parts, faults {:?}", message.parts.len(), message.faults);
        for part in &message.parts {
            println!("  part {:?} {} {:?} {} octets", part.kind, part.content_type, part.names, part.body.len());
        }
        for unread in &reading.unread {
            println!("  unread {}: {}", unread.part, unread.why.as_str());
        }
        for image in &reading.images {
            println!("  image {image:?}");
        }
        for document in &reading.documents {
            println!("  --- {:?} {} ({} blocks)", document.kind, document.place, document.blocks.len());
            if brief {
                continue;
            }
            for block in &document.blocks {
                match block {
                    Block::Paragraph { text, detail } => println!("    ¶ {detail:?} {text:?}"),
                    Block::Table(table) => {
                        println!("    table {:?}", table.detail);
                        for row in table.rows() {
                            println!("      {:?} {:?}", row.detail(), row.aligned());
                        }
                    }
                }
            }
        }
    }
    Ok(())
}
