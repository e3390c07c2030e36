"""Documents for the measurements beside this file, as several programs write them.

`make(folder, seed)` writes them into a folder and returns a list of `Made`. Every word that is put in is invented from
syllables and stands in one place only, so that a word which is not found was lost at that place and nowhere else.

Needs python-docx, openpyxl, python-pptx, xlwt, xlsxwriter, odfpy, reportlab, fpdf2 from PyPI and, for what LibreOffice writes,
libreoffice-writer-nogui, libreoffice-calc-nogui and libreoffice-impress-nogui from Debian.
"""

import dataclasses, datetime, html, pathlib, random, subprocess, tempfile
from email.message import EmailMessage

SYLLABLES = ("ba be bi bo da de di do fa fe ga go ka ke ki la le li lo ma me mi mo na ne ni no pa pe po ra re ri ro sa se si "
             "so ta te ti to va ve vi wa we za ze łu żo ść ńa ŵy ŷn êl âr ôn ïe ćw ęd ąk").split()
# Not in the fonts that every PDF has.
PLAIN = [s for s in SYLLABLES if s.isascii()]


class Words:
    """Invented names and sentences; remembers all that it gave out."""

    def __init__(self, seed, syllables=SYLLABLES):
        self.random = random.Random(seed)
        self.syllables = syllables
        self.given = []

    def word(self):
        while True:
            word = "".join(self.random.choice(self.syllables) for _ in range(self.random.randint(3, 4)))
            if word not in self.given[-2000:]:
                break
        word = word.capitalize() if self.random.random() < 0.4 else word
        self.given.append(word)
        return word

    def text(self, count):
        return " ".join(self.word() for _ in range(count))


@dataclasses.dataclass
class Made:
    path: pathlib.Path
    by: str
    # What was put in, where that is known.
    words: list

    @property
    def format(self):
        return self.path.suffix[1:]


def docx_of_python(path, w):
    import docx
    from docx.enum.section import WD_SECTION
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls
    from docx.shared import Pt

    d = docx.Document()
    d.core_properties.title = w.text(2)
    d.core_properties.author = w.text(2)
    section = d.sections[0]
    section.different_first_page_header_footer = True
    for edge in (section.header, section.footer, section.first_page_header, section.first_page_footer):
        edge.paragraphs[0].text = w.text(3)
    d.add_heading(w.text(3), 0)
    for level in (1, 2, 3):
        d.add_heading(w.text(2), level)
        p = d.add_paragraph(w.text(30))
        # One name in several runs.
        name = w.word()
        p.add_run(" " + name[:2])
        p.add_run(name[2:4]).bold = True
        p.add_run(name[4:])
        p.add_run(" " + w.word()).font.hidden = True
        p.add_run("\t" + w.word() + "\t" + w.word())
        p.add_run().add_break()
        p.add_run(w.word()).font.size = Pt(1)
    if hasattr(d, "add_comment"):
        d.add_comment(p.runs, text=w.text(5), author=w.text(2), initials="AB")
    for style in ("List Bullet", "List Number"):
        for _ in range(40):
            d.add_paragraph(w.text(3), style=style)
    t = d.add_table(rows=30, cols=4)
    for row in t.rows:
        for cell in row.cells:
            cell.text = w.word()
    t.cell(0, 0).merge(t.cell(0, 1))
    inner = t.cell(3, 3).add_table(2, 2)
    for row in inner.rows:
        for cell in row.cells:
            cell.text = w.word()
    p = d.add_paragraph()
    ns = nsdecls("w") + ' xmlns:v="urn:schemas-microsoft-com:vml"'
    blank = lambda: p._p.append(parse_xml(f'<w:r {ns}><w:t xml:space="preserve"> </w:t></w:r>'))
    p._p.append(parse_xml(f'<w:r {ns}><w:pict><v:shape style="width:200;height:50"><v:textbox><w:txbxContent><w:p><w:r><w:t>'
                          f'{w.text(4)}</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>'))
    blank()
    p._p.append(parse_xml(f'<w:ins {ns} w:id="7" w:author="A"><w:r><w:t>{w.text(2)}</w:t></w:r></w:ins>'))
    p._p.append(parse_xml(f'<w:del {ns} w:id="8" w:author="A"><w:r><w:delText>{w.text(2)}</w:delText></w:r></w:del>'))
    blank()
    p._p.append(parse_xml(f'<w:sdt {ns}><w:sdtPr><w:alias w:val="{w.word()}"/></w:sdtPr><w:sdtContent><w:r><w:t>{w.text(2)}</w:t></w:r>'
                          '</w:sdtContent></w:sdt>'))
    blank()
    p._p.append(parse_xml(f'<w:fldSimple {ns} w:instr=" MERGEFIELD x "><w:r><w:t>{w.text(2)}</w:t></w:r></w:fldSimple>'))
    blank()
    p._p.append(parse_xml(f'<w:smartTag {ns} w:element="x"><w:r><w:t>{w.text(2)}</w:t></w:r></w:smartTag>'))
    d.add_section(WD_SECTION.NEW_PAGE).header.is_linked_to_previous = False
    d.sections[1].header.paragraphs[0].text = w.text(3)
    d.add_paragraph(w.text(200))
    d.save(path)


