#!/usr/bin/env python3
"""Microsoft Presidio's analyzer beside the gateway, over the messages of a labelled corpus.

    presidio.py SCHOOLGATE CORPUS [CORPUS...]

SCHOOLGATE is the program, CORPUS a folder with school.toml, roster/pupils.csv and cases.jsonl. The question put to both is
"does this message hold data of a pupil?"; the label says yes where it names at least one pupil. Needs `presidio-analyzer`
from PyPI. Presidio's default spaCy model (en_core_web_lg) is no package of PyPI; where one is installed it is used as well,
otherwise names of persons are looked for only with a list of the roster's full names, which is what a school can do itself.

Text given to Presidio: subject, bodies, file names, and what the standard library can read of attachments (text, CSV, XML,
Word and Excel; PDF text through pypdf, if installed).
"""

import csv, email, email.policy, html, importlib.util, io, json, logging, pathlib, re, subprocess, sys, time, zipfile

logging.disable(logging.ERROR)
import spacy
from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
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
    """A model that is installed."""

    def __init__(self, name):
        SpacyNlpEngine.__init__(self, models=[{"lang_code": "en", "model_name": name}])
        self.nlp = {"en": spacy.load(name)}


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


def engines(names):
    def made(*kinds):
        return [getattr(recognisers, k)() for k in kinds if hasattr(recognisers, k)]

    # One list recogniser over every full name, as many schools would set it up.
    listed = PatternRecognizer("PUPIL", deny_list=names, supported_language="en", context=None)
    identifiers = made("NhsRecognizer", "UkNinoRecognizer")
    yield "identifiers (NHS, NINO)", engine(Blank(), identifiers)
    contact = [recognisers.PhoneRecognizer(supported_regions=("GB",))] + made("EmailRecognizer", "DateRecognizer", "CreditCardRecognizer", "IbanRecognizer")
    yield "all patterns (with phone, e-mail, dates)", engine(Blank(), identifiers + contact)
    yield "list of the roster's full names", engine(Blank(), [listed])
    yield "list of names and identifiers", engine(Blank(), identifiers + [listed])
    for model in ("en_core_web_lg", "en_core_web_md", "en_core_web_sm"):
        if importlib.util.find_spec(model):
            nlp = Loaded(model)
            yield f"PERSON of {model}", engine(nlp, [recognisers.SpacyRecognizer(supported_entities=["PERSON"])])
            return
    print("no spaCy model is installed: person names are not recognised, only listed", file=sys.stderr)


def figures(found, wanted):
    both, named, meant = len(found & wanted), len(found), len(wanted)
    return f"recall {both / meant:6.1%}  precision {both / named if named else 1:6.1%}  ({both} of {meant}, {named - both} wrongly)"


def main():
    program, folders = sys.argv[1], map(pathlib.Path, sys.argv[2:])
    for folder in folders:
        cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines() if line.strip()]
        wanted = {c["id"] for c in cases if c["pupils"]}
        with open(folder / "roster/pupils.csv", encoding="utf-8-sig") as file:
            names = sorted({f"{row['forename']} {row['surname']}" for row in csv.DictReader(file)})
        print(f"{folder.name}: {len(cases)} messages, {len(wanted)} with a pupil, {len(names)} names")
        run = [program, "score", "--json", "--config", folder / "school.toml", folder / "cases.jsonl"]
        start = time.perf_counter()
        ours = json.loads(subprocess.run(run, check=True, capture_output=True).stdout)["cases"]
        spent = time.perf_counter() - start
        found = {o["id"] for o in ours if o["pupils_wanted"] - len(o["pupils_missing"]) + len(o["pupils_extra"])}
        print(f"  {'schoolgate':42} {figures(found, wanted)}  {1000 * spent / len(cases):8.2f} ms a message, start and rules included")
        texts = {c["id"]: text_of(folder / c["file"]) for c in cases}
        for name, analyser in engines(names):
            analyser.analyze("warm up", "en")
            start = time.perf_counter()
            found = {i for i, text in texts.items() if analyser.analyze(text, "en", score_threshold=0.4)}
            spent = time.perf_counter() - start
            print(f"  {'presidio: ' + name:42} {figures(found, wanted)}  {1000 * spent / len(cases):8.2f} ms a message")


if __name__ == "__main__":
    main()
