#!/usr/bin/env python3
"""Which part of the words that another program finds in a document `schoolgate extract` finds.

    words.py [--seed N] [--missing] SCHOOLGATE [FILE...]

Makes documents (see documents.py beside this file for what that needs), or takes the FILEs, and counts words of two letters or
more: as put in by the program that made the document, and as found by second readers. A row for each format, maker and
reader; `--missing` prints the words that are not found. Each word is counted once: those that are made stand in one place
only. Of a page that was printed, a piece of a word that does not fit its line is found where the whole word is.

Second readers: python-docx, openpyxl, python-pptx, xlrd and odfpy from PyPI, `pdftotext -layout` (Debian's poppler-utils),
and LibreOffice (see documents.py), which prints to PDF or writes text.
"""

import argparse, collections, html.parser, json, pathlib, re, subprocess, sys, tempfile, unicodedata

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import documents

WORD = re.compile(r"[^\W\d_]{2,}")


def words(text):
    # What joins a word without being seen: the soft hyphen, and a hyphen before the end of a line.
    text = unicodedata.normalize("NFKC", text).replace("\u00ad", "").replace("\u200b", "")
    return set(WORD.findall(text))


def extract(program, path):
    run = subprocess.run([program, "extract", "--json", str(path)], capture_output=True, timeout=300)
    return run.returncode, (json.loads(run.stdout) if run.stdout else {"documents": [], "unread": []})


def text_of(found):
    out = []
    for document in found["documents"]:
        for block in document["blocks"]:
            out.append(block.get("text") or "")
            # Where it stands may name a sheet.
            out += (cell for row in block.get("rows") or () for cell in row["cells"])
    return "\n".join(out)


def of_docx(path):
    import docx
    from lxml import etree

    out = []
    for part in docx.Document(path).part.package.iter_parts():
        if not part.content_type.endswith("+xml") or "wordprocessingml" not in part.content_type or "styles" in part.content_type:
            continue
        for p in etree.fromstring(part.blob).iter("{*}p"):
            # A text box in a paragraph is counted by itself.
            mine = (e for e in p.iter("{*}t", "{*}delText", "{*}tab", "{*}br") if next(e.iterancestors("{*}p")) is p
                    and next(e.iterancestors("{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"), None) is None)
            out.append("".join(e.text or " " for e in mine))
    return "\n".join(out)


def of_xlsx(path):
    import openpyxl

    out = []
    for s in openpyxl.load_workbook(path, data_only=True):
        out += [s.title, s.oddHeader.center.text, s.oddHeader.left.text, s.oddFooter.left.text]
        for row in s.iter_rows():
            for cell in row:
                out.append(cell.value if isinstance(cell.value, str) else "")
                out.append(cell.comment.text if cell.comment else "")
    return "\n".join(o or "" for o in out)


def of_xls(path):
    import xlrd

    out = []
    for s in xlrd.open_workbook(path).sheets():
        out.append(s.name)
        out += (c.value for row in s.get_rows() for c in row if isinstance(c.value, str))
        out += (note.text for note in s.cell_note_map.values())
    return "\n".join(out)


def of_pptx(path):
    from pptx import Presentation

    out = []
    def shapes(all):
        for s in all:
            if hasattr(s, "shapes"):
                shapes(s.shapes)
            if s.has_text_frame:
                out.append(s.text_frame.text)
            if getattr(s, "has_table", False) and s.has_table:
                out.extend(c.text for r in s.table.rows for c in r.cells)
            if getattr(s, "has_chart", False) and s.has_chart:
                plot = s.chart.plots[0]
                out.extend(str(c) for c in plot.categories)
                out.extend(x.name for x in plot.series)
    p = Presentation(path)
    for slide in p.slides:
        shapes(slide.shapes)
        if slide.has_notes_slide:
            out.append(slide.notes_slide.notes_text_frame.text if slide.notes_slide.notes_text_frame else "")
    return "\n".join(out)


def of_opendocument(path):
    from odf import opendocument, teletype
    from odf.namespaces import OFFICENS, TEXTNS

    out = []
    def walk(node):
        for child in node.childNodes:
            if getattr(child, "qname", None) in ((TEXTNS, "p"), (TEXTNS, "h")):
                out.append(apart(child))
            elif child.nodeType == 1:
                walk(child)
    def apart(p):
        """The text of a paragraph; what hangs at it stands behind it."""
        own = []
        def inside(node):
            for child in node.childNodes:
                if child.nodeType == 3:
                    own.append(str(child))
                elif child.qname in ((TEXTNS, "s"), (TEXTNS, "tab"), (TEXTNS, "line-break")):
                    own.append(" ")
                elif child.qname in ((TEXTNS, "note"), (OFFICENS, "annotation")) or child.qname[0].endswith("drawing:1.0"):
                    walk(child)
                else:
                    inside(child)
        inside(p)
        return "".join(own)
    d = opendocument.load(path)
    for top in (d.text if hasattr(d, "text") else None, getattr(d, "spreadsheet", None), getattr(d, "presentation", None), d.masterstyles):
        if top is not None:
            walk(top)
    return "\n".join(out)