def xlsx_cells(w):
    """Rows as schools have them: names, forms, dates, numbers."""
    for n in range(120):
        yield [w.word() + " " + w.word(), w.word(), datetime.date(2012, 1 + n % 12, 1 + n % 28), n * 1.25, w.word(), n % 2 == 0]


def xlsx_of_openpyxl(path, w):
    import openpyxl
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont
    from openpyxl.chart import BarChart, Reference
    from openpyxl.comments import Comment
    from openpyxl.worksheet.datavalidation import DataValidation

    b = openpyxl.Workbook()
    b.properties.title = w.text(2)
    s = b.active
    s.title = w.word()
    s.append([w.word() for _ in range(6)])
    for row in xlsx_cells(w):
        s.append(row)
        s.cell(s.max_row, 3).number_format = "d mmmm yyyy"
        s.cell(s.max_row, 4).number_format = f'0.00 "{w.word()}"'
    s["H1"] = CellRichText(w.word()[:0], TextBlock(InlineFont(b=True), w.word()), " ", w.word())
    s["A5"].comment = Comment(w.text(5), w.text(2))
    s["I1"].value = '="' + w.word() + '"'
    s.merge_cells("K1:M2")
    s["K1"] = w.word()
    s.row_dimensions[7].hidden = True
    s.column_dimensions["B"].hidden = True
    s.oddHeader.center.text, s.oddFooter.left.text = w.text(2), w.text(2)
    s["N1"].hyperlink = "https://example.org/" + w.word()
    s["N1"].value = w.word()
    validation = DataValidation(type="list", formula1='"' + w.word() + "," + w.word() + '"')
    validation.prompt, validation.promptTitle = w.text(4), w.word()
    s.add_data_validation(validation)
    validation.add("O1")
    chart = BarChart()
    chart.title = w.text(2)
    chart.x_axis.title = w.text(2)
    chart.add_data(Reference(s, min_col=4, min_row=1, max_row=20), titles_from_data=True)
    s.add_chart(chart, "Q2")
    for state in ("hidden", "veryHidden"):
        h = b.create_sheet(w.word())
        h.sheet_state = state
        for row in range(10):
            h.append([w.word(), w.word()])
    b.save(path)


def xlsx_of_xlsxwriter(path, w):
    import xlsxwriter

    b = xlsxwriter.Workbook(path)
    b.set_properties({"title": w.text(2), "comments": w.text(3)})
    s = b.add_worksheet(w.word())
    date = b.add_format({"num_format": "dd mmm yyyy"})
    for n, row in enumerate(xlsx_cells(w)):
        for m, cell in enumerate(row):
            s.write_datetime(n, m, cell, date) if isinstance(cell, datetime.date) else s.write(n, m, cell)
    s.write_rich_string("H1", b.add_format({"bold": True}), w.word() + " ", w.word())
    s.write_comment("A1", w.text(5))
    s.insert_textbox("J1", w.text(6))
    s.add_table("J20:K24", {"columns": [{"header": w.word()}, {"header": w.word()}]})
    s.set_header("&L" + w.text(2) + "&R" + w.text(2))
    c = b.add_chart({"type": "column"})
    c.set_title({"name": w.text(2)})
    c.add_series({"values": [s.name, 0, 3, 9, 3], "name": w.word()})
    s.insert_chart("J30", c)
    s.write_formula("P1", '="a"&"b"', None, w.word())
    b.close()


