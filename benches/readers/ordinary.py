#!/usr/bin/env python3
"""How many ordinary messages count as contradictory or damaged.

    ordinary.py [--seed N] [--count N] [--keep FOLDER] SCHOOLGATE [FOLDER…]

Writes messages as programs of schools, parents and councils do (Outlook, Gmail, Apple Mail, Thunderbird, iOS, web forms,
exports of management information systems, receipts and reports of delivery, newsletters, digests of lists, journals, scanners,
telephones, notices of services, answers to invitations), with the documents of documents.py beside this file,
and runs `schoolgate extract` over each, and over every `.eml` of the FOLDERs. All of them are as they should be: whatever is
told of them as contradictory or damaged is a fault of ours. Needs what documents.py needs.
"""

import argparse, base64, collections, concurrent.futures, datetime, json, pathlib, quopri, random, struct, subprocess, sys, tempfile, zlib
import email, email.message
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, make_msgid

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import documents


def png():
    """A logo of one pixel."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b""))


def raw(kind, text):
    part = email.message.Message()
    part["Content-Type"] = kind
    part.set_payload(text)
    return part


class Writer:
    def __init__(self, random, files):
        self.random, self.files = random, files
        self.w = documents.Words(random.random())

    def lines(self, count=6):
        return "\n".join(self.w.text(self.random.randint(3, 14)) for _ in range(count)) + "\n"

    def page(self):
        w = self.w
        return (f"<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"><style>p {{margin:0}}</style></head><body>"
                f"<p class=MsoNormal>{w.text(20)}</p><table><tr><td>{w.word()}</td><td>{w.word()}</td></tr></table>"
                f"<img src=\"cid:logo\"><div class=gmail_quote>{w.text(12)}<blockquote>{w.text(30)}</blockquote></div></body></html>")

    def head(self, m, **more):
        date = datetime.datetime(2026, 1 + self.random.randrange(12), 1 + self.random.randrange(28), 9, 30, tzinfo=datetime.timezone.utc)
        m["From"] = f"{self.w.word()} {self.w.word()} <office@oakfield.example>"
        m["To"] = ", ".join(f"{self.w.word()} <p{n}@example.org>" for n in range(self.random.choice((1, 1, 3, 40))))
        m["Subject"] = self.random.choice(("Re: ", "Fwd: ", "", "RE: FW: ")) + self.w.text(self.random.choice((1, 5, 25)))
        m["Date"] = format_datetime(date)
        m["Message-ID"] = make_msgid(domain="oakfield.example")
        for name, value in more.items():
            m[name.replace("_", "-")] = value
        return m

    def attach(self, m):
        file = self.random.choice(self.files)
        if isinstance(m, EmailMessage):
            m.add_attachment(file.read_bytes(), maintype="application", subtype="octet-stream", filename=f"{self.w.word()} {file.name}")
        else:
            part = MIMEApplication(file.read_bytes())
            part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", f"{self.w.word()} {file.name}"))
            m.attach(part)

    # Programs, each as it builds a message.
    def python(self):
        m = self.head(EmailMessage())
        m.set_content(self.lines(), cte=self.random.choice(("quoted-printable", "base64", "8bit")))
        if self.random.random() < 0.6:
            m.add_alternative(self.page(), subtype="html")
        for _ in range(self.random.choice((0, 0, 1, 3))):
            self.attach(m)
        return m.as_bytes(policy=m.policy.clone(linesep=self.random.choice(("\r\n", "\n"))))

    def outlook(self):
        m = self.head(MIMEMultipart("mixed", boundary=f"_005_{self.random.getrandbits(64):X}oakfield_"), Thread_Topic=self.w.text(3),
                      X_MS_Has_Attach="yes", Accept_Language="en-GB", Content_Language="en-GB")
        related = MIMEMultipart("related", boundary=f"_004_{self.random.getrandbits(64):X}_", type="multipart/alternative")
        alternative = MIMEMultipart("alternative", boundary=f"_000_{self.random.getrandbits(64):X}_")
        alternative.attach(MIMEText(self.lines().replace("\n", "\n\n"), "plain", "utf-8"))
        alternative.attach(MIMEText(self.page(), "html", "utf-8"))
        related.attach(alternative)
        logo = MIMEImage(png(), name="image001.png")
        logo.add_header("Content-ID", "<logo>")
        logo.add_header("Content-Description", "image001.png")
        logo.add_header("Content-Disposition", "inline", filename="image001.png", size="70")
        related.attach(logo)
        m.attach(related)
        if self.random.random() < 0.5:
            self.attach(m)
        return m.as_bytes()

    def apple(self):
        boundary = f"Apple-Mail={self.random.getrandbits(64):X}"
        body = quopri.encodestring(self.lines().encode()).decode()
        page = quopri.encodestring(self.page().encode()).decode()
        file = self.random.choice(self.files)
        data = base64.encodebytes(file.read_bytes()).decode()
        m = self.head(EmailMessage())
        head = str(m).strip()
        return (f"{head}\nContent-Type: multipart/alternative;\n\tboundary=\"{boundary}\"\nMime-Version: 1.0 (Mac OS X Mail 16.0 \\(3774\\))\n"
                f"X-Mailer: Apple Mail (2.3774)\n\n\n--{boundary}\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/plain;\n\tcharset=utf-8\n\n"
                f"{body}\n--{boundary}\nContent-Type: multipart/mixed;\n\tboundary=\"{boundary}-2\"\n\n\n--{boundary}-2\n"
                f"Content-Transfer-Encoding: quoted-printable\nContent-Type: text/html;\n\tcharset=utf-8\n\n{page}\n--{boundary}-2\n"
                f"Content-Disposition: attachment;\n\tfilename*=utf-8''{file.name.replace('-', '%2D')}\nContent-Type: application/octet-stream;\n\tx-unix-mode=0644;\n\tname=\"{file.name}\"\n"
                f"Content-Transfer-Encoding: base64\n\n{data}\n--{boundary}-2\nContent-Transfer-Encoding: 7bit\nContent-Type: text/html;\n\tcharset=us-ascii\n\n"
                f"<html><body></body></html>\n--{boundary}-2--\n\n--{boundary}--\n").replace("\n", "\r\n").encode()

    def gmail(self):
        m = self.head(MIMEMultipart("alternative", boundary=f"{self.random.getrandbits(80):028x}"))
        m.attach(MIMEText(self.lines() + f"\nOn Mon, 2 Mar 2026 at 09:00, {self.w.word()} <a@example.org>\nwrote:\n\n> " + self.w.text(9) + "\n", "plain", "utf-8"))
        m.attach(MIMEText(f'<div dir="ltr">{self.w.text(20)}</div><br>' + self.page(), "html", "utf-8"))
        return m.as_bytes()

    def flowed(self):
        m = self.head(EmailMessage(), User_Agent="Mozilla Thunderbird")
        text = "".join(self.w.text(9) + self.random.choice((" \n", "\n")) for _ in range(12)) + "-- \n" + self.w.text(3) + "\n"
        return (str(m).strip() + "\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8; format=flowed\nContent-Transfer-Encoding: 8bit\n\n"
                + text).replace("\n", "\r\n").encode()

    def charset(self):
        name, words = self.random.choice((("windows-1252", "café naïve Zoë £20 – “quote”"), ("iso-8859-1", "Siân Llŷr".replace("ŷ", "y")),
                                          ("windows-1250", "Łukasz Żółć"), ("iso-8859-2", "Łukasz Żółć"), ("utf-7", "plain words"), ("us-ascii", "plain words"),
                                          ("iso-8859-15", "50 € Zoë"), ("koi8-r", "Иван Петров"), ("gb18030", "王小明"), ("iso-2022-jp", "山田太郎"), ("big5", "王小明")))
        text = "\r\n".join((words + " plain text that goes on for a while") for _ in range(5)) + "\r\n"
        encoded = text.encode(name)
        how = self.random.choice(("8bit", "quoted-printable", "base64")) if name not in ("us-ascii", "utf-7", "iso-2022-jp") else "7bit"
        body = {"8bit": encoded, "7bit": encoded, "quoted-printable": quopri.encodestring(encoded.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n"),
                "base64": base64.encodebytes(encoded).replace(b"\n", b"\r\n")}[how]
        return (f"From: Office <office@oakfield.example>\r\nTo: p@example.org\r\nSubject: {words.encode('ascii', 'ignore').decode()}\r\nDate: Mon, 02 Mar 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n"
                f"Content-Type: text/plain; charset=\"{name}\"\r\nContent-Transfer-Encoding: {how}\r\n\r\n").encode() + body

    def form(self):
        """A web form: no MIME at all, or a long line of HTML."""
        fields = "\n".join(f"{self.w.word()}: {self.w.text(3)}" for _ in range(8))
        head = f"From: web@oakfield.example\nTo: office@oakfield.example\nSubject: Form\nDate: Mon, 02 Mar 2026 09:00:00 +0000\n"
        if self.random.random() < 0.5:
            return (head + "\n" + "".join(c for c in fields if c.isascii()) + "\n").encode()
        long = "<p>" + self.w.text(90) + "</p>"
        return (head + f"MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nX-PHP-Originating-Script: 0:mail.php\n\n{long}\n").encode()

    def calendar(self):
        m = self.head(MIMEMultipart("alternative"))
        m.attach(MIMEText(self.lines(), "plain", "utf-8"))
        text = ("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1@x\r\nDTSTART:20260302T090000Z\r\n"
                f"SUMMARY:{self.w.text(4)}\r\nDESCRIPTION:{self.w.text(8)}\\n\\n{self.w.text(5)}\r\n  {self.w.word()}\r\nATTENDEE;CN={self.w.word()}:mailto:a@example.org\r\n"
                "END:VEVENT\r\nEND:VCALENDAR\r\n")
        part = MIMEText(text, "calendar", "utf-8")
        part.set_param("method", "REQUEST")
        m.attach(part)
        if self.random.random() < 0.5:
            outer = self.head(MIMEMultipart("mixed"))
            outer.attach(m)
            del m["From"], m["To"], m["Subject"], m["Date"], m["Message-ID"]
            attached = MIMEApplication(text.encode(), "ics")
            attached.add_header("Content-Disposition", "attachment", filename="invite.ics")
            outer.attach(attached)
            return outer.as_bytes()
        return m.as_bytes()

    def signed(self):
        m = self.head(MIMEMultipart("signed", protocol="application/pkcs7-signature", micalg="sha-256"))
        m.preamble = "This is an S/MIME signed message\n"
        m.attach(MIMEText(self.lines(), "plain", "utf-8"))
        # ContentInfo with signedData and nothing that is signed in it.
        cms = bytes.fromhex("302306092a864886f70d010702a016301402010131003 00b06092a864886f70d0107013100".replace(" ", ""))
        part = MIMEApplication(cms, "pkcs7-signature", name="smime.p7s")
        part.add_header("Content-Disposition", "attachment", filename="smime.p7s")
        m.attach(part)
        return m.as_bytes()

    def forwarded(self):
        inner = email.message_from_bytes(self.random.choice((self.gmail, self.outlook, self.flowed, self.python))())
        m = self.head(MIMEMultipart("mixed"))
        m.attach(MIMEText(self.lines(), "plain", "utf-8"))
        part = MIMEMessage(inner)
        part.add_header("Content-Disposition", "attachment", filename="message.eml")
        m.attach(part)
        return m.as_bytes()

    def report(self):
        kind = self.random.choice(("delivery-status", "disposition-notification"))
        m = self.head(MIMEMultipart("report", **{"report-type": kind}))
        m.attach(MIMEText(self.lines(), "plain", "utf-8"))
        status = "Reporting-MTA: dns;mx.example.org\n\nFinal-Recipient: rfc822;p@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp;550 5.1.1 no such\n user\n"
        if kind == "disposition-notification":
            status = "Reporting-UA: mail\nOriginal-Recipient: rfc822;p@example.org\nFinal-Recipient: rfc822;p@example.org\nDisposition: manual-action/MDN-sent-manually; displayed\n"
        import email.message
        # Python would take such a part to pieces; it is to stand there as other programs write it.
        m.attach(raw(f"application/x-{kind}", status))
        back = "From: a@example.org\nTo: p@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n"
        if self.random.random() < 0.5:
            m.attach(raw("text/rfc822-headers", back))
        else:
            m.attach(raw("application/x-rfc822", back + "words\n"))
        return m.as_bytes().replace(b"application/x-", b"message/")

    def bare(self):
        """Multiparts as scripts write them by hand."""
        b = self.random.choice(("frontier", "=_mixed 0055A1", "----=_NextPart_000_0012_01D9", "b1", "==boundary=="))
        file = self.random.choice(self.files)
        data = base64.b64encode(file.read_bytes()).decode()
        width = self.random.choice((60, 72, 76))
        data = "\n".join(data[n : n + width] for n in range(0, len(data), width))
        gap = self.random.choice(("", "\n"))
        return (f"From: MIS <mis@oakfield.example>\nTo: p@example.org\nSubject: export\nDate: Mon, 02 Mar 2026 09:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{b}\"\n\n"
                f"{self.random.choice(('', 'This is a multi-part message in MIME format.' + chr(10)))}--{b}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{self.lines()}{gap}"
                f"--{b}\nContent-Type: application/octet-stream; name=\"{file.name}\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"{file.name}\"\n\n"
                f"{data}\n{gap}--{b}--\n{gap}").replace("\n", self.random.choice(("\n", "\r\n"))).encode()

    def by_hand(self, head, body, sender="x@service.example"):
        """A message written as it stands; lines end as on the wire."""
        return (f"From: {self.w.word()} <{sender}>\nTo: p@example.org\nDate: Mon, 02 Mar 2026 09:00:00 +0000\nMessage-ID: <{self.random.getrandbits(60)}@service.example>\n"
                f"MIME-Version: 1.0\n{head}\n\n{body}").replace("\n", "\r\n").encode()

    def newsletter(self):
        """Mailchimp and the like: columns in tables, a picture that counts, many parameters in links."""
        b = f"_----------=_MCPart_{self.random.getrandbits(32)}"
        token = lambda n: base64.urlsafe_b64encode(self.random.randbytes(n)).decode().rstrip("=")
        link = f"https://x.list-manage.example/track/click?u={self.random.getrandbits(100):x}&id={self.random.getrandbits(40):x}&e={token(9)}&v={token(24)}"
        page = ("<!doctype html><html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><!--[if gte mso 15]><xml><o:OfficeDocumentSettings><o:AllowPNG/></o:OfficeDocumentSettings></xml><![endif]-->"
                f"<style>@media only screen and (min-width:768px){{.t{{width:600px!important}}}}</style></head><body><span style=\"display:none; font-size:0px\">{self.w.text(9)}&zwnj;&nbsp;&zwnj;&nbsp;</span><center>"
                + "".join(f"<table class=mcnTextBlock><tbody><tr><td valign=top><h1>{self.w.text(4)}</h1><p>{self.w.text(40)}</p><a href=\"{link}\">{self.w.text(2)}</a></td></tr></table>" for _ in range(5))
                + f"<img src=\"https://x.list-manage.example/track/open.php?u={token(12)}\" height=1 width=1></center></body></html>")
        qp = quopri.encodestring(page.encode()).decode()
        return self.by_hand(f"Subject: =?utf-8?Q?{quopri.encodestring(self.w.text(4).encode(), header=True).decode().replace(chr(10), '').replace('=' + chr(10), '')}?=\nContent-Type: multipart/alternative; boundary=\"{b}\"\nX-campaignid: mailchimp{token(9)}\nFeedback-ID: 1:1.1:us1:mc\n"
                            f"List-Unsubscribe: <https://x.example/u?{token(9)}>, <mailto:u-{token(12)}@x.example?subject=unsubscribe>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click",
                            f"This is a multi-part message in MIME format\n\n--{b}\nContent-Type: text/plain; charset=\"utf-8\"; format=\"fixed\"\nContent-Transfer-Encoding: quoted-printable\n\n"
                            f"{quopri.encodestring((self.lines() + link + chr(10) + '=' * 60 + chr(10)).encode()).decode()}\n--{b}\nContent-Type: text/html; charset=\"utf-8\"\nContent-Transfer-Encoding: quoted-printable\n\n{qp}\n--{b}--\n")

    def digest(self):
        """A list's digest: messages in a message, without types of their own."""
        b = f"===============0{self.random.getrandbits(50)}=="
        messages = "".join(f"--{b}\n\nFrom: a@example.org\nSubject: {self.w.word()}\nDate: Mon, 02 Mar 2026 09:00:00 +0000\nMessage-ID: <{n}@x>\n"
                           f"MIME-Version: 1.0\nContent-Type: text/plain; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\n\n{self.lines()}\n" for n in range(4))
        outer = f"===============1{self.random.getrandbits(50)}=="
        return self.by_hand(f"Subject: Staff Digest, Vol 1, Issue 3\nContent-Type: multipart/mixed; boundary=\"{outer}\"\nList-Id: Staff <staff.x.example>\nPrecedence: list",
                            f"--{outer}\nContent-Type: text/plain; charset=\"us-ascii\"\nContent-Transfer-Encoding: 7bit\nContent-Description: Staff Digest, Vol 1, Issue 3\n\nSend messages to staff@x.example\n\n"
                            f"--{outer}\nContent-Type: multipart/digest; boundary=\"{b}\"\n\n{messages}--{b}--\n\n--{outer}\nContent-Type: text/plain; charset=\"us-ascii\"\n"
                            f"Content-Description: Digest Footer\n\n_______________________________________________\nStaff mailing list\n\n--{outer}--\n")

    def journal(self):
        """Exchange's report for a journal: the message as it was, below what it is about."""
        b = f"_{self.random.getrandbits(90):x}_"
        inner = self.random.choice((self.gmail, self.outlook, self.flowed))().decode("utf-8", "surrogateescape").replace("\r\n", "\n")
        data = self.by_hand(f"Subject: {self.w.word()}\nX-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=\"{b}\"\nX-MS-Exchange-Organization-SCL: -1",
                            f"--{b}\nContent-Type: text/plain; charset=\"us-ascii\"\nContent-Transfer-Encoding: 7bit\n\nSender: a@example.org\nSubject: x\nMessage-Id: <1@x>\nTo: p@example.org, Expanded: all@x.example\n"
                            f"\n--{b}\nContent-Type: message/rfc822\n\nINNER\n--{b}--\n")
        return data.replace(b"INNER", inner.encode("utf-8", "surrogateescape").replace(b"\n", b"\r\n"))

    def tnef(self):
        """Outlook behind an old Exchange: all in winmail.dat."""
        attribute = lambda level, kind, data: struct.pack("<BII", level, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xffff)
        file = self.random.choice(self.files)
        data = (struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x10000)) + attribute(1, 0x00069007, struct.pack("<II", 1252, 0))
                + attribute(1, 0x00078008, b"IPM.Microsoft Mail.Note\0") + attribute(1, 0x00018004, b"Minutes\0")
                + attribute(2, 0x00069002, struct.pack("<HIHHHH", 1, 0xffffffff, 32, 32, 0, 0)) + attribute(2, 0x0006800F, file.read_bytes())
                + attribute(2, 0x00018010, file.name.encode() + b"\0"))
        m = self.head(MIMEMultipart("mixed"), X_MS_TNEF_Correlator="<1@x>", X_MS_Has_Attach="yes")
        m.attach(MIMEText(self.lines(), "plain", "utf-8"))
        part = MIMEApplication(data, "ms-tnef", name="winmail.dat")
        part.add_header("Content-Disposition", "attachment", filename="winmail.dat")
        m.attach(part)
        return m.as_bytes()

    def confidential(self):
        """Gmail's notice of a message that can be read on its pages only."""
        m = self.head(MIMEMultipart("alternative"), X_Gm_Locker="1")
        token = base64.urlsafe_b64encode(self.random.randbytes(90)).decode()
        text = f"{self.w.word()} has sent you an email via Gmail confidential mode:\n\nhttps://confidential-mail.example/msg/{token}\n\nThis message was sent on 2 March 2026 at 09:00:00 GMT\n"
        m.attach(MIMEText(text, "plain", "utf-8"))
        m.attach(MIMEText(f"<table role=presentation><tr><td><img alt=\"\" src=\"https://x.example/locker.png\"></td><td>{text}</td></tr></table><a href=\"https://confidential-mail.example/msg/{token}\">View the email</a>", "html", "utf-8"))
        return m.as_bytes()

    def receipt(self):
        """What a form of Google's sends to who has filled it in, with a page in it that mail programs may run."""
        m = self.head(MIMEMultipart("alternative", boundary=f"{self.random.getrandbits(80):028x}"), Precedence="bulk", X_Notifications="x")
        rows = "".join(f"<div role=listitem><h2>{self.w.text(3)} <span>*</span></h2><div>{self.w.text(2)}</div><input type=radio disabled checked aria-label=\"{self.w.word()}\"></div>" for _ in range(6))
        m.attach(MIMEText(f"Thanks for filling out {self.w.text(3)}\r\nHere's what was received.\r\n\r\n{self.lines()}", "plain", "utf-8"))
        m.attach(MIMEText(f"<!doctype html><html amp4email><head><style amp4email-boilerplate>body{{visibility:hidden}}</style></head><body><form>{rows}</form></body></html>", "x-amp-html", "utf-8"))
        m.attach(MIMEText(f"<html><body style=\"font-family:Roboto\"><form action=\"https://docs.example/forms/d/e/{self.random.getrandbits(200):x}/formResponse\" method=POST>{rows}<input type=hidden name=fbzx value=-{self.random.getrandbits(60)}></form></body></html>", "html", "utf-8"))
        return m.as_bytes()

    def scanner(self):
        """A copier: a bare part and a PDF, in lines of its own length, boundaries of its own kind."""
        pdf = self.random.choice([f for f in self.files if f.suffix == ".pdf"])
        b = self.random.choice((f"DC_BOUND_PRE_<{self.random.getrandbits(30)}.{self.random.getrandbits(20)}>", f"----=_Part_{self.random.getrandbits(30)}", f"_=RICOH_{self.random.getrandbits(30):X}"))
        width = self.random.choice((60, 72, 76))
        data = base64.b64encode(pdf.read_bytes()).decode()
        data = "\n".join(data[n : n + width] for n in range(0, len(data), width))
        return self.by_hand(f"Subject: Message from \"RNP002673{self.random.getrandbits(20):X}\"\nX-Mailer: Network Scanner\nContent-Type: multipart/mixed;\n\tboundary=\"{b}\"",
                            f"--{b}\nContent-Type: text/plain;\n charset=\"ISO-8859-1\"\nContent-Transfer-Encoding: 7bit\n\nThis E-mail was sent from \"RNP\" (MP C3004).\n\nScan Date: 02.03.2026 09:00:00 (+0000)\nQueries to: scan@x.example\n\n"
                            f"--{b}\nContent-Type: application/pdf;\n name=\"2026030209000.pdf\"\nContent-Disposition: attachment;\n filename=\"2026030209000.pdf\"\nContent-Transfer-Encoding: base64\n\n{data}\n--{b}--\n", "scan@x.example")

    def voicemail(self):
        """A telephone system with the call as sound, told as not read and nothing worse."""
        m = self.head(MIMEMultipart("mixed"), X_VoiceMail="1", Importance="normal")
        m.attach(MIMEText(f"You have a new voicemail from 01632 960{self.random.randrange(1000):03} ({self.w.word()}), 0:23 long.\n\n{self.lines(2)}", "plain", "utf-8"))
        sound = b"\0" * 2000
        wave = b"RIFF" + struct.pack("<I", 36 + len(sound)) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", len(sound)) + sound
        part = MIMEApplication(wave, "octet-stream", name="msg0001.wav")
        part.replace_header("Content-Type", "audio/x-wav; name=\"msg0001.wav\"")
        part.add_header("Content-Disposition", "attachment", filename="msg0001.wav")
        m.attach(part)
        return m.as_bytes()

    def envelope(self):
        """A notice that something is to be signed, as DocuSign and its like write them: one page of HTML in base64."""
        m = self.head(MIMEMultipart("alternative", boundary=f"----=_Part_{self.random.getrandbits(40)}_{self.random.getrandbits(30)}.17"), X_Api_Host="eu.x.example", Auto_Submitted="auto-generated")
        link = f"https://eu.x.example/Signing/EmailStart.aspx?a={self.random.getrandbits(128):x}&etti=24&acct={self.random.getrandbits(100):x}&er={self.random.getrandbits(100):x}"
        m.attach(MIMEText(f"{self.w.word()} sent you a document to review and sign.\n\n{link}\n\nAlternate Signing Method\nSecurity code: {self.random.getrandbits(130):X}\n", "plain", "utf-8"))
        m.attach(MIMEText(f"<!DOCTYPE html><html><body><table role=presentation><tr><td style=\"background-color:#1e4ca1\"><a href=\"{link}\"><span>REVIEW DOCUMENT</span></a></td></tr></table><div>{self.w.text(20)}</div></body></html>", "html", "utf-8"))
        return m.as_bytes()

    def reply(self):
        """An answer to an invitation, with headers that only calendars write."""
        text = ("BEGIN:VCALENDAR\r\nPRODID:-//Google Inc//Google Calendar 70.9054//EN\r\nVERSION:2.0\r\nCALSCALE:GREGORIAN\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/London:20260302T090000\r\n"
                f"DTSTAMP:20260301T090000Z\r\nORGANIZER;CN={self.w.word()}:mailto:office@oakfield.example\r\nUID:{self.random.getrandbits(120):x}@google.example\r\nATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=p@exa\r\n"
                f" mple.org;X-NUM-GUESTS=0:mailto:p@example.org\r\nSEQUENCE:0\r\nSUMMARY:{self.w.text(3)}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
        b, inner = (f"{self.random.getrandbits(80):028x}" for _ in range(2))
        attached = base64.encodebytes(text.encode()).decode()
        return self.by_hand(f"Reply-To: p@example.org\nSender: Calendar <calendar@x.example>\nSubject: Accepted: Meeting @ Mon 2 Mar 2026 9am - 10am (GMT) (p@example.org)\nContent-Class: urn:content-classes:calendarmessage\nContent-Type: multipart/mixed; boundary=\"{b}\"",
                            f"--{b}\nContent-Type: multipart/alternative; boundary=\"{inner}\"\n\n--{inner}\nContent-Type: text/plain; charset=\"UTF-8\"; format=flowed; delsp=yes\nContent-Transfer-Encoding: base64\n\n{base64.encodebytes(self.lines().encode()).decode()}\n"
                            f"--{inner}\nContent-Type: text/html; charset=\"UTF-8\"\nContent-Transfer-Encoding: quoted-printable\n\n{quopri.encodestring(self.page().encode()).decode()}\n--{inner}\nContent-Type: text/calendar; charset=\"UTF-8\"; method=REPLY\nContent-Transfer-Encoding: 8bit\n\n"
                            + text.replace("\r\n", "\n") + f"\n--{inner}--\n--{b}\nContent-Type: application/ics; name=\"invite.ics\"\nContent-Disposition: attachment; filename=\"invite.ics\"\nContent-Transfer-Encoding: base64\n\n{attached}\n--{b}--\n")

    def inline(self):
        """Apple Mail with a PDF in the middle of what is written."""
        b = f"Apple-Mail-{self.random.getrandbits(32):08X}-{self.random.getrandbits(16):04X}"
        pdf = self.random.choice([f for f in self.files if f.suffix == ".pdf"])
        return self.by_hand(f"Subject: {self.w.word()}\nX-Universally-Unique-Identifier: {self.random.getrandbits(128):X}\nX-Mailer: iPhone Mail (21E236)\nContent-Type: multipart/mixed; boundary={b}\nContent-Transfer-Encoding: 7bit",
                            f"\n--{b}\nContent-Type: text/plain;\n\tcharset=us-ascii\nContent-Transfer-Encoding: 7bit\n\nPlease see:\n\n\n--{b}\nContent-Type: application/pdf;\n\tname=\"Form (1).pdf\";\n\tx-apple-part-url={self.random.getrandbits(64):X}\n"
                            f"Content-Disposition: inline;\n\tfilename=\"Form (1).pdf\"\nContent-Transfer-Encoding: base64\n\n{base64.encodebytes(pdf.read_bytes()).decode()}\n--{b}\nContent-Type: text/plain;\n\tcharset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
                            f"\n\n{quopri.encodestring(self.lines().encode()).decode()}\nSent from my iPhone=\n\n--{b}--\n")

    PROGRAMS = [python, outlook, apple, gmail, flowed, charset, form, calendar, signed, forwarded, report, bare,
                newsletter, digest, journal, tnef, confidential, receipt, scanner, voicemail, envelope, reply, inline]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("schoolgate")
    arguments.add_argument("folders", nargs="*", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=4000)
    arguments.add_argument("--keep", type=pathlib.Path)
    args = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folder = args.keep or pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        made = [m.path for m in documents.make(folder / "made", args.seed) if m.format != "eml"]
        told = collections.defaultdict(collections.Counter)

        def one(path, kind):
            run = subprocess.run([args.schoolgate, "extract", "--json", str(path)], capture_output=True, timeout=120)
            unread = json.loads(run.stdout)["unread"]
            return path, kind, unread

        def written(number):
            writer = Writer(random.Random(f"{args.seed} {number}"), made)
            program = Writer.PROGRAMS[number % len(Writer.PROGRAMS)]
            path = folder / f"{program.__name__}-{number}.eml"
            path.write_bytes(program(writer))
            result = one(path, program.__name__)
            if not args.keep:
                path.unlink()
            return result

        jobs = [pool.submit(written, n) for n in range(args.count)]
        jobs += [pool.submit(one, p, str(f)) for f in args.folders for p in sorted(f.rglob("*.eml"))]
        for job in jobs:
            path, kind, unread = job.result()
            reasons = {u["why"] for u in unread}
            told[kind]["all"] += 1
            for why in reasons:
                told[kind][why] += 1
            if reasons & {"contradictory", "damaged"}:
                told[kind]["faults"] += 1
            for u in unread:
                print(f"{path.name}: {u['where']}: {u['why']}", file=sys.stderr)
        print(f"seed {args.seed}\n\n| program | messages | contradictory | damaged | other reasons |\n|---|---:|---:|---:|---:|")
        total = collections.Counter()
        for kind, counts in sorted(told.items()):
            total.update(counts)
            other = counts["encrypted"] + counts["beyond-limit"] + counts["unknown-type"]
            print(f"| {kind} | {counts['all']} | {counts['contradictory']} | {counts['damaged']} | {other} |")
        print(f"| all | {total['all']} | {total['contradictory']} | {total['damaged']} | |")
        print(f"\ncontradictory or damaged: {100 * total['faults'] / max(total['all'], 1):.2f} %")


if __name__ == "__main__":
    main()