class Page(html.parser.HTMLParser):
    INLINE = {"b", "i", "u", "span", "font", "a", "strong", "em", "sup", "sub"}

    def __init__(self):
        super().__init__()
        self.out, self.silent = [], 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in ("style", "script")
        self.out.append("" if tag in self.INLINE else "\n")

    def handle_endtag(self, tag):
        self.silent -= tag in ("style", "script")
        self.out.append("" if tag in self.INLINE else "\n")

    def handle_data(self, data):
        self.out.append("" if self.silent else data)


def of_html(path):
    page = Page()
    page.feed(path.read_text(encoding="utf-8", errors="replace"))
    return "".join(page.out)


def of_pdf(path):
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, timeout=120).stdout


READERS = {
    "docx": ("python-docx", of_docx), "xlsx": ("openpyxl", of_xlsx), "xls": ("xlrd", of_xls), "pptx": ("python-pptx", of_pptx),
    "odt": ("odfpy", of_opendocument), "ods": ("odfpy", of_opendocument), "odp": ("odfpy", of_opendocument),
    "html": ("html.parser", of_html), "pdf": ("pdftotext -layout", of_pdf), "csv": ("as it stands", lambda p: p.read_text()),
}
# What LibreOffice makes of these: printed, or as text.
PRINTED = ("docx", "doc", "rtf", "odt", "pptx", "ppt", "odp")
AS_TEXT = ("docx", "doc", "rtf", "odt", "html")
# Every sheet as a file of its own, cells as they are shown.
SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
AS_SHEETS = ("xlsx", "xls", "ods")


def by_office(made, folder):
    """Texts by path, printed and as text."""
    found = collections.defaultdict(list)
    for target, formats, name in (
        ("pdf", PRINTED, "LibreOffice, printed"), ("txt:Text (encoded):UTF8", AS_TEXT, "LibreOffice, as text"),
        (SHEETS, AS_SHEETS, "LibreOffice, as csv"),
    ):
        for format in formats:
            files = [m.path for m in made if m.format == format]
            # Names of files come twice in several folders.
            for number, some in enumerate({f.parent for f in files}):
                here = [f for f in files if f.parent == some]
                texts = collections.defaultdict(str)
                for out in documents.convert(here, target, folder / f"{target[:3]}-{format}-{number}"):
                    source = next((f for f in here if out.stem == f.stem or out.stem.startswith(f"{f.stem}-")), None)
                    if source:
                        texts[source] += of_pdf(out) if target == "pdf" else out.read_text(encoding="utf-8-sig")
                for source, text in texts.items():
                    found[source].append((name, text))
    return found


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("schoolgate")
    arguments.add_argument("files", nargs="*", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--missing", action="store_true")
    arguments.add_argument("--keep", type=pathlib.Path)
    args = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = args.keep or pathlib.Path(folder)
        made = [documents.Made(f, "", []) for f in args.files] or documents.make(folder / "made", args.seed)
        office = by_office(made, folder / "read")
        print(f"seed {args.seed}\n")
        print("| format | made by | second reader | words | found | not read |\n|---|---|---|---:|---:|---|")
        lost = []
        for m in sorted(made, key=lambda m: (m.format, m.by)):
            _, found = extract(args.schoolgate, m.path)
            ours = words(text_of(found))
            why = ", ".join(sorted({u["why"] for u in found["unread"]}))
            readings = list(office.get(m.path, ()))
            if m.words:
                readings.insert(0, ("what was put in", "\n".join(m.words)))
            if m.format in READERS:
                name, reader = READERS[m.format]
                readings.insert(0, (name, reader(m.path)))
            for name, text in readings:
                theirs = words(text)
                missing = theirs - ours
                if "printed" in name or "pdf" in name:
                    whole = ours - theirs
                    missing = {word for word in missing if not any(word in other for other in whole)}
                count = len(theirs)
                part = 100 * (count - len(missing)) / max(count, 1)
                print(f"| {m.format} | {m.by} | {name} | {count:,} | {part:.1f} % | {why} |", flush=True)
                if missing:
                    lost.append((m, name, missing))
        if args.missing:
            for m, name, missing in lost:
                print(f"\n{m.path.name}, {m.by}, {name}: " + " ".join(sorted(missing))[:600])


if __name__ == "__main__":
    main()