def pptx_of_python(path, w):
    from pptx import Presentation
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    p = Presentation()
    p.core_properties.title = w.text(2)
    box = (Inches(1), Inches(1), Inches(6), Inches(1))
    for n in range(12):
        s = p.slides.add_slide(p.slide_layouts[1])
        s.shapes.title.text = w.text(3)
        frame = s.placeholders[1].text_frame
        frame.text = w.text(5)
        for level in range(4):
            paragraph = frame.add_paragraph()
            paragraph.text, paragraph.level = w.text(5), level
        name = w.word()
        paragraph.add_run().text = " " + name[:3]
        paragraph.add_run().text = name[3:]
        s.notes_slide.notes_text_frame.text = w.text(10)
    s = p.slides.add_slide(p.slide_layouts[5])
    s.shapes.title.text = w.text(2)
    table = s.shapes.add_table(8, 3, *box).table
    for row in table.rows:
        for cell in row.cells:
            cell.text = w.word()
    group = s.shapes.add_group_shape()
    group.shapes.add_textbox(*box).text_frame.text = w.text(4)
    group.shapes.add_group_shape().shapes.add_textbox(*box).text_frame.text = w.text(4)
    data = CategoryChartData()
    data.categories = [w.word() for _ in range(5)]
    data.add_series(w.word(), (1, 2, 3, 4, 5))
    chart = s.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *box, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = w.text(2)
    p.slides[2]._element.set("show", "0")
    # What stands on the master is shown on every slide.
    extra = s.shapes.add_textbox(Inches(1), Inches(7), Inches(6), Inches(0.4))
    extra.text_frame.text = w.text(3)
    p.slide_masters[0].shapes._spTree.append(extra._element)
    p.save(path)


def odt_of_odfpy(path, w):
    from odf import dc, draw, office, style, table, text
    from odf.opendocument import OpenDocumentText

    d = OpenDocumentText()
    layout = style.PageLayout(name="L")
    layout.addElement(style.HeaderStyle())
    layout.addElement(style.FooterStyle())
    d.automaticstyles.addElement(layout)
    master = style.MasterPage(name="Standard", pagelayoutname="L")
    for edge in (style.Header, style.Footer):
        e = edge()
        e.addElement(text.P(text=w.text(3)))
        master.addElement(e)
    d.masterstyles.addElement(master)
    bold = style.Style(name="B", family="text")
    bold.addElement(style.TextProperties(fontweight="bold"))
    hidden = style.Style(name="H", family="text")
    hidden.addElement(style.TextProperties(display="none"))
    d.automaticstyles.addElement(bold)
    d.automaticstyles.addElement(hidden)
    for level in (1, 2, 3):
        d.text.addElement(text.H(outlinelevel=level, text=w.text(3)))
        p = text.P(text=w.text(60) + " ")
        name = w.word()
        p.addText(name[:2])
        p.addElement(text.Span(stylename="B", text=name[2:5]))
        p.addText(name[5:] + " ")
        p.addElement(text.Span(stylename="H", text=w.word()))
        p.addElement(text.Tab())
        p.addText(w.word())
        p.addElement(text.LineBreak())
        p.addText(w.word())
        p.addElement(text.S(c=3))
        p.addText(w.word())
        p.addText(" ")
        note = text.Note(noteclass="endnote" if level == 2 else "footnote", id=f"n{level}")
        note.addElement(text.NoteCitation(text=str(level)))
        body = text.NoteBody()
        body.addElement(text.P(text=w.text(5)))
        note.addElement(body)
        p.addElement(note)
        a = office.Annotation()
        a.addElement(dc.Creator(text=w.text(2)))
        a.addElement(text.P(text=w.text(5)))
        p.addElement(a)
        frame = draw.Frame(width="6cm", height="2cm", anchortype="paragraph")
        box = draw.TextBox()
        box.addElement(text.P(text=w.text(4)))
        frame.addElement(box)
        p.addElement(frame)
        p.addText(" ")
        p.addElement(text.A(href="https://example.org/", text=w.word()))
        d.text.addElement(p)
    for _ in range(2):
        l = text.List()
        for _ in range(40):
            item = text.ListItem()
            item.addElement(text.P(text=w.text(3)))
            l.addElement(item)
        d.text.addElement(l)
    t = table.Table(name="T")
    t.addElement(table.TableColumn(numbercolumnsrepeated=4))
    for n in range(30):
        r = table.TableRow()
        for m in range(4):
            if n == 0 and m == 1:
                r.addElement(table.CoveredTableCell())
                continue
            c = table.TableCell(numbercolumnsspanned=2) if (n, m) == (0, 0) else table.TableCell()
            c.addElement(text.P(text=w.word()))
            r.addElement(c)
        t.addElement(r)
    d.text.addElement(t)
    s = text.Section(name="Sect", display="none")
    s.addElement(text.P(text=w.text(5)))
    d.text.addElement(s)
    d.text.addElement(text.P(text=w.text(300)))
    d.save(path)


def ods_of_odfpy(path, w):
    from odf import dc, office, style, table, text
    from odf.opendocument import OpenDocumentSpreadsheet

    d = OpenDocumentSpreadsheet()
    gone = style.Style(name="G", family="table")
    gone.addElement(style.TableProperties(display="false"))
    d.automaticstyles.addElement(gone)
    for sheet in range(3):
        t = table.Table(name=w.word(), **({"stylename": "G"} if sheet == 2 else {}))
        for n, cells in enumerate(xlsx_cells(w)):
            r = table.TableRow(**({"visibility": "collapse"} if n == 5 else {}))
            for cell in cells:
                if isinstance(cell, bool):
                    c = table.TableCell(valuetype="boolean", booleanvalue=str(cell).lower())
                elif isinstance(cell, float):
                    c = table.TableCell(valuetype="float", value=cell)
                elif isinstance(cell, datetime.date):
                    c = table.TableCell(valuetype="date", datevalue=cell.isoformat())
                    c.addElement(text.P(text=cell.strftime("%d/%m/%Y")))
                else:
                    c = table.TableCell(valuetype="string")
                    c.addElement(text.P(text=cell))
                if n == 3 and isinstance(cell, str):
                    a = office.Annotation()
                    a.addElement(text.P(text=w.text(4)))
                    c.addElement(a)
                    c.addElement(text.P(text=w.text(2)))
                r.addElement(c)
            t.addElement(r)
        d.spreadsheet.addElement(t)
    d.save(path)


def odp_of_odfpy(path, w):
    from odf import draw, presentation, style, table, text
    from odf.opendocument import OpenDocumentPresentation

    d = OpenDocumentPresentation()
    layout = style.PageLayout(name="L")
    d.automaticstyles.addElement(layout)
    master = style.MasterPage(name="M", pagelayoutname="L")
    d.masterstyles.addElement(master)

    def frame(into, words, y=1):
        f = draw.Frame(width="20cm", height="2cm", x="1cm", y=f"{y}cm")
        box = draw.TextBox()
        for line in words:
            box.addElement(text.P(text=line))
        f.addElement(box)
        into.addElement(f)

    frame(master, [w.text(3)], 19)
    for n in range(12):
        page = draw.Page(masterpagename="M", name=w.word())
        frame(page, [w.text(3)])
        frame(page, [w.text(5) for _ in range(5)], 3)
        g = draw.G()
        frame(g, [w.text(4)], 15)
        page.addElement(g)
        shape = draw.CustomShape(width="3cm", height="3cm", x="2cm", y="11cm")
        shape.addElement(text.P(text=w.text(2)))
        page.addElement(shape)
        f = draw.Frame(width="10cm", height="3cm", x="12cm", y="10cm")
        t = table.Table()
        t.addElement(table.TableColumn(numbercolumnsrepeated=2))
        for _ in range(3):
            r = table.TableRow()
            for _ in range(2):
                c = table.TableCell()
                c.addElement(text.P(text=w.word()))
                r.addElement(c)
            t.addElement(r)
        f.addElement(t)
        page.addElement(f)
        notes = presentation.Notes()
        frame(notes, [w.text(8)])
        page.addElement(notes)
        d.presentation.addElement(page)
    d.save(path)


def xls_of_xlwt(path, w):
    import xlwt

    b = xlwt.Workbook(encoding="utf-8")
    style = xlwt.easyxf(num_format_str="D MMMM YYYY")
    for n in range(2):
        s = b.add_sheet(w.word())
        s.visibility = n
        # This program writes headers in ASCII alone.
        plain = Words(n, PLAIN)
        s.header_str, s.footer_str = plain.text(2).encode(), plain.text(2).encode()
        w.given += plain.given
        for y, row in enumerate(xlsx_cells(w)):
            for x, cell in enumerate(row):
                s.write(y, x, cell, style) if isinstance(cell, datetime.date) else s.write(y, x, cell)
        s.write_merge(200, 201, 0, 2, w.text(3))
        s.write_rich_text(203, 0, [w.word() + " ", (w.word(), xlwt.easyfont("bold on"))])
        # Longer than one record.
        for y in range(300, 320):
            s.write(y, 0, w.text(60))
        s.row(4).hidden = True
    b.save(str(path))


# DejaVu and Liberation come with fonts-dejavu-core and fonts-liberation.
FONTS = ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf")


def pdf_of_reportlab(path, w):
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import ListFlowable, PageBreak, Paragraph, SimpleDocTemplate, Table

    styles = getSampleStyleSheet()
    font = next((f for f in FONTS if pathlib.Path(f).exists()), None)
    if font and w.syllables is not PLAIN:
        pdfmetrics.registerFont(TTFont("T", font))
        for s in styles.byName.values():
            if hasattr(s, "fontName"):
                s.fontName = "T"
    p = lambda t, s="Normal": Paragraph(t, styles[s])
    story = [p(w.text(3), "Title")]
    for _ in range(4):
        story += [p(w.text(2), "Heading1"), p(w.text(150)), ListFlowable([p(w.text(4)) for _ in range(20)])]
        story += [Table([[p(w.word()) for _ in range(4)] for _ in range(30)]), PageBreak()]
    edge = w.text(3)
    def page(canvas, _):
        canvas.setFont("T" if font and w.syllables is not PLAIN else "Helvetica", 9)
        canvas.drawString(50, 20, edge)
    SimpleDocTemplate(str(path), title=w.text(2)).build(story, onFirstPage=page, onLaterPages=page)


def pdf_of_fpdf2(path, w):
    from fpdf import FPDF

    edge = w.text(3)
    class Pages(FPDF):
        def header(self):
            self.set_font(self.named, size=9)
            self.cell(0, 8, edge, new_x="LMARGIN", new_y="NEXT")
    f = Pages()
    font = next((f for f in FONTS if pathlib.Path(f).exists()), None)
    f.named = "helvetica"
    if font and w.syllables is not PLAIN:
        f.add_font("t", fname=font)
        f.named = "t"
    f.add_page()
    f.set_font(f.named, size=11)
    for _ in range(4):
        f.multi_cell(0, 6, w.text(120), new_x="LMARGIN", new_y="NEXT")
        with f.table(first_row_as_headings=False) as table:
            for _ in range(25):
                row = table.row()
                for _ in range(4):
                    row.cell(w.word())
    f.output(str(path))


def html_by_hand(path, w):
    e = html.escape
    rows = "".join(f"<tr><td>{w.word()}<td>{e(w.text(2))}</td><th>{w.word()}</tr>" for _ in range(40))
    items = "".join(f"<li>{w.text(3)}" for _ in range(40))
    name = w.word()
    path.write_text(f"""<!DOCTYPE html><html lang=cy><head><meta charset=utf-8><title>{w.text(3)}</title>
<meta name=description content="{w.text(3)}"><style>p {{ color: red }}</style></head><body><h1>{w.text(3)}</h1>
<p>{w.text(100)} {name[:2]}<b>{name[2:4]}</b>{name[4:]}</p><img src=x alt="{w.text(3)}"><table>{rows}</table><ul>{items}</ul>
<p style="display:none">{w.text(4)}</p><p>{"".join(f"&#{ord(c)};" for c in w.text(4))}</p>
<select><option>{w.word()}<option>{w.word()}</select><textarea>{w.text(3)}</textarea><input value="{w.text(2)}" placeholder="{w.word()}">
<details><summary>{w.word()}</summary>{w.text(4)}</details><!-- {w.text(3)} --></body></html>""", encoding="utf-8")


def csv_by_hand(path, w):
    path.write_text("".join(f'{w.word()},"{w.text(2)}",{n},"{w.word()}, {w.word()}"\r\n' for n in range(200)), encoding="utf-8")


def eml_of_email(path, w, attached=()):
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = "a@school.example", "b@example.org", w.text(4)
    m.set_content(w.text(200).replace(" ", "\n", 20) + "\n")
    m.add_alternative(f"<p>{w.text(100)}</p>", subtype="html")
    for file in attached:
        m.add_attachment(file.read_bytes(), maintype="application", subtype="octet-stream", filename=file.name)
    path.write_bytes(m.as_bytes())


def convert(files, target, folder):
    """All files at once through LibreOffice; what it wrote, by the stem of the name."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", target, "--outdir",
                        str(folder), *map(str, files)], check=False, capture_output=True, timeout=300)
    return sorted(folder.glob("*"))


BY_PROGRAM = [
    ("python-docx", "docx", docx_of_python), ("openpyxl", "xlsx", xlsx_of_openpyxl), ("XlsxWriter", "xlsx", xlsx_of_xlsxwriter),
    ("python-pptx", "pptx", pptx_of_python), ("odfpy", "odt", odt_of_odfpy), ("odfpy", "ods", ods_of_odfpy),
    ("odfpy", "odp", odp_of_odfpy), ("xlwt", "xls", xls_of_xlwt), ("ReportLab", "pdf", pdf_of_reportlab),
    ("fpdf2", "pdf", pdf_of_fpdf2), ("by hand", "html", html_by_hand), ("by hand", "csv", csv_by_hand),
    ("email", "eml", eml_of_email),
]
# What LibreOffice makes of which.
BY_OFFICE = {
    "docx": ("docx", "odt"), "doc": ("docx", "odt"), "rtf": ("docx", "odt"), "odt": ("docx", "odt"), "xlsx": ("xlsx", "ods"),
    "xls": ("xlsx", "ods"), "ods": ("xlsx", "ods"), "pptx": ("pptx", "odp"), "ppt": ("pptx", "odp"), "odp": ("pptx", "odp"),
    "html": ("odt", "docx"), "pdf": ("docx", "odt", "xlsx", "pptx", "odp"),
}


def make(folder, seed, office=True):
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, (by, ending, writer) in enumerate(BY_PROGRAM):
        w = Words(seed * 1000 + number)
        path = folder / f"{by.lower().replace(' ', '-')}-{ending}.{ending}"
        writer(path, w)
        made.append(Made(path, by, w.given))
    if office:
        sources = list(made)
        for target, of in BY_OFFICE.items():
            files = [m for m in sources if m.format in of]
            written = convert([m.path for m in files], target, folder / f"office-{target}")
            for path in written:
                source = next((m for m in files if m.path.stem == path.stem), None)
                if source and path.suffix == f".{target}":
                    made.append(Made(path, f"LibreOffice, from {source.format}", []))
    return made
